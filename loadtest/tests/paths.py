# SPDX-License-Identifier: MIT
"""Where the comparison and its tests are."""

from pathlib import Path

TESTS = Path(__file__).resolve().parent
LOADTEST = TESTS.parent
