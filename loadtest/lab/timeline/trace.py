# SPDX-License-Identifier: MIT
"""The server's trace, as its --trace writes it: threads with what they did, connections with their requests. Times are µs."""

import json
from dataclasses import dataclass, field

from ..text.errors import LabError

CONNECTIONS = 8388608  # the pid under which connections have their tracks: above any real one
LOOP, WORKER, ACCEPTOR, DEDICATED = "loop", "worker", "acceptor", "of connection"
_STATES = ("wait", "queue", "work", "lingering")
_NO_REQUESTS = ("connection", "fiber", *_STATES)  # any other name on a connection's track is a method and a target


@dataclass(frozen=True)
class Slice:
    """What a thread did in one go."""

    tid: int
    start: float
    end: float
    name: str
    connection: int | None


@dataclass
class Thread:
    tid: int
    pid: int
    name: str
    slices: list = field(default_factory=list)

    @property
    def kind(self):
        """acceptor, loop, worker; or of connection: a thread, or a process, that serves one connection."""
        return DEDICATED if " of connection " in self.name else self.name.split()[0]

    @property
    def number(self):
        return int(self.name.split()[-1]) if self.name.split()[-1].isdecimal() else 0


@dataclass
class Request:
    """As the server saw it: from when it was read to when its answer was complete."""

    connection: int
    text: str
    start: float
    end: float | None = None
    states: list = field(default_factory=list)  # (start, end, name): wait, queue, work


@dataclass
class Trace:
    value: dict  # the file as it is
    threads: dict = field(default_factory=dict)  # by thread id
    requests: dict = field(default_factory=dict)  # by connection, in order
    fibers: dict = field(default_factory=dict)  # by connection, (start, end)
    lost: int = 0  # records

    @property
    def slices(self):
        return sorted((one for thread in self.threads.values() for one in thread.slices), key=lambda one: one.start)


def load(path):
    """A trace from its file. LabError if it is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return parse(json.load(file))
    except OSError as error:
        raise LabError(f"the server has written no trace: {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise LabError(f"{path} is no trace of echod: {error!r}") from None


def parse(value):
    found = Trace(value)
    other = value["otherData"]
    found.lost = other["overwritten"] + other["dropped"]
    events = value["traceEvents"]
    for event in events:
        if event["ph"] == "M" and event["name"] == "thread_name" and event["pid"] != CONNECTIONS:
            found.threads[event["tid"]] = Thread(event["tid"], event["pid"], event["args"]["name"])
    for event in events:
        if event["ph"] == "X":
            made = Slice(event["tid"], event["ts"], event["ts"] + event["dur"], event["name"], event["args"].get("connection"))
            found.threads[event["tid"]].slices.append(made)
    for thread in found.threads.values():
        thread.slices.sort(key=lambda one: one.start)
    _read_connections(found, sorted((event for event in events if event["pid"] == CONNECTIONS and event["ph"] in "BE"),
                                    key=lambda event: event["ts"]))
    return found


def _read_connections(found, events):
    """Pairs the begins and the ends on each connection's track."""
    open_ones = {}  # by connection, the events that have begun
    for event in events:
        number, stack = event["tid"], open_ones.setdefault(event["tid"], [])
        if event["ph"] == "B":
            stack.append(event)
            if event["name"] not in _NO_REQUESTS:
                found.requests.setdefault(number, []).append(Request(number, event["name"], event["ts"]))
            continue
        if not stack:
            continue  # its begin is among the lost records
        begun = stack.pop()
        if begun["name"] not in _NO_REQUESTS:
            found.requests[number][-1].end = event["ts"]
        elif begun["name"] in _STATES and number in found.requests:
            found.requests[number][-1].states.append((begun["ts"], event["ts"], begun["name"]))
        elif begun["name"] == "fiber":
            found.fibers[number] = (begun["ts"], event["ts"])
