# SPDX-License-Identifier: MIT
"""Makes the lab importable, by an interpreter that has the modules it needs."""

import sys
from pathlib import Path

LOADTEST = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(LOADTEST))

from lab.machine import interpreter  # noqa: E402

interpreter.ensure()
