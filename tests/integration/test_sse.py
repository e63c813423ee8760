# SPDX-License-Identifier: MIT
"""/sse: a stream of events in real time, which the drain ends."""

import json
import re
import signal
import time

import pytest

from support import settings
from support.answer import check_problem
from support.checks import at_most, check, equal, until
from support.corpus import PLAIN, get, post, request
from support.metrics import metrics
from support.rows import params


def events(body):
    """Each as (id, event, data), as the specification of event streams reads them."""
    check(body.endswith(b"\n\n"), f"the last event has no end: {body[-60:]!r}")
    found = []
    for block in body.decode()[:-2].split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        check(set(fields) <= {"id", "event", "data"}, f"fields: {fields}")
        found.append((fields.get("id"), fields.get("event"), json.loads(fields["data"])))
    return found


def wanted(count):
    return [(str(n), None, {"n": n, "of": count}) for n in range(1, count + 1)]


def test_events(server):
    with server.connect() as wire:
        answer = wire.ask(get(b"/sse?count=3&interval=20ms"))
        equal((answer.status, answer.get("Content-Type")), (200, "text/event-stream"), "the head")
        equal((answer.get("Cache-Control"), answer.get("X-Accel-Buffering")), ("no-store", "no"), "fields for what stands in front")
        equal((answer.get("Content-Length"), len(answer.chunks)), (None, 3), "framing")
        equal(events(answer.body), wanted(3), "events")
        wire.kept()
        answer = wire.ask(request(b"HEAD", b"/sse"))
        equal((answer.status, answer.get("Content-Type"), answer.body), (200, "text/event-stream", b""), "the answer to HEAD")
        wire.kept()


def test_one_each_interval(server):
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(get(b"/sse?count=4&interval=150ms") + PLAIN)
        wire.through(b"id: 1\n")
        at_most(time.monotonic() - begin, settings.patience(0.14), "seconds until the first event")
        for n in (2, 3, 4):
            wire.through(b"id: %d\n" % n)
            took = time.monotonic() - begin
            check(0.15 * (n - 1) - 0.01 <= took < 0.15 * (n - 1) + settings.patience(0.5), f"event {n} came after {took:.3f} s")
        wire.through(b"\r\n0\r\n\r\n")
        equal(wire.answer().body, b"Hello, World!", "the answer to the request behind it")


def test_defaults(server):
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(get(b"/sse"))
        wire.through(b'id: 2\ndata: {"n":2,"of":10}\n\n')
        check(0.99 < time.monotonic() - begin < settings.patience(3), "the second event is not a second later")


def test_many_at_once(server):
    answer = server.ask(get(b"/sse?count=10000&interval=0"), seconds=30)
    equal(events(answer.body), wanted(10000), "events")


def test_to_1_0(server):
    """Which knows no chunks: the end of the connection is that of the body."""
    with server.connect() as wire:
        wire.send(get(b"/sse?count=2&interval=10ms", b"Connection: keep-alive\r\n", b"1.0"))
        answer = wire.answer()
        equal((answer.closes, answer.chunks, events(answer.body)), (True, None, wanted(2)), "the answer")
        wire.closed()


@pytest.mark.parametrize("query", params([(text, text.encode()) for text in (
    "count=0", "count=10001", "count=x", "count=", "interval=11s", "interval=-1", "interval=x", "id=1", "count=1&x", "count=%3")]))
def test_not_allowed(server, query):
    with server.connect() as wire:
        check_problem(wire.ask(get(b"/sse?" + query)), 400)
        wire.kept()


def test_a_drain_ends_it(start):
    server = start()
    with server.connect() as one, server.connect() as two, server.connect() as old:
        for wire, version in ((one, b"1.1"), (two, b"1.1"), (old, b"1.0")):
            wire.send(get(b"/sse?count=100&interval=10s", version=version))
            wire.through(b"id: 1\n")
        begin = time.monotonic()
        server.signal(signal.SIGTERM)
        for wire in (one, two):
            rest = wire.through(b"\r\n0\r\n\r\n")
            check(re.search(rb'\r\n[0-9a-f]+\r\nevent: end\ndata: \{"n":1,"of":100\}\n\n\r\n0\r\n\r\n\Z', rest), f"the end: {rest!r}")
            wire.closed()
        check(old.through(b'event: end\ndata: {"n":1,"of":100}\n\n'), "no end")
        old.closed()
        server.wait()
        at_most(time.monotonic() - begin, settings.patience(2), "seconds until the end")


def test_a_drain_answers_what_is_behind_it(start):
    server = start()
    with server.connect() as wire:
        wire.send(get(b"/sse?count=100&interval=10s") + post(b"/echo", b"hello"))
        wire.through(b"id: 1\n")
        server.signal(signal.SIGTERM)
        wire.through(b"event: end\n")
        wire.through(b"\r\n0\r\n\r\n")
        equal(wire.answer().body, b"hello", "the answer behind the stream")
        wire.closed()
    server.wait(0)


def test_the_delay_of_a_drain_is_no_end(start):
    """As long as connections are accepted, streams go on; one that begins later still has its first event."""
    server = start("--drain-delay", "1s")
    with server.connect() as wire, server.connect() as late:
        wire.send(get(b"/sse?count=10000&interval=10ms"))
        wire.through(b"id: 1\n")
        server.signal(signal.SIGTERM)
        until(lambda: server.ask(get(b"/readyz")).status == 503, "it drains")
        equal(events(server.ask(get(b"/sse?count=3&interval=10ms")).body), wanted(3), "events during the delay")
        late.send(get(b"/sse?count=100&interval=10s"))
        late.through(b"id: 1\n")
        late.through(b"event: end\n")
        wire.through(b"event: end\n")
    server.wait(0)


def test_it_holds_nothing_while_it_waits(start, mode):
    server = start("--loops", "1")
    with server.connect() as wire:
        wire.send(get(b"/sse?count=3&interval=10s"))
        wire.through(b"id: 1\n")
        equal(server.ask(PLAIN).status, 200, "status")
        if mode in settings.LOOPS:
            at_most(server.cpu_share(0.5), 0.2, "processor time while it waits")
        wire.reset()
    until(lambda: metrics(server)["echod_connections_open"] == 1, "the connection is gone", settings.patience(5))
    server.stop()


def test_a_slow_client(start):
    """Events wait for room, not in memory."""
    server = start("--max-buffer-memory", "1m")
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/sse?count=10000&interval=0"))
        until(lambda: metrics(server)["echod_sent_bytes_total"] > 10000, "it has sent some")
        at_most(metrics(server)["echod_buffer_bytes"], 300000, "bytes held")
        answer = wire.answer()
        equal(len(events(answer.body)), 10000, "events")
    server.stop()
