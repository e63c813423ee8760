#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the integration cases against a server binary; see tests/README.md."""

import argparse
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, FOLDER)

from harness import cases, settings  # noqa: E402
from harness.runner import Runner  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, metavar="PATH", help="the binary to test")
    parser.add_argument("--launched", action="store_true",
                        help="PATH is a launcher: it runs the server as its only child and ends as that ends")
    parser.add_argument("--modes", metavar="LIST", help="comma-separated; default: those that PATH --help offers")
    parser.add_argument("--cases", default=FOLDER, metavar="FOLDER", help="where they are (default: beside this file)")
    parser.add_argument("--suite", default=None, choices=cases.SUITES, help="default: all, or any with --only")
    parser.add_argument("--only", metavar="PATTERN", help="cases whose name has this in it (or matches it: * and ?)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)) + 1, metavar="N",
                        help="cases at once (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="print the names of the cases and end")
    return parser.parse_args()


def offered_modes(path):
    """Those of MODES that --help names at the start of a line."""
    done = subprocess.run([path, "--help"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    text = done.stdout.decode(errors="replace")
    return tuple(mode for mode in settings.MODES if re.search(rf"^\s+{mode}\b", text, re.MULTILINE))


def chosen_modes(options):
    modes = tuple(options.modes.split(",")) if options.modes else offered_modes(settings.server_path)
    for mode in modes:
        if mode not in settings.MODES:
            sys.exit(f"run.py: --modes: no mode {mode!r}; there are: {', '.join(settings.MODES)}")
    if not modes:
        sys.exit(f"run.py: {settings.server_path} --help names no mode")
    return modes


def stop_run(number, _frame):
    raise KeyboardInterrupt(number)


def main():
    options = arguments()
    settings.server_path = os.path.abspath(options.server)
    if not os.access(settings.server_path, os.X_OK):
        sys.exit(f"run.py: no program at {options.server}")
    settings.launched = options.launched
    settings.find_build()
    settings.modes = chosen_modes(options)
    folder = os.path.abspath(options.cases)
    sys.path.insert(0, folder)
    cases.discover(folder)
    selected = cases.select(options.suite or (None if options.only else "all"), options.only)
    if options.list:
        print("\n".join(item.name for item in selected))
        return 0

    signal.signal(signal.SIGTERM, stop_run)
    signal.signal(signal.SIGHUP, stop_run)
    begin = time.monotonic()
    runner = Runner(selected, max(1, options.jobs), sys.stdout)
    interrupted = False
    try:
        runner.run()
    except KeyboardInterrupt:
        interrupted = True
    passed, failed, skipped = (runner.counts[outcome] for outcome in ("ok", "FAIL", "skip"))
    if runner.failed:
        print("failed:", *runner.failed, sep="\n  ")
    if interrupted:
        print(f"interrupted; {len(selected) - passed - failed - skipped} cases were not run")
    if not selected:
        print("no case has such a name")
    print(f"{skipped} skipped, {time.monotonic() - begin:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or interrupted or not selected else 0


if __name__ == "__main__":
    sys.exit(main())
