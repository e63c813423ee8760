# SPDX-License-Identifier: MIT
"""Cheap requests at a constant rate, timed from when they were due, beside clients of another kind: what do they feel? The server has one
CPU, however many it could have.

`timed` is the class of swarm whose latencies count; each entry of `beside` is a phase with another class next to it, or with
nothing. The phases run one after the other on one server. In a class "x" stands for the point of the axis. An entry of
`beside` may hold, besides the flags of its class,

    seconds     how long this phase is measured [the experiment's]
    turn        seconds that a loop needs to serve all these clients once, if it serves them one after another [0]
    stalls      the subjects that serve them like that. They are measured for whole turns, and only after a first turn: before
                that has ended, no request has waited for a whole turn [none]
"""

import math

from ..load import loaded, swarm
from ..machine import cpus
from ..text.errors import CellFailed
from .outcome import Outcome

WORKLOAD = {"timed": {}, "beside": {}, "warmup": 0.2}
_OWN = ("seconds", "turn", "stalls")  # keys of a phase that are no flags of swarm
_OVERHEAD, _CONNECTING = 0.1, 0.0001
_LAST = 0.2  # seconds until the last answers beside have come


def find_tools():
    swarm.find()


def connections(cell):
    most = max((_filled(of, cell).get("connections", 1) for of in cell.workload["beside"].values()), default=0)
    return cell.workload["timed"].get("connections", 1) + most


def times(phase, cell):
    """(warm-up, seconds) of a phase."""
    of, warmup = cell.workload["beside"][phase], cell.workload["warmup"]
    seconds = of.get("seconds", cell.seconds)
    turn = of.get("turn", 0)
    if not turn or cell.subject.name not in of.get("stalls", ()):
        return warmup, seconds
    return warmup + turn, turn * max(1, math.ceil(seconds / turn - 1e-9))


def length(cell):
    phases = cell.workload["beside"]
    waits = sum(of.get("turn", 0) if cell.subject.name in of.get("stalls", ()) else _LAST for of in phases.values())
    return _OVERHEAD + waits + sum(sum(times(phase, cell)) + _CONNECTING * connections(cell) for phase in phases)


def _filled(of, cell):
    return {name: cell.x if value == "x" else value for name, value in of.items() if name not in _OWN}


def _classes(phase, cell):
    classes = [{"name": "timed", **_filled(cell.workload["timed"], cell)}]
    beside = _filled(cell.workload["beside"][phase], cell)
    return classes + ([{"name": "beside", **beside}] if beside else [])


def _figures(phase, found):
    """(figures, samples). Latencies as far as the answers go: where one in a hundred has none, there is no p99."""
    timed = found.of("timed")
    requests, right = timed["requests"], timed["answers"] + timed["late"]
    figures = {f"answered_{phase}": 100 * timed["answers"] / requests, f"late_{phase}": 100 * timed["late"] / requests}
    samples = dict.fromkeys(figures, requests)
    for name, least in (("p50", 0.5), ("p99", 0.99)):
        if right >= least * requests:
            figures[f"{name}_{phase}_us"] = timed["latency_us"][name]
            samples[f"{name}_{phase}_us"] = timed["latency_us"]["samples"]
    for of in found.result["classes"]:
        if of["name"] == "beside":
            figures[f"done_{phase}"] = samples[f"done_{phase}"] = of["answers"]
    return figures, samples


def _histograms(phase, found):
    timed = found.of("timed")
    kept = {f"{phase}_us": found.histogram("timed")}
    return {**kept, f"late_{phase}_us": found.histogram("timed", "late_us")} if timed["late"] else kept


def _measure_phase(phase, server, cell, pinning):
    warmup, seconds = times(phase, cell)
    found = loaded.load(server, _classes(phase, cell), pinning, seconds, warmup, gate=False,
                        of_run={"duration": f"{seconds:g}"})
    timed = found.of("timed")
    loaded.refuse_wrong(timed)
    if not timed["requests"]:
        raise CellFailed("no request was due", "other")
    return found


def _growth(before, after, phase, cell):
    """How much memory each client beside the healthy ones takes, of two phases' readings."""
    if not cell.x or before is None or "pss_bytes" not in after or "x" not in cell.workload["beside"][phase].values():
        return {}
    growth = after["pss_bytes"] - before["pss_bytes"]
    return {f"bytes_per_{phase}": growth / cell.x} if growth > 0 else {}  # what has shrunk says nothing of a client's price


def _achieved(timed):
    """Answers a second to what was due in the window. What came in it would count a backlog of the warm-up as well."""
    return timed["asked_rate"] * timed["answers"] / timed["requests"] if timed["requests"] else None


def measure(cell, lab):
    figures, samples, marks, errors, details, histograms, first = {}, {}, [], [], {}, {}, None
    pinning = cpus.one_for_server(lab.pinning)
    with cell.subject.start(pinning.server) as server:
        server.wait_ready()
        for phase in cell.workload["beside"]:
            found = _measure_phase(phase, server, cell, pinning)
            of_phase, counted = _figures(phase, found)
            of_server = found.of_server()
            figures |= {**of_phase, **of_server, **_growth(first, of_server, phase, cell)}
            first = first or of_server
            samples |= counted
            marks += found.marks()
            errors.append(found.of("timed")["errors"])
            details[phase] = found.details()
            histograms |= _histograms(phase, found)
        server.stop()
    timed = found.of("timed")
    return Outcome(figures, tuple(dict.fromkeys(marks)), loaded.add_errors(errors), timed["asked_rate"], _achieved(timed),
                   details, histograms, samples)
