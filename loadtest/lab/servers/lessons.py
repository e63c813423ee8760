# SPDX-License-Identifier: MIT
"""The lessons: small C programs in loadtest/lessons/ that show what threads may do to each other, and how they are run."""

import json
import os

from ..machine.command import ROOT
from ..machine.process import Child, quoted
from ..text.errors import CellFailed
from . import compiler

SOURCES = ROOT / "loadtest" / "lessons"
SHARING = SOURCES / "sharing"
BUILD = ROOT / "build" / "lessons"
ANALYSIS = ("-Werror=thread-safety", "-Wthread-safety", "-Wthread-safety-beta")
FAULT = "-DFAULT"
_LIBRARIES = {"switch": compiler.BOOST_CONTEXT}
_HEADERS = (SOURCES / "lock.h", SHARING / "two_threads.h")
_TSAN = ("-fsanitize=thread", "-g", "-O1")
_PATIENCE = 30  # seconds


def program(name):
    """The program of a lesson, compiled for speed: its path."""
    return compiler.build(SOURCES / f"{name}.c", BUILD / name, headers=_HEADERS, libraries=_LIBRARIES.get(name, ()))


def programs_that_share():
    """The source files of which each has a fault when FAULT is defined."""
    return sorted(SHARING.glob("*.c"))


def refused_by_analysis(clang, source, fault):
    """The error with which clang's thread safety analysis refuses a source; None if it accepts it. CellFailed where the
    program does not compile for another reason."""
    flags = (*ANALYSIS, "-fsyntax-only", *((FAULT,) if fault else ()))
    status, line = compiler.run(clang, source, "/dev/null", flags)
    if status == 0:
        return None
    if "thread-safety" not in line:
        raise CellFailed(f"{source.name} does not compile: {line}")
    return line


def with_tsan(clang, source, fault):
    """The program with ThreadSanitizer in it: its path."""
    name = f"{source.stem}-tsan{'-fault' if fault else ''}"
    return compiler.build(source, BUILD / name, clang, (*_TSAN, *((FAULT,) if fault else ())), _HEADERS)


def find_tsan():
    """LabError where clang or its ThreadSanitizer is missing."""
    with_tsan(compiler.find_clang(), SOURCES / "deadlock.c", fault=False)


def found_by_tsan(path, *arguments):
    """The first warning of ThreadSanitizer in a run of the program; None if it gave none."""
    with Child([path, *arguments], env={**os.environ, "TSAN_OPTIONS": "halt_on_error=1"}) as child:
        if not child.ended(_PATIENCE):
            raise CellFailed(f"{path.name} did not end", "timeout")
        child.reap()
        if "FATAL: ThreadSanitizer" in child.errors():
            raise CellFailed(f"{path.name}: {child.error_line()}")
        lines = [line for line in child.errors().splitlines() if "WARNING: ThreadSanitizer" in line]
    return lines[0].partition("ThreadSanitizer: ")[2].partition(" (pid")[0] if lines else None


def run(path, arguments, cpus=None):
    """What a lesson printed, one line of JSON."""
    with Child([path, *arguments], cpus) as child:
        if not child.ended(_PATIENCE):
            raise CellFailed(f"{path.name} did not end", "timeout")
        if child.reap() != 0:
            raise CellFailed(f"{path.name} {child.end_in_words()}", "died")
        output = child.read_output()
    try:
        return json.loads(output)
    except ValueError:
        raise CellFailed(f"{path.name} printed {quoted(output)}") from None
