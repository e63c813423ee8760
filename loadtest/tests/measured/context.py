# SPDX-License-Identifier: MIT
"""Lets the measured tests import the lab."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))
