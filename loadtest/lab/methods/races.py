# SPDX-License-Identifier: MIT
"""Threads that count in one place for a time: the updates that get lost, and what an update costs. See lessons/races.c.

x is the number of threads; the target's argument is the cure. The programs may use all CPUs.
"""

from ..servers import lessons
from .outcome import Outcome

WORKLOAD = {}
_OVERHEAD = 0.05  # seconds


def find_tools():
    lessons.program("races")


def connections(cell):  # pylint: disable=unused-argument
    return 0


def length(cell):
    return _OVERHEAD + cell.seconds


def measure(cell, lab):
    found = lessons.run(lessons.program("races"), (*cell.subject.argv, cell.x, round(cell.seconds * 1000)), lab.cpus)
    figures = {"lost_updates": found["lost"], "lost_share": 100 * found["lost"] / found["updates"],
               "ns_per_update": found["ns_per_update"]}
    return Outcome(figures, details={"updates": found["updates"]}, samples=dict.fromkeys(figures, found["updates"]))
