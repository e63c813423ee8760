# SPDX-License-Identifier: MIT
"""More than a server can do: requests at a constant rate above what it gets through, each on a connection of its own.

Its capacity is measured first, as a closed loop of `clients`; x is the rate asked for in per cent of it.
"""

from .. import loaded, swarm
from ..errors import CellFailed
from . import Outcome

WORKLOAD = {"path": "/compute/500000", "clients": 32, "connections": 2000, "capacity_seconds": 0.5, "warmup": 0.2,
            "timeout": "5s"}
_OVERHEAD = 0.6


def find_tools():
    swarm.find()


def connections(cell):
    return cell.workload["connections"]


def length(cell):
    given = cell.workload
    return _OVERHEAD + 2 * given["warmup"] + given["capacity_seconds"] + 2 * cell.seconds


def _capacity(server, cell, lab):
    """Answers per second that it gets through without being pressed."""
    given = cell.workload
    of = {"name": "main", "path": given["path"], "connections": given["clients"], "close": True, "timeout": given["timeout"]}
    found = loaded.load(server, [of], lab.pinning, given["capacity_seconds"], given["warmup"], gate=False,
                        of_run={"duration": f"{given['capacity_seconds']:g}"})
    loaded.refuse_wrong(found.of("main"))
    if not found.of("main")["answers"]:
        raise CellFailed(f"nothing was answered: {loaded.missed(found.of('main'))}", "errors", found.of("main")["errors"])
    return found.of("main")["achieved_rate"]


def measure(cell, lab):
    given = cell.workload
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        capacity = _capacity(server, cell, lab)
        of = {"name": "main", "path": given["path"], "connections": given["connections"], "close": True,
              "rate": round(capacity * cell.x / 100), "timeout": given["timeout"]}
        found = loaded.load(server, [of], lab.pinning, cell.seconds, given["warmup"], gate=False,
                            of_run={"duration": f"{cell.seconds:g}"})
        server.stop()
    main = found.of("main")
    loaded.refuse_wrong(main)
    window = found.result["window_s"]
    failed = sum(main["errors"].values()) + main["unsent"] + main["unfinished"]
    figures = {"capacity": capacity, "goodput": main["achieved_rate"], "goodput_share": 100 * main["achieved_rate"] / capacity,
               "refused_per_s": main["refused"] / window, "failed_per_s": failed / window, **found.of_server()}
    if main["answers"]:
        figures |= {"p50_us": main["latency_us"]["p50"], "p99_us": main["latency_us"]["p99"]}
    return Outcome(figures, tuple(found.marks()), main["errors"], main["asked_rate"], main["achieved_rate"], found.details(),
                   {"us": found.histogram("main")})
