# SPDX-License-Identifier: MIT
"""Programs that share data without its lock when FAULT is defined: how many of the faults does a tool find, and how many of the
sound programs does it complain about? See lessons/sharing/.

The target's argument is the tool: `analysis` (clang's thread safety analysis, at compile time), `sanitizer` (ThreadSanitizer,
in one run of each program) or `warnings` (the C compiler with -Wall -Wextra, which knows nothing of locks).
"""

import re

from ..servers import compiler, lessons
from .outcome import Outcome

WORKLOAD = {}
_SECONDS = {"analysis": 2, "warnings": 2, "sanitizer": 20}
_BUILD = "-fsyntax-only"


def find_tools():
    lessons.find_tsan()


def connections(cell):  # pylint: disable=unused-argument
    return 0


def length(cell):
    return _SECONDS[cell.subject.argv[0]]


def _analysis(source, fault):
    return lessons.refused_by_analysis(compiler.find_clang(), source, fault)


def _sanitizer(source, fault):
    return lessons.found_by_tsan(lessons.with_tsan(compiler.find_clang(), source, fault))


def _warnings(source, fault):
    """A warning about the fault: that a lock is unused says nothing about the data."""
    flags = ("-Wall", "-Wextra", "-Werror", "-Wno-unused-variable", _BUILD, *((lessons.FAULT,) if fault else ()))
    status, line = compiler.run(compiler.default(), source, "/dev/null", flags)
    return line if status else None


_TOOLS = {"analysis": _analysis, "sanitizer": _sanitizer, "warnings": _warnings}


def measure(cell, lab):  # pylint: disable=unused-argument
    look = _TOOLS[cell.subject.argv[0]]
    sources = lessons.programs_that_share()
    found = {source.stem: look(source, True) for source in sources}
    wrong = {source.stem: look(source, False) for source in sources}
    figures = {"faults": len(sources), "faults_found": sum(said is not None for said in found.values()),
               "false_alarms": sum(said is not None for said in wrong.values())}
    said = {name: re.sub(r"^.*/", "", line) if line else None for name, line in found.items()}
    return Outcome(figures, details={"said": said}, samples=dict.fromkeys(figures, len(sources)))
