# SPDX-License-Identifier: MIT
"""Some requests that compute, all at once, on one CPU: when do the first, the mean and the last answer come?

With time slices all end together, one after the other they end in turn; the last comes at the same time. The server gets one CPU,
however many it could have.
"""

from ..load import loaded, swarm
from ..machine import cpus
from ..text.errors import CellFailed
from .outcome import Outcome

WORKLOAD = {"path": "/compute/100000000", "requests": 8, "each_s": 0.2}
_OVERHEAD = 0.1


def find_tools():
    swarm.find()


def connections(cell):
    return cell.workload["requests"]


def length(cell):
    return _OVERHEAD + cell.workload["requests"] * cell.workload["each_s"]


def measure(cell, lab):
    count = cell.workload["requests"]
    pinning = cpus.one_for_server(lab.pinning)
    of = {"name": "main", "path": cell.workload["path"], "connections": count, "each": 1, "timeout": 60}
    with cell.subject.start(pinning.server) as server:
        server.wait_ready()
        found = loaded.load(server, [of], pinning, 60, looked=0.0)
        server.stop()
    main = found.of("main")
    loaded.refuse_wrong(main)
    if main["answers"] < count:
        raise CellFailed(f"{main['answers']} of {count} were answered: {loaded.missed(main)}", "errors", main["errors"])
    latency = main["latency_us"]
    figures = {"first_answer_s": latency["min"] / 1e6, "mean_answer_s": latency["mean"] / 1e6, "last_answer_s": latency["max"] / 1e6}
    return Outcome(figures, errors=main["errors"], details=found.details(), samples=dict.fromkeys(figures, count),
                   histograms={"us": found.histogram("main")})
