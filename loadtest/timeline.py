#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Draws what each thread and CPU did while the same clients called each mode: see loadtest/README.md, or --help."""

import signal
import sys

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing runs yet that would have to be ended: see lab/machine/interrupts.py

from lab.machine import interpreter  # noqa: E402  a Ctrl-C while these are read is no traceback

interpreter.ensure()

from lab.machine import command  # noqa: E402
from lab.timeline import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(command.run("timeline", main.main, sys.argv[1:]))
