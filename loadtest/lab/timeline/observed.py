# SPDX-License-Identifier: MIT
"""All that is known of one mode's run: what the clients saw, what the server's trace says, and what the kernel did."""

import bisect
from dataclasses import dataclass, field

from ..text.errors import LabError
from . import trace as traces


@dataclass(frozen=True)
class Request:
    """A request as its client saw it, and as the server did."""

    asked: object  # clients.Request
    served: object  # trace.Request

    @property
    def unread(self):
        """µs from when it was sent to when it was read."""
        return max(0.0, self.served.start - self.asked.sent)

    @property
    def is_cheap(self):
        """Whether it is one of many, rather than one that waits or works."""
        return self.asked.client.every is not None


def match(asked, trace):
    """Requests with both sides. LabError if these do not fit, for example because the trace's memory was too small."""
    found = []
    for one in asked:
        served = trace.requests.get(one.connection, ())
        if one.place >= len(served) or served[one.place].text != one.client.text:
            raise LabError(f"{one.client.text}, request {one.place + 1} of connection {one.connection}, is not in the trace"
                           + (f", which has lost {trace.lost:,} records" if trace.lost else ""))
        found.append(Request(one, served[one.place]))
    return found


@dataclass
class Observed:
    mode: str
    script: tuple  # of clients
    begin: float  # of the script, µs of CLOCK_MONOTONIC
    end: float
    requests: list
    trace: object
    schedule: object = None  # None without perf
    client: int = 0  # the thread that played the clients
    slices: dict = field(init=False)  # by connection

    def __post_init__(self):
        self.slices, self._of_connection = {}, {}
        for part in self.trace.slices:
            self.slices.setdefault(part.connection, []).append(part)
        for one in self.requests:
            self._of_connection.setdefault(one.asked.connection, []).append(one)

    def requests_of(self, connection):
        return self._of_connection.get(connection, ())

    def at(self, connection, when):
        """The request that a connection had at that time: the last one read until then; None if there was none."""
        own = self.requests_of(connection)
        place = bisect.bisect_right(own, when, key=lambda one: one.served.start) - 1
        return own[place] if place >= 0 else None

    def client_of(self, connection):
        own = self.requests_of(connection)
        return own[0].asked.client.name if own else f"connection {connection}"

    def relative(self, when):
        """A time as ms of the script."""
        return (when - self.begin) / 1000

    def time(self, when):
        return f"{self.relative(when):.1f} ms"

    def threads(self, *kinds):
        return [thread for thread in self.trace.threads.values() if thread.kind in kinds]

    def is_blocking(self, thread):
        """Whether a thread waits together with its request; a loop, and the workers of one, do not."""
        return thread.kind == traces.DEDICATED or (thread.kind == traces.WORKER and not self.threads(traces.LOOP))

    def of_thread(self, tid):
        """(running, ready) of a thread."""
        return ([one for one in self.schedule.running if one.tid == tid], [one for one in self.schedule.ready if one.tid == tid])
