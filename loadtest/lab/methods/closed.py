# SPDX-License-Identifier: MIT
"""As many requests as go through: wrk, a closed loop over a number of connections. See lab/load/measure.py.

With `rate` swarm also sends requests to the same server at that rate, over as many connections. Under full load a server finds many
requests at each wake-up and divides the cost of the wake-up among them, which flatters the figures of a closed loop.
"""

from ..load import loaded, plan, swarm, wrk
from ..load.measure import Timing, measure as measure_closed
from ..load.workloads import Workload
from ..machine import cpus
from ..text.errors import CellFailed, LabError
from .outcome import Outcome, marks_of

WORKLOAD = {"scenario": "get", "verb": "GET", "path": "/plaintext", "size": 0, "depth": 1, "expect": "", "close": False,
            "connections": 64, "spread": "connections", "rate": 0, "rate_seconds": 1.0, "rate_at": []}
_CONNECTING = 0.00015  # seconds that opening a connection takes, twice in a measurement
_QUEUED, _AGAIN = 4096, 0.0004  # more than that at once, and the kernel has to try again: seconds for each of the others
_FIGURES = {"rps": "requests_per_s", "cpu_us_per_request": "cpu_us_per_request",
            "client_us_per_request": "client_us_per_request",
            "switches_per_request": "switches_per_request", "voluntary_per_request": "voluntary_per_request",
            "involuntary_per_request": "involuntary_per_request", "server_cpus_busy": "server_cpus_busy",
            "threads": "threads"}
_LATENCIES = {"p50_us": "p50", "p90_us": "p90", "p99_us": "p99", "p999_us": "p99.9", "max_us": "max"}


_OF_OTHERS = ("disturbed", "throttled", "runner")  # marks of what others did, at the fixed rate as well
_SERVED = 0.98  # of the rate asked for: a server that gets through less has no cost at this rate
_RATE_OVERHEAD = 0.3  # seconds


def find_tools():
    wrk.find()
    swarm.find()


def connections(cell):
    """x is the number of connections, unless it is another part of the workload, or the number of CPUs."""
    return cell.workload["connections"] if cell.x is None or cell.workload["spread"] != "connections" else cell.x


def _has_rate(cell):
    """Whether it is measured at the fixed rate as well: at the points of `rate_at`, or at all of them."""
    given = cell.workload
    return bool(given["rate"]) and (not given["rate_at"] or cell.x in given["rate_at"])


def length(cell):
    count = connections(cell)
    opening = _CONNECTING * count + _AGAIN * max(0, count - _QUEUED)
    at_rate = _RATE_OVERHEAD + cell.workload["rate_seconds"] + opening if _has_rate(cell) else 0
    return cell.seconds + plan.warmup_for(cell.seconds, count) + plan.OVERHEAD + 2 * opening + at_rate


def workload_of(name, given):
    """What wrk is to ask, from an experiment's [workload]."""
    given = {**WORKLOAD, **given}
    return Workload(name, "", given["verb"], given["path"], given["depth"], given["size"], given["scenario"], given["expect"],
                    given["close"])


def _given(cell):
    """The workload at the point of the axis."""
    varied = cell.workload["spread"]
    if cell.x is None or varied == "cpus":
        return cell.workload
    if varied == "size" and not cell.x:  # a request without a body, beside which those with one are measured
        return {**cell.workload, "scenario": "plaintext", "verb": "GET", "path": "/plaintext"}
    return {**cell.workload, varied: cell.x}


def _workload(cell):
    return workload_of(cell.experiment.name, _given(cell))


def _pinning(cell, lab):
    """If x is the number of CPUs, the server gets that many. The client gets the others or, if there is none, the last one."""
    if cell.workload["spread"] != "cpus":
        return lab.pinning
    usable = sorted(lab.cpus)
    server = frozenset(usable[:cell.x])
    return cpus.Pinning(server, frozenset(usable[cell.x:] or usable[-1:]), "")


def figures_of(found, size):
    """The figures of this method from a cell of lab/load/measure.py; those that were not to be had are absent."""
    figures = {name: found[key] for name, key in _FIGURES.items() if key in found}
    figures |= {name: found["latency_us"][key] for name, key in _LATENCIES.items()}
    if found.get("memory") and found["memory"]["pss"] is not None:
        figures["pss_bytes"] = found["memory"]["pss"]
    if size:
        figures["mb_per_s"] = found["requests_per_s"] * 2 * size / 1e6
    return figures


def samples_of(found, figures):
    """How many requests stand behind each figure; of latencies, how many were measured."""
    return {name: round(found["latency_us"]["samples"] if name in _LATENCIES else found["requests"]) for name in figures}


def _at_rate(server, cell, pinning):
    """(figures, samples, details, marks) at the fixed rate; no figure where the server or the client did not keep up, and the reason
    in details."""
    given = _given(cell)
    of = {"name": "main", "path": given["path"], "connections": connections(cell), "rate": given["rate"], "timeout": 10}
    try:
        found = loaded.load(server, [of], pinning, given["rate_seconds"], 0.1, of_run={"duration": f"{given['rate_seconds']:g}"})
    except (CellFailed, LabError) as failure:
        server.check_alive()
        return {}, {}, {"failure": str(failure)}, ()
    first, second, main = found.first, found.second, found.of("main")
    requests = main["achieved_rate"] * (second.when - first.when)
    details = {**found.details(), "achieved_rate": main["achieved_rate"]}
    marks = found.marks()
    if main["achieved_rate"] < _SERVED * given["rate"] or "unoffered" in marks:
        return {}, {}, details, ()
    figures = {"cpu_us_at_rate": (second.spent.cpu - first.spent.cpu) * 1e6 / requests}
    return figures, {"cpu_us_at_rate": round(requests)}, details, tuple(mark for mark in marks if mark in _OF_OTHERS)


def measure(cell, lab):
    timing = Timing(plan.warmup_for(cell.seconds, connections(cell)), cell.seconds)
    pinning, at_rate = _pinning(cell, lab), []
    steady = _has_rate(cell) and cell.subject.kind != "target"
    found = measure_closed(cell.subject, _workload(cell), connections(cell), timing, pinning,
                           (lambda server: at_rate.append(_at_rate(server, cell, pinning))) if steady else None)
    kept = ("window", "lifetime", "latency_us", "limit", "switches_from", "client_cpu_share", "others_cpu_share",
            "lost_cpu_share", "runner_cpu_share", "in_flight", "cpu_user_share", "requests", "answer_bytes", "took_s")
    buckets = found["latency_us"].pop("buckets", None)
    # Only those of a server elsewhere are ever put together with others.
    histograms = {"us": buckets} if buckets and cell.subject.kind == "target" else {}
    figures = figures_of(found, _given(cell)["size"])
    samples, details, marks = samples_of(found, figures), {key: found[key] for key in kept if key in found}, marks_of(found)
    for more, its_samples, its_details, its_marks in at_rate:
        figures, samples, details = figures | more, samples | its_samples, {**details, "at_rate": its_details}
        marks += tuple(mark for mark in its_marks if mark not in marks)
    return Outcome(figures, marks, found["errors"], achieved_rate=found["requests_per_s"], details=details,
                   histograms=histograms, samples=samples)
