# SPDX-License-Identifier: MIT
"""More than a server can do: requests at a constant rate above its capacity, each on a connection of its own.

The capacity is measured first, with a closed loop of `clients`; x is the requested rate in per cent of the capacity. A right answer
counts as goodput if it comes within `deadline` seconds from when its request was due. A client waits for `timeout` seconds and holds
its connection in the meantime. So the rate is offered to the end with as many connections as requests become due in that time.
"""

from ..load import loaded, swarm
from ..text.errors import CellFailed
from .outcome import Outcome

WORKLOAD = {"path": "/compute/500000", "clients": 32, "capacity_seconds": 1.0, "warmup": 1.0, "deadline": 1.0, "timeout": 2.0,
            "interval": 0.5}
_OVERHEAD = 0.8
_SPARE = 1.1  # connections to those that can be in use: each is closed, and its timeout noticed, a little later


def find_tools():
    swarm.find()


def connections(cell):
    """As many at least. What the rate takes beyond that is known once the capacity is."""
    return cell.workload["clients"]


def length(cell):
    given = cell.workload
    return _OVERHEAD + 2 * given["warmup"] + given["capacity_seconds"] + cell.seconds + given["timeout"]


def _capacity(server, cell, lab):
    """What swarm and the machine say of a load that the server gets through without being pressed."""
    given = cell.workload
    of = {"name": "main", "path": given["path"], "connections": given["clients"], "close": True, "timeout": "5s"}
    found = loaded.load(server, [of], lab.pinning, given["capacity_seconds"], given["warmup"], gate=False,
                        of_run={"duration": f"{given['capacity_seconds']:g}"})
    loaded.refuse_wrong(found.of("main"))
    if not found.of("main")["answers"]:
        raise CellFailed(f"nothing was answered: {loaded.missed(found.of('main'))}", "errors", found.of("main")["errors"])
    return found


def _class(rate, given, most):
    needed = round(rate * given["timeout"] * _SPARE) + given["clients"]
    return {"name": "main", "path": given["path"], "connections": min(needed, most), "close": True, "rate": rate,
            "deadline": f"{given['deadline']:g}", "timeout": f"{given['timeout']:g}"}


def _figures(main, capacity, window):
    figures = {"capacity": capacity["achieved_rate"], "asked_per_s": main["asked_rate"], "offered_per_s": main["offered_rate"],
               "goodput": main["goodput"], "goodput_share": 100 * main["goodput"] / capacity["achieved_rate"],
               "late_per_s": main["late"] / window, "refused_per_s": main["refused"] / window,
               "failed_per_s": loaded.failed(main) / window}
    samples = {**dict.fromkeys(figures, main["requests"]), "capacity": capacity["answers"]}
    if main["answers"] + main["late"]:
        figures |= {"p50_us": main["latency_us"]["p50"], "p99_us": main["latency_us"]["p99"]}
        samples |= dict.fromkeys(("p50_us", "p99_us"), main["latency_us"]["samples"])
    return figures, samples


def measure(cell, lab):
    given = cell.workload
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        alone = _capacity(server, cell, lab)
        capacity = alone.of("main")
        rate = max(1, round(capacity["achieved_rate"] * cell.x / 100))
        found = loaded.load(server, [_class(rate, given, lab.most)], lab.pinning, cell.seconds, given["warmup"], gate=False,
                            of_run={"duration": f"{cell.seconds:g}", "interval": f"{given['interval']:g}",
                                    "grace": f"{given['timeout']:g}"})
        server.stop()
    main = found.of("main")
    loaded.refuse_wrong(main)
    figures, samples = _figures(main, capacity, found.result["window_s"])
    histograms = {"us": found.histogram("main")}
    if main["late"]:
        histograms["late_us"] = found.histogram("main", "late_us")
    marks = tuple(dict.fromkeys((*alone.marks(), *found.marks())))  # what disturbed the capacity is in the share, too
    return Outcome({**figures, **found.of_server()}, marks, main["errors"], main["asked_rate"],
                   main["achieved_rate"], found.details(), histograms, samples, found.series("main"))
