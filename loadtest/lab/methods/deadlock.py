# SPDX-License-Identifier: MIT
"""Two threads and two locks, a number of runs: how many stopped, and what finds the fault beforehand. See lessons/deadlock.c.

The target's argument is the way in which the locks are taken. `refused` is 1 where clang's analysis refuses the program,
`found` where ThreadSanitizer names the order of the locks in a run of it.
"""

from ..servers import compiler, lessons
from .outcome import Outcome

WORKLOAD = {"runs": 20}
_PER_RUN, _TOOLS = 0.3, 4  # seconds
_FAULTY = "two-orders"


def find_tools():
    lessons.find_tsan()
    lessons.program("deadlock")


def connections(cell):  # pylint: disable=unused-argument
    return 0


def length(cell):
    return _TOOLS + cell.workload["runs"] * max(_PER_RUN, cell.seconds)


def measure(cell, lab):
    way = cell.subject.argv
    clang, source = compiler.find_clang(), lessons.SOURCES / "deadlock.c"
    runs = [lessons.run(lessons.program("deadlock"), (*way, round(cell.seconds * 1000)), lab.cpus)
            for _ in range(cell.workload["runs"])]
    refusal = lessons.refused_by_analysis(clang, source, fault=_FAULTY in way)
    warning = lessons.found_by_tsan(lessons.with_tsan(clang, source, fault=False), *way, round(cell.seconds * 1000))
    figures = {"runs": len(runs), "stopped_runs": sum(run["stopped"] for run in runs), "refused": int(refusal is not None),
               "found": int(warning is not None)}
    return Outcome(figures, details={"refusal": refusal, "warning": warning}, samples=dict.fromkeys(figures, len(runs)))
