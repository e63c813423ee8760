# SPDX-License-Identifier: MIT
"""What a run tests and how patient it is: set by plugin.py, in each process that runs tests, before they are collected."""

import os
import re

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def _source(name):
    with open(os.path.join(ROOT, "server", "modes", name)) as file:
        return file.read()


# The rows of the server's table of modes, and what the `struct mode` of each says.
MODES = tuple(re.findall(r"^ +MODE\((\w+)\)", _source("mode.h"), re.MULTILINE))
_SOURCES = {mode: _source(f"{mode}.c") for mode in MODES}
_COSTS = {mode: re.search(r"^ +\.cost = LIMITS_(\w+),", text, re.MULTILINE)[1] for mode, text in _SOURCES.items()}
LOOPS = tuple(mode for mode, text in _SOURCES.items() if re.search(r"^ +\.loops = true,", text, re.MULTILINE))
WITH_WORKERS = tuple(mode for mode, text in _SOURCES.items() if re.search(r"^ +\.workers = ", text, re.MULTILINE))
LOOPS_WITH_WORKERS = tuple(mode for mode in LOOPS if mode in WITH_WORKERS)
LOOPS_ALONE = tuple(mode for mode in LOOPS if mode not in WITH_WORKERS)  # work stalls them
BLOCKING = tuple(mode for mode in MODES if mode not in LOOPS)
THREAD_EACH = tuple(mode for mode in MODES if _COSTS[mode] == "THREAD")  # a new thread serves each connection
PROCESS_EACH = tuple(mode for mode in MODES if _COSTS[mode] == "PROCESS")  # a new process
TASK_EACH = THREAD_EACH + PROCESS_EACH
RINGS = tuple(mode for mode, text in _SOURCES.items() if '"server/drivers/uring/' in text)  # neither strace nor a shim sees its operations
STACK_EACH = tuple(mode for mode in MODES if _COSTS[mode] == "STACK")  # a stack that the mode maps itself
DRIVERS = ("event", "thread", "uring")  # a mode for each driver that has source code of its own

server_path = ""  # absolute
modes = ()  # those of this run, in the order of MODES
launched = False  # server_path starts the server as its only child, as any user, and ends as it ends
sanitizer = ""  # "address", "thread" or ""
counts_lines = False  # for `./dev test coverage`
folder = ""  # temporary files of the whole run


def patience(seconds):
    """A deadline in seconds, longer where a sanitizer slows the server down. Never a bound that a case asserts."""
    return seconds * (4 if sanitizer else 1)


def find_build():
    """What the server was built with, told from the names in its file."""
    global sanitizer, counts_lines
    with open(server_path, "rb") as file:
        content = file.read()
    found = [name for name, symbol in (("thread", b"__tsan_init"), ("address", b"__asan_init")) if symbol in content]
    sanitizer = found[0] if found else ""
    counts_lines = b"__gcov_dump" in content
