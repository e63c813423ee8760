# SPDX-License-Identifier: MIT
"""The ways in which an experiment measures. A method is a module here with

    WORKLOAD                    what [workload] of an experiment's file may hold, with the values where it does not
    find_tools()                LabError where a program it needs is missing
    connections(cell)           how many connections it holds at once
    length(cell)                about how many seconds one measurement takes
    measure(cell, lab)          an Outcome, or CellFailed or LabError
"""

from ..text.errors import LabError
from . import blend, burst, closed, deadlock, debugging, futures, idle, isolation, mix, overload, price, races, shutdown, slices, thread_safety


def known():
    """Every method by its name."""
    return {"blend": blend, "burst": burst, "closed": closed, "deadlock": deadlock, "debugging": debugging, "futures": futures, "idle": idle, "isolation": isolation, "mix": mix,
            "overload": overload, "price": price, "races": races, "shutdown": shutdown, "slices": slices,
            "thread_safety": thread_safety}


def of(experiment):
    """The method of an experiment; LabError where its file asks for what that does not offer."""
    method = known().get(experiment.method)
    if method is None:
        raise LabError(f"{experiment.name}.toml: no method {experiment.method!r}")
    for effort in experiment.efforts.values():
        if unknown := sorted(set(effort.workload) - set(method.WORKLOAD)):
            raise LabError(f"{experiment.name}.toml: the method {experiment.method} knows no {unknown[0]!r}")
    return method
