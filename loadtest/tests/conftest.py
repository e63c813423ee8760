# SPDX-License-Identifier: MIT
"""Makes the lab and the tests' own support importable."""

import sys
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parent
sys.path[:0] = [str(TESTS), str(TESTS.parent)]
