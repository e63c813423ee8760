# SPDX-License-Identifier: MIT
"""The life of an answer that is not there yet, as the server's own trace tells it: how often was its session polled, what woke it?

One request that waits on each of many connections, all at once, as in `burst`; the server runs with --trace. A poll is a pass of the
session within the request: the one that reads it, and each one after a wake-up.
"""

import collections
import json
import tempfile
from pathlib import Path

from ..load import loaded, swarm
from ..text.errors import CellFailed, LabError
from .outcome import Outcome

WORKLOAD = {"path": "/delay/1s", "delay": 1.0, "expect-body": "Hello, World!"}
_OVERHEAD, _CONNECTING = 0.4, 0.0005
_LOOKED = 0.7  # of the delay after which the server's threads are counted
_CONNECTIONS = 1 << 23  # the process id of the connections' tracks: see docs/trace.md
_NO_PASS = ("accept", "take over", "work", "sweep")  # other slices of a thread


def find_tools():
    swarm.find()


def connections(cell):
    return cell.x


def length(cell):
    return _OVERHEAD + cell.workload["delay"] * 1.3 + _CONNECTING * cell.x


def _requests(events, path):
    """By connection: (begin, end) of the request for this path."""
    found, open_slices = {}, collections.defaultdict(list)
    for event in sorted((event for event in events if event["pid"] == _CONNECTIONS), key=lambda event: event["ts"]):
        stack = open_slices[event["tid"]]
        if event["ph"] == "B":
            stack.append(event)
        elif event["ph"] == "E" and stack:
            begun = stack.pop()
            if begun["name"] == f"GET {path}":
                found[event["tid"]] = (begun["ts"], event["ts"])
    return found


def lives(document, path):
    """(polls, wake-ups) of each request for the path. LabError where the trace lacks something."""
    lost = document["otherData"]["overwritten"] + document["otherData"]["dropped"]
    if lost:
        raise LabError(f"the trace has lost {lost:,} records")
    requests = _requests(document["traceEvents"], path)
    polls = dict.fromkeys(requests, 0)
    wakes = dict.fromkeys(requests, 0)
    for event in document["traceEvents"]:
        number = event.get("args", {}).get("connection")
        if event["ph"] == "X" and event["name"] not in _NO_PASS and number in requests:
            begin, end = requests[number]
            within = begin <= event["ts"] <= end
            polls[number] += within
            wakes[number] += within and event["ts"] > begin
    return [(polls[number], wakes[number]) for number in requests]


def _class(cell):
    return {"name": "main", "path": cell.workload["path"], "expect-body": cell.workload["expect-body"], "connections": cell.x,
            "timeout": 60, "each": 1}


def measure(cell, lab):
    if cell.subject.kind == "target":
        raise CellFailed("what runs elsewhere leaves no trace here", "limit")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        with cell.subject.start(lab.pinning.server, extra=("--trace", str(path))) as server:
            server.wait_ready()
            limit, before = server.limit(), server.spent()
            found = loaded.load(server, [_class(cell)], lab.pinning, 60, gate=cell.subject.holds_idle,
                                looked=cell.workload["delay"] * _LOOKED)
            server.stop()
        told = lives(json.loads(path.read_text(encoding="utf-8")), cell.workload["path"])
    main = found.of("main")
    loaded.refuse_wrong(main)
    if main["answers"] < cell.x or len(told) != cell.x:
        raise CellFailed(f"{main['answers']:,} of {cell.x:,} were answered, and {len(told):,} are in the trace", "errors", main["errors"])
    polls, wakes = (sum(each) / cell.x for each in zip(*told))
    figures = {"polls_per_delay": polls, "wakes_per_delay": wakes}
    if before is not None and found.second.spent:
        figures["threads_per_waiter"] = (found.second.spent.threads - before.threads) / cell.x
    return Outcome(figures, found.marks(), main["errors"], details={**found.details(), "limit": limit},
                   samples=dict.fromkeys(figures, cell.x))
