# SPDX-License-Identifier: MIT
"""The table of cases: a function marked with @case is one case for each row of its table and each mode."""

import dataclasses
import fnmatch
import glob
import importlib
import inspect
import os

from . import settings

# What a case function may ask for by the name of a parameter; what is left is filled from its row. See worker.py.
FIXTURES = ("server", "servers", "start", "mode", "folder")

# Suites that are run by name only; `quick` is `all` without the slow cases.
SPECIAL_SUITES = ("tsan", "scale", "big", "release", "long", "timing")
SUITES = ("all", "quick") + SPECIAL_SUITES

_marked = []


@dataclasses.dataclass(frozen=True)
class Mark:
    """How a function is to be run."""

    function: object
    rows: tuple
    each_mode: bool
    suite: str
    slow: bool
    alone: bool  # nothing else may run: it measures, or loads the machine
    flags: tuple  # of the shared server
    timeout: float  # seconds after which the worker is killed


@dataclasses.dataclass(frozen=True)
class Case:
    """One line of the report."""

    name: str
    mark: Mark
    row: tuple
    mode: str  # "" if the function does not depend on it


def case(function=None, *, rows=((),), each_mode=True, suite="all", slow=False, alone=False, flags=(), timeout=60):
    """Marks a case function. A row is a tuple whose first item names it; the others are the function's arguments."""

    def mark(function):
        _marked.append(Mark(function, tuple(rows), each_mode, suite, slow, alone, tuple(flags), timeout))
        return function

    return mark(function) if function else mark


def discover(folder):
    """Imports every test_*.py, so that its functions are marked."""
    for path in sorted(glob.glob(os.path.join(folder, "test_*.py"))):
        importlib.import_module(os.path.basename(path)[: -len(".py")])


def _belongs(mark, suite):
    if suite in SPECIAL_SUITES:
        return mark.suite == suite
    return mark.suite == "all" and not (suite == "quick" and mark.slow)


def select(suite, pattern):
    """The cases of a suite whose name holds the pattern (a part of it, or with the wildcards of a shell).

    A pattern given with suite None looks through all of them.
    """
    found = []
    for mark in _marked:
        if suite is not None and not _belongs(mark, suite):
            continue
        module = mark.function.__module__[len("test_"):]
        for row in mark.rows:
            name = f"{module}: {mark.function.__name__.replace('_', ' ')}" + (f": {row[0]}" if row else "")
            for mode in settings.modes if mark.each_mode else ("",):
                found.append(Case(f"{name} [{mode}]" if mode else name, mark, row[1:], mode))
    if pattern:
        wanted = pattern.lower().replace("_", " ")
        found = [item for item in found if _matches(item.name.lower().replace("_", " "), wanted)]
    return found


def _matches(name, pattern):
    return pattern in name or fnmatch.fnmatchcase(name, pattern)


def parameters(mark):
    return list(inspect.signature(mark.function).parameters)
