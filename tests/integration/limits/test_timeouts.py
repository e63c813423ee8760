# SPDX-License-Identifier: MIT
"""Timeouts of the head, the body and between requests, with small values; the bounds are generous."""

import time

import pytest

from support.answer import check_problem
from support.checks import check, equal, pause, until
from support.corpus import LAST, PLAIN, chunk, chunked, get, post
from support.rows import params
from support.settings import patience

LONG_HEAD = get(b"/plaintext", b"X: " + b"y" * 2000 + b"\r\n")

HEAD = ("--header-timeout", "400ms", "--body-timeout", "30s", "--idle-timeout", "30s")
BODY = ("--header-timeout", "30s", "--body-timeout", "400ms", "--idle-timeout", "30s")
IDLE = ("--header-timeout", "30s", "--body-timeout", "30s", "--idle-timeout", "400ms")
ALL = ("--header-timeout", "300ms", "--body-timeout", "300ms", "--idle-timeout", "300ms")


def check_took(begin, at_least=0.35, at_most=5):
    took = time.monotonic() - begin
    check(at_least <= took <= patience(at_most), f"after {took:.2f} s, expected {at_least:g} to {patience(at_most):g} s")


# name, what is sent at once
HEADS = [
    ("one byte", b"G"), ("half a request line", b"GET /pla"), ("half a head", PLAIN[:-3]), ("a request line", b"GET / HTTP/1.1\r\n"),
    ("an unknown method", b"FOO"), ("a field", PLAIN[:-2]),
]


@pytest.mark.flags(*HEAD)
@pytest.mark.parametrize("data", params(HEADS))
def test_a_head_that_never_ends(server, data):
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(data)
        wire.problem(408)
        check_took(begin)


@pytest.mark.flags(*HEAD)
@pytest.mark.parametrize("before", params([("first", b""), ("second", PLAIN), ("behind empty lines", b"\r\n\r\n")]))
def test_a_head_of_single_bytes(server, before):
    """Each byte is progress, but the whole has its time."""
    with server.connect() as wire:
        if before == PLAIN:
            equal(wire.ask(PLAIN).status, 200, "status")
        else:
            wire.send(before)
        begin = time.monotonic()
        wire.trickle(LONG_HEAD, 0.02)
        wire.problem(408)
        check_took(begin)


@pytest.mark.flags(*HEAD)
def test_behind_an_answer(server):
    """The answer to what was whole comes first."""
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(PLAIN + PLAIN[:-1])
        equal(wire.answer().status, 200, "status")
        wire.problem(408)
        check_took(begin)


@pytest.mark.flags(*HEAD)
def test_the_head_s_time_is_not_the_body_s(server):
    with server.connect() as wire:
        wire.send(post(b"/echo", b"hello")[:-5])
        wire.silent(0.7)
        wire.send(b"hello")
        equal(wire.answer().body, b"hello", "body")
        wire.silent(0.7)
        wire.kept()


@pytest.mark.flags(*HEAD)
def test_each_head_has_its_own_time(server):
    with server.connect() as wire:
        for _ in range(4):
            wire.send(PLAIN[:20])
            pause(0.15)
            wire.send(PLAIN[20:])
            equal(wire.answer().status, 200, "status")


# name, what is sent at once: a body that is too short for an answer to have begun
BODIES = [
    ("none of it", post(b"/echo", b"hello")[:-5]), ("half of it", post(b"/echo", b"hello")[:-2]),
    ("half a chunk", chunked(b"/echo", b"5\r\nhel")), ("half a chunk's size", chunked(b"/echo", b"5")),
    ("no last chunk", chunked(b"/echo", chunk(b"hello"))), ("half the trailers", chunked(b"/echo", chunk(b"hello") + b"0\r\nX: ")),
    ("to be held whole", post(b"/anything", b"x" * 200000)[:-1]), ("unknown path", post(b"/nowhere", b"hello")[:-1]),
]


@pytest.mark.flags(*BODY)
@pytest.mark.parametrize("data", params(BODIES))
def test_a_body_that_never_ends(server, data):
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(data)
        answer = wire.answer()
        if answer.status == 404:  # may be known from the head, if it closes
            check(answer.closes, f"no Connection: close in {answer}")
        else:
            check_problem(answer, 408)
            check(answer.closes, f"no Connection: close in {answer}")
        check_took(begin, 0.35 if answer.status == 408 else 0)
        wire.closed()


@pytest.mark.flags(*BODY)
@pytest.mark.parametrize("data", params([
    ("Content-Length", post(b"/echo", b"x" * 200000)[:-50000]), ("chunks", chunked(b"/echo", chunk(b"x" * 100000) + b"10\r\nx")),
]))
def test_a_body_that_stops_when_the_answer_has_begun(server, data):
    """No second status line: the answer ends short."""
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(data)
        answer = wire.answer(cut=True)
        check_took(begin)
        equal((answer.status, answer.complete), (200, False), "status, and whether it is complete")
        check(wire.at_end(), "more came")


@pytest.mark.flags(*BODY)
def test_a_body_of_single_bytes(server):
    """As long as it goes on there is time."""
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(post(b"/echo", b"x" * 12)[:-12])
        for _ in range(12):
            pause(0.1)
            wire.send(b"x")
        equal(wire.answer().body, b"x" * 12, "body")
        check(time.monotonic() - begin > 1, "the clock is wrong")
        wire.kept()


@pytest.mark.flags(*BODY)
@pytest.mark.parametrize("message", params([("bytes", get(b"/bytes/1073741824"))]))
def test_an_answer_that_is_not_read(server, message):
    with server.connect(receive_buffer=4096) as wire:
        begin = time.monotonic()
        wire.send(message)
        check(wire.readable(wire.seconds), "no answer began")
        until(lambda: len(connections(server)) == 0, "the connection is cut", patience(5))
        check_took(begin)
        answer = wire.answer(cut=True)
        equal((answer.status, answer.complete), (200, False), "status, and whether it is complete")


def connections(server):
    """Those that are open, but for the one that asks."""
    page = server.ask(get(b"/metrics", b"Connection: close\r\n")).body.decode()
    line = next(line for line in page.splitlines() if line.startswith("echod_connections_open{"))
    return range(int(line.split()[1]) - 1)


@pytest.mark.flags(*BODY)
def test_an_answer_that_is_read_slowly(server):
    """Progress, if little at a time, is progress."""
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/bytes/3000000"))
        begin = time.monotonic()
        while time.monotonic() - begin < 1.5:
            wire.socket.recv_into(bytearray(60000))
            pause(0.05)
        check(wire.readable(1), "the answer has stopped")


@pytest.mark.flags(*IDLE)
@pytest.mark.parametrize("before", params([
    ("at once", b""), ("behind an answer", PLAIN), ("behind several", PLAIN * 3), ("behind a body", post(b"/echo", b"x" * 100000)),
    ("behind chunks", chunked(b"/echo", chunk(b"hello") + LAST)),
]))
def test_an_idle_connection(server, before):
    """Closed, and nothing is said."""
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(before)
        for _ in range(before.count(b"HTTP/1.1")):
            equal(wire.answer().status, 200, "status")
        wire.closed()
        check_took(begin)


@pytest.mark.flags(*IDLE)
def test_a_connection_that_is_used(server):
    """The time begins anew with each request."""
    with server.connect() as wire:
        for _ in range(8):
            wire.kept()
            pause(0.15)
        wire.closed()


# Longer than every timeout
WAITS = [
    ("delay", get(b"/delay/1s")), ("block", get(b"/block/1s")), ("echo", post(b"/echo?delay=1s", b"hello")),
    ("drip", get(b"/drip?numbytes=2&duration=2s")), ("compute", get(b"/compute/300000000")),
    ("delay with more behind", get(b"/delay/1s") + PLAIN), ("delay after others", PLAIN + get(b"/delay/1s")),
]


@pytest.mark.flags(*ALL)
@pytest.mark.parametrize("data", params(WAITS))
def test_no_time_counts_while_a_handler_waits_or_works(server, data):
    with server.connect() as wire:
        wire.send(data)
        for _ in range(data.count(b"HTTP/1.1")):
            answer = wire.answer()
            equal((answer.status, answer.complete), (200, True), "status")
        begin = time.monotonic()
        wire.closed()
        check_took(begin, 0.2)


def test_a_stall_is_nobody_s_fault(start):
    """What came in time, while a loop was busy, is in time."""
    server = start("--loops", "1", "--header-timeout", "500ms", "--body-timeout", "500ms")
    with server.connect() as head, server.connect() as body, server.connect() as busy:
        head.send(PLAIN[:20])
        body.send(post(b"/echo", b"hello")[:-2])
        head.silent(0.1)
        busy.send(get(b"/block/1500ms"))
        pause(0.1)
        head.send(PLAIN[20:])
        body.send(b"lo")
        equal(head.answer().status, 200, "status")
        equal(body.answer().body, b"hello", "body")
        equal(busy.answer().status, 200, "status")


@pytest.mark.parametrize("data", params([("full", PLAIN), ("silent", b"")]))
def test_who_is_refused_has_little_time(start, data):
    """A full server waits 2 s or so for a request that it will refuse; then it says so without one."""
    server = start("--max-connections", "1")
    with server.connect() as served, server.connect() as refused:
        served.kept()
        begin = time.monotonic()
        refused.send(data)
        equal(refused.answer().status, 503, "status")
        refused.closed()
        check(time.monotonic() - begin < patience(5), "a refused connection stays open")
