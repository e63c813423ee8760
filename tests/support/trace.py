# SPDX-License-Identifier: MIT
"""What a file of --trace says: read strictly, and put together by connection."""

import collections
import dataclasses
import json
import os

import jsonschema

from .checks import check, equal

CONNECTIONS = 1 << 23  # the process id of the connections' tracks

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "trace.schema.json"), encoding="utf-8") as file:
    _schema = jsonschema.Draft202012Validator(json.load(file))


@dataclasses.dataclass
class Slice:
    """Of a connection's track: nanoseconds of CLOCK_MONOTONIC, the arguments of its end, and the slices within it."""

    name: str
    begin: int
    end: int = None
    args: dict = None
    inner: list = dataclasses.field(default_factory=list)

    def walk(self):
        yield self
        for slice_ in self.inner:
            yield from slice_.walk()


class Trace:
    """A whole trace: it is valid, nothing was lost, and each slice that has begun has ended, but for `open_slices`; None: any number."""

    def __init__(self, path, lost=False, open_slices=0):
        with open(path, encoding="utf-8") as text:
            document = json.load(text)
        _check_schema({**document, "traceEvents": _forms(document["traceEvents"])})
        self.other = document["otherData"]
        self.events = sorted(document["traceEvents"], key=lambda event: event["ts"])
        self.connections = collections.defaultdict(list)  # the outermost slices, by number
        if not lost:
            equal((self.other["overwritten"], self.other["dropped"]), (0, 0), "records lost")
            self._nest(open_slices)

    def _nest(self, may_be_open):
        stacks = collections.defaultdict(list)
        for event in self.events:
            stack = stacks[event["tid"]]
            if event["pid"] == CONNECTIONS and event["ph"] == "B":
                new = Slice(event["name"], ns(event))
                (stack[-1].inner if stack else self.connections[event["tid"]]).append(new)
                stack.append(new)
            elif event["pid"] == CONNECTIONS and event["ph"] == "E":
                check(stack, f"an end without a begin: {event}")
                stack[-1].end, stack[-1].args = ns(event), event.get("args", {})
                stack.pop()
        still = [slice_.name for stack in stacks.values() for slice_ in stack]
        self.still_open = still
        equal(len(still), len(still) if may_be_open is None else may_be_open, f"slices without an end, {still}")

    def slices(self):
        for outer in self.connections.values():
            for slice_ in outer:
                yield from slice_.walk()

    def threads(self):
        """The names of the threads' tracks."""
        return sorted(event["args"]["name"] for event in self.events
                      if event["ph"] == "M" and event["name"] == "thread_name" and event["pid"] != CONNECTIONS)

    def thread_slices(self):
        """By (process, thread): the slices of that thread, in their order."""
        found = collections.defaultdict(list)
        for event in self.events:
            if event["ph"] == "X":
                found[event["pid"], event["tid"]].append(event)
        return found

    def arrows(self, open_tails=False):
        """By name: how many. Each head has its tail, which comes before it, in another thread; and each tail its head, but with
        `open_tails`."""
        tails, count = {}, collections.Counter()
        order = {"s": 0, "f": 1}
        for event in sorted((e for e in self.events if e["ph"] in order), key=lambda e: (e["ts"], order[e["ph"]])):
            if event["ph"] == "s":
                check(event["id"] not in tails, f"two tails: {event}")
                tails[event["id"]] = event
                continue
            tail = tails.pop(event["id"], None)
            check(tail, f"a head without a tail: {event}")
            check((tail["pid"], tail["tid"]) != (event["pid"], event["tid"]), f"an arrow within a thread: {tail} {event}")
            count[event["name"]] += 1
        check(open_tails or not tails, f"tails without a head: {list(tails)}")
        return dict(count)


def ns(event):
    return round(event["ts"] * 1000)


def _forms(events):
    """One event of each form: jsonschema takes a millisecond for each."""
    forms = {}
    for event in events:
        forms.setdefault((event["ph"], event["pid"] == CONNECTIONS, event.get("name", "")[:5], *sorted(event), *event.get("args", ())), event)
    return list(forms.values())


def _check_schema(document):
    """One error in detail: of a oneOf, jsonschema would tell every branch."""
    for error in _schema.iter_errors(document):
        check(False, f"{error.json_path}: {error.instance!r:.300} does not fit {error.schema_path}")
