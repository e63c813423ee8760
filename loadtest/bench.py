#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a request, an idle connection and a start cost, beside ceilings and peers: see loadtest/README.md, or --help."""

import sys

from lab import command
from lab.bench.main import main

if __name__ == "__main__":
    sys.exit(command.run("bench", main, sys.argv[1:]))
