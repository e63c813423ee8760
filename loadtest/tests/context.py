# SPDX-License-Identifier: MIT
"""Lets the tests import the lab, from wherever they are run."""

import sys
from pathlib import Path

LOADTEST = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(LOADTEST))
