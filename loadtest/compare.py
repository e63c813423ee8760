#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Compares echod's modes under load: see loadtest/README.md, or --help."""

import sys

from lab import command, comparison

if __name__ == "__main__":
    sys.exit(command.run("compare", comparison.main, sys.argv[1:]))
