#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What one request and one idle connection cost, beside servers that do not parse: see loadtest/README.md, or --help."""

import sys

from lab import bench, command

if __name__ == "__main__":
    sys.exit(command.run("bench", bench.main, sys.argv[1:]))
