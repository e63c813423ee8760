# SPDX-License-Identifier: MIT
"""Requests that compute, requests that wait, and both at once: closed loops of swarm, one phase after the other on one server, which
has one CPU, however many it could have.

`computing` and `waiting` are classes of swarm; in the phase `mixed` both run side by side.
"""

from ..load import loaded, swarm
from ..machine import cpus
from ..text.errors import CellFailed
from .outcome import Outcome

WORKLOAD = {"computing": {}, "waiting": {}, "warmup": 0.3}
_OVERHEAD, _CONNECTING = 0.4, 0.0002
_PHASES = {"computing": ("computing",), "waiting": ("waiting",), "mixed": ("computing", "waiting")}


def find_tools():
    swarm.find()


def connections(cell):
    return sum(cell.workload[name].get("connections", 1) for name in ("computing", "waiting"))


def length(cell):
    return _OVERHEAD + len(_PHASES) * (cell.seconds + cell.workload["warmup"] + _CONNECTING * connections(cell))


def _figures(phase, name, found):
    """Of one class in one phase: answers a second, and latencies."""
    of = found.of(name)
    if not of["answers"]:
        raise CellFailed(f"nothing was answered: {loaded.missed(of)}", "errors", of["errors"])
    suffix = name if phase != "mixed" else f"{name}_mixed"
    figures = {f"rate_{suffix}": of["achieved_rate"], f"p50_{suffix}_us": of["latency_us"]["p50"],
               f"p99_{suffix}_us": of["latency_us"]["p99"]}
    return figures, dict.fromkeys(figures, of["answers"])


def measure(cell, lab):
    figures, samples, marks, errors, details, histograms = {}, {}, [], [], {}, {}
    pinning = cpus.one_for_server(lab.pinning)
    with cell.subject.start(pinning.server) as server:
        server.wait_ready()
        for phase, names in _PHASES.items():
            classes = [{"name": name, **cell.workload[name]} for name in names]
            found = loaded.load(server, classes, pinning, cell.seconds, cell.workload["warmup"], gate=False,
                                of_run={"duration": f"{cell.seconds:g}"})
            for name in names:
                loaded.refuse_wrong(found.of(name))
                own, counts = _figures(phase, name, found)
                figures, samples = figures | own, samples | counts
                errors.append(found.of(name)["errors"])
                histograms[f"{name if phase != 'mixed' else f'{name}_mixed'}_us"] = found.histogram(name)
            figures |= found.of_server()
            marks += found.marks()
            details[phase] = found.details()
        server.stop()
    return Outcome(figures, tuple(dict.fromkeys(marks)), loaded.add_errors(errors), details=details, histograms=histograms,
                   samples=samples)
