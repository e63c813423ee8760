# SPDX-License-Identifier: MIT
"""One request on each of many connections, all at once, and how long it takes until the last is answered.

The connections are opened beforehand, unless the server may close one on which nothing comes: then each is opened when its
request is sent.
"""

import math

from .. import loaded, swarm
from ..errors import CellFailed
from . import Outcome

WORKLOAD = {"path": "/delay/1s", "delay": 1.0, "workers": 1000, "expect-body": "Hello, World!"}
_OVERHEAD, _CONNECTING = 0.4, 0.0002


def find_tools():
    swarm.find()


def connections(cell):
    return cell.x


def length(cell):
    waves = math.ceil(cell.x / cell.workload["workers"]) if cell.subject.mode == "pool" else 1
    return _OVERHEAD + cell.workload["delay"] * (waves + 0.3) + _CONNECTING * cell.x


def _class(cell):
    of = {"name": "main", "path": cell.workload["path"], "expect-body": cell.workload["expect-body"], "connections": cell.x,
          "timeout": 60}
    return {**of, "each": 1} if cell.subject.holds_idle else {**of, "close": True, "requests": cell.x}


def measure(cell, lab):
    delay = cell.workload["delay"]
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        limit = server.limit()
        found = loaded.load(server, [_class(cell)], lab.pinning, 60, gate=cell.subject.holds_idle, looked=delay * 0.7)
        server.stop()
    main = found.of("main")
    loaded.refuse_wrong(main)
    if main["answers"] < cell.x:
        raise CellFailed(f"{main['answers']:,} of {cell.x:,} were answered: {loaded.missed(main)}",
                         "errors" if any(main["errors"].values()) else "refused", main["errors"])
    figures = {"last_answer_s": main["last_answer_s"], "waves": main["last_answer_s"] / delay, "answers": main["answers"],
               "p50_us": main["latency_us"]["p50"], **found.of_server()}
    return Outcome(figures, tuple(found.marks()), main["errors"], details={**found.details(), "limit": limit},
                   histograms={"us": found.histogram("main")})
