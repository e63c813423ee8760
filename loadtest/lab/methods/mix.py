# SPDX-License-Identifier: MIT
"""Cheap requests at a constant rate, timed from when they were due, beside clients of another kind: what do they feel?

`timed` is the class of swarm whose latencies count; each entry of `beside` is a phase with another class next to it, or with
nothing. The phases run one after the other on one server. In a class "x" stands for the point of the axis.
"""

from .. import loaded, swarm
from ..errors import CellFailed
from . import Outcome

WORKLOAD = {"timed": {}, "beside": {}, "warmup": 0.2}
_OVERHEAD, _CONNECTING = 0.4, 0.0001


def find_tools():
    swarm.find()


def connections(cell):
    most = max((_filled(of, cell).get("connections", 1) for of in cell.workload["beside"].values()), default=0)
    return cell.workload["timed"].get("connections", 1) + most


def length(cell):
    phases = cell.workload["beside"].values()
    slowest = sum(of.get("stall", 0) for of in phases)
    return _OVERHEAD + len(phases) * (cell.seconds + cell.workload["warmup"] + _CONNECTING * connections(cell)) + slowest


def _filled(of, cell):
    return {name: cell.x if value == "x" else value for name, value in of.items() if name != "stall"}


def _classes(phase, cell):
    classes = [{"name": "timed", **_filled(cell.workload["timed"], cell)}]
    beside = _filled(cell.workload["beside"][phase], cell)
    return classes + ([{"name": "beside", **beside}] if beside else [])


def _figures(phase, found):
    """Latencies as far as the answers go: where one in a hundred has none, there is no p99."""
    timed = found.of("timed")
    share = timed["answers"] / timed["requests"] if timed["requests"] else 0.0
    figures = {f"answered_{phase}": 100 * share}
    if share >= 0.5:
        figures[f"p50_{phase}_us"] = timed["latency_us"]["p50"]
    if share >= 0.99:
        figures[f"p99_{phase}_us"] = timed["latency_us"]["p99"]
    return figures


def measure(cell, lab):
    figures, marks, errors, details, histograms = {}, [], [], {}, {}
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        for phase in cell.workload["beside"]:
            found = loaded.load(server, _classes(phase, cell), lab.pinning, cell.seconds, cell.workload["warmup"], gate=False,
                                of_run={"duration": f"{cell.seconds:g}"})
            timed = found.of("timed")
            loaded.refuse_wrong(timed)
            if not timed["requests"]:
                raise CellFailed("no request was due", "other")
            figures |= {**_figures(phase, found), **found.of_server()}
            marks += found.marks()
            errors.append(timed["errors"])
            details[phase] = found.details()
            histograms[f"{phase}_us"] = found.histogram("timed")
        server.stop()
    return Outcome(figures, tuple(dict.fromkeys(marks)), loaded.add_errors(errors), timed["asked_rate"], timed["achieved_rate"],
                   details, histograms)
