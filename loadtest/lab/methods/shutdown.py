# SPDX-License-Identifier: MIT
"""SIGTERM while requests are in flight: how many of their answers are lost, and how long does it take to the end?

One request that waits on each connection, all at once; once the server has accepted all of them, and some time of their delay has
passed, it gets SIGTERM.
"""

import signal
import time

from ..load import loaded, swarm
from ..text.errors import CellFailed, LabError
from .outcome import Outcome

WORKLOAD = {"path": "/delay/600ms", "delay": 0.6, "requests": 60, "signal_after": 0.25, "expect-body": "Hello, World!"}
_OVERHEAD = 0.2
_PATIENCE = 40  # seconds until the server's end: echod's own drain timeout is 30


def find_tools():
    swarm.find()


def connections(cell):
    return cell.workload["requests"]


def length(cell):
    return _OVERHEAD + cell.workload["delay"]


def _class(cell):
    given = cell.workload
    of = {"name": "main", "path": given["path"], "connections": given["requests"], "expect-body": given["expect-body"],
          "timeout": _PATIENCE}
    return {**of, "each": 1} if cell.subject.holds_idle else {**of, "close": True, "requests": given["requests"]}


def _end(server):
    """SIGTERM: (when it was sent, when the server had ended), by the monotonic clock."""
    sent = time.monotonic()
    server.child.send(signal.SIGTERM)
    if not server.child.ended(_PATIENCE):
        raise CellFailed(f"it has not ended {_PATIENCE} s after SIGTERM", "timeout")
    return sent, time.monotonic()


def _run(server, cell, lab):
    """(swarm's figures, when the first request was sent, when SIGTERM was, when the server had ended)."""
    given, gate = cell.workload, cell.subject.holds_idle
    before = server.sockets()
    with swarm.Run([_class(cell)], {"grace": swarm.GRACE}, server, lab.pinning.client, gate) as run:
        if gate:
            loaded.open_gate(run, server, before)
        loaded.wait_until_accepted(server, before, given["requests"], run.start + given["delay"])
        run.sleep_until(given["signal_after"])
        if time.monotonic() >= run.start + given["delay"]:
            raise CellFailed("the first requests were over before SIGTERM", "other")
        sent, ended = _end(server)
        # The server has ended: what swarm says of a lost answer is a figure, and no failure of the server.
        main = run.finish(_PATIENCE)["classes"][0]
        return main, run.start, sent, ended


def measure(cell, lab):
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        if server.pid is None:
            raise CellFailed("what runs elsewhere is not signalled", "limit")
        main, began, sent, ended = _run(server, cell, lab)
        if status := server.child.reap():
            raise LabError(f"{server.name}: after SIGTERM the server ended with status {status}; 0 was due")
    loaded.refuse_wrong(main)
    figures = {"answers_lost": main["requests"] - main["answers"], "exit_s": ended - sent}
    if main["last_answer_s"]:
        figures["last_s"] = max(0.0, began + main["last_answer_s"] - sent)
    return Outcome(figures, errors=main["errors"], details={"swarm": main}, samples=dict.fromkeys(figures, main["requests"]))
