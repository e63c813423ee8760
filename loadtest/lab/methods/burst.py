# SPDX-License-Identifier: MIT
"""One request that waits on each of many connections, all at once: when is the last one answered, and what does each cost?

The connections are opened beforehand, unless the server may close one on which nothing comes: then each is opened when its
request is sent. Memory and threads are read before the first connection, and again while all wait.
"""

from ..load import loaded, swarm
from ..machine import procfs
from ..text.errors import CellFailed
from .idle import kernel_bytes
from .outcome import Outcome

WORKLOAD = {"path": "/delay/2s", "delay": 2.0, "expect-body": "Hello, World!"}
_OVERHEAD, _CONNECTING = 0.4, 0.0002
_LOOKED = 0.7  # of the delay after which the server is looked at


def find_tools():
    swarm.find()


def connections(cell):
    return cell.x


def length(cell):
    return _OVERHEAD + cell.workload["delay"] * 1.3 + _CONNECTING * cell.x


def _class(cell):
    of = {"name": "main", "path": cell.workload["path"], "expect-body": cell.workload["expect-body"], "connections": cell.x,
          "timeout": 60}
    return {**of, "each": 1} if cell.subject.holds_idle else {**of, "close": True, "requests": cell.x}


def _before(server):
    """What the server and the kernel take before anybody is there; None where that is not to be known."""
    spent, memory = server.spent(), server.memory()
    if spent is None or memory["pss"] is None:
        return None
    return {"threads": spent.threads, "user": memory["pss"], **procfs.kernel_memory()}


def _growth(before, found, waiters):
    """(figures, marks) of each waiter."""
    after = found.of_server()
    if before is None or "pss_bytes" not in after:
        return {}, ()
    kernel, marks = kernel_bytes({kind: (size - before[kind]) / waiters for kind, size in found.kernel.items()})
    user = (after["pss_bytes"] - before["user"]) / waiters
    figures = {"threads_per_waiter": (after["threads"] - before["threads"]) / waiters, "user_bytes_per_waiter": user}
    return {**figures, **({"bytes_per_waiter": user + kernel} if kernel is not None else {})}, marks


def measure(cell, lab):
    delay = cell.workload["delay"]
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        limit, before = server.limit(), _before(server)
        found = loaded.load(server, [_class(cell)], lab.pinning, 60, gate=cell.subject.holds_idle, looked=delay * _LOOKED)
        life = server.stop()
    main = found.of("main")
    loaded.refuse_wrong(main)
    if main["answers"] < cell.x:
        raise CellFailed(f"{main['answers']:,} of {cell.x:,} were answered: {loaded.missed(main)}",
                         "errors" if any(main["errors"].values()) else "refused", main["errors"])
    per_waiter, marks = _growth(before, found, cell.x)
    figures = {"last_answer_s": main["last_answer_s"], "answers": main["answers"], "p50_us": main["latency_us"]["p50"],
               **found.of_server(), **per_waiter}
    if life:
        figures["cpu_us_per_waiter"] = life["cpu_s"] * 1e6 / cell.x
    return Outcome(figures, (*found.marks(), *marks), main["errors"], details={**found.details(), "limit": limit},
                   histograms={"us": found.histogram("main")}, samples=dict.fromkeys(figures, main["answers"]))
