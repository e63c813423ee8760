# SPDX-License-Identifier: MIT
"""Small runs as the lab would have seen them: a trace of a few events, and the requests of two or three clients."""

from lab.timeline import clients, observed, sched, trace

BEGIN = 1_000_000.0  # µs
PID = 100


def at(ms):
    return BEGIN + ms * 1000


def thread(tid, name, *slices, pid=PID):
    """A thread's events; `slices`: (from ms, to ms, what, connection)."""
    yield {"ph": "M", "ts": 0.0, "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}
    for start, end, what, connection in slices:
        yield {"ph": "X", "ts": at(start), "pid": pid, "tid": tid, "dur": (end - start) * 1000, "name": what,
               "args": {"connection": connection}}


def begin(ms, number, name):
    return {"ph": "B", "ts": at(ms), "pid": trace.CONNECTIONS, "tid": number, "name": name}


def end(ms, number, **arguments):
    return {"ph": "E", "ts": at(ms), "pid": trace.CONNECTIONS, "tid": number, **({"args": arguments} if arguments else {})}


def instant(ms, number, name, count):
    return {"ph": "i", "ts": at(ms), "pid": trace.CONNECTIONS, "tid": number, "name": name, "args": {"bytes": count}, "s": "t"}


def request(number, text, start, stop, states=()):
    """A request's events on the track of its connection; `states`: (from ms, to ms, name)."""
    yield instant(start, number, "read", 80)
    yield begin(start, number, text)
    for begun, ended, name in states:
        yield begin(begun, number, name)
        yield end(ended, number, **({"cut_short": 0} if name == "wait" else {}))
    yield end(stop, number, status=200)
    yield instant(stop, number, "write", 130)


def connection(number, *requests):
    """The track of a connection that is open all the time, with its requests."""
    yield {"ph": "M", "ts": BEGIN, "pid": trace.CONNECTIONS, "tid": number, "name": "thread_name", "args": {"name": f"connection {number}"}}
    yield begin(0, number, "connection")
    for events in requests:
        yield from events
    yield end(100, number)


def value(*events, lost=0):
    return {"traceEvents": [event for group in events for event in (group if not isinstance(group, dict) else [group])],
            "otherData": {"overwritten": lost, "dropped": 0}}


CHEAP = clients.Client("plaintext 1", "/plaintext", 0, every=10)
BLOCK = clients.Client("block 1", "/block/80ms", 0)
DELAY = clients.Client("delay 1", "/delay/20ms", 0, waits=20)


def asked(client, connection, sent, answered, place=0):
    return clients.Request(client, at(sent), connection, place, at(answered), 200)


def run(mode, read, requests, schedule=None):
    parsed = trace.parse(read)
    script = tuple(dict.fromkeys(one.client for one in requests))
    return observed.Observed(mode, script, BEGIN, at(100), observed.match(requests, parsed), parsed, schedule, client=999)


def blocked_loop(schedule=None):
    """One loop blocks from 10 to 90 ms; a request sent at 20 ms is read when that is over, a delay that was due at 25 ms, too."""
    read = value(
        thread(101, "loop 0", (2, 2.1, "read", 1), (5, 5.1, "read", 3), (10, 10, "read", 2), (10, 90, "work", 2), (90, 90.2, "resumed", 2),
               (90.2, 90.3, "resumed", 3), (90.3, 90.4, "read", 1)),
        thread(100, "acceptor", (0, 0.1, "accept", 1), (0.2, 0.3, "accept", 2)),
        connection(1, request(1, "GET /plaintext", 2, 2.1), request(1, "GET /plaintext", 90.3, 90.35)),
        connection(2, request(2, "GET /block/80ms", 10, 90.1, states=[(10, 90, "work")])),
        connection(3, request(3, "GET /delay/20ms", 5, 90.3, states=[(5, 90.2, "wait")])),
    )
    return run("event", read, [asked(CHEAP, 1, 1.9, 2.2), asked(DELAY, 3, 4.9, 90.4), asked(BLOCK, 2, 9.9, 90.2),
                               asked(CHEAP, 1, 20, 90.5, place=1)], schedule)


def with_workers():
    """The same work on a worker: the loop reads the cheap request meanwhile."""
    read = value(
        thread(101, "loop 0", (2, 2.1, "read", 1), (10, 10.1, "read", 2), (20.1, 20.2, "read", 1), (91, 91.1, "resumed", 2)),
        thread(102, "worker 0", (11, 91, "work", 2)),
        connection(1, request(1, "GET /plaintext", 2, 2.1), request(1, "GET /plaintext", 20.1, 20.15)),
        connection(2, request(2, "GET /block/80ms", 10, 91.1, states=[(10.1, 11, "queue"), (11, 91, "work")])),
    )
    return run("hybrid", read, [asked(CHEAP, 1, 1.9, 2.2), asked(BLOCK, 2, 9.9, 91.2), asked(CHEAP, 1, 20, 20.3, place=1)])


def with_threads():
    """A thread for each connection: the one with a delay sleeps meanwhile."""
    read = value(
        thread(100, "acceptor", (0, 0.1, "accept", 3)),
        thread(103, "thread of connection 3", (5, 5.1, "read", 3), (25.2, 25.3, "resumed", 3)),
        connection(3, request(3, "GET /delay/20ms", 5, 25.25, states=[(5.1, 25.2, "wait")])),
    )
    return run("thread", read, [asked(DELAY, 3, 4.9, 25.4)])


def schedule():
    """Of the loop of blocked_loop: it ran until its call blocked, and got a CPU 3 ms after the call was over."""
    return sched.Schedule([sched.Running(101, "echod", 0, at(9.5), at(10)), sched.Running(999, "python3", 0, at(19), at(20)),
                           sched.Running(7, "cc1", 1, at(0), at(100)), sched.Running(101, "echod", 0, at(90), at(91))],
                          [sched.Ready(101, at(87), at(90))])
