# SPDX-License-Identifier: MIT
"""Operations of a ring that fail, are cancelled, move a few bytes or find no buffer, and rings that are too small: what system calls
are to the other modes (test_under_load.py, test_few_bytes.py). Whoever is hit loses the connection, or notices nothing."""

import collections
import contextlib
import errno
import os
import re
import resource
import signal
import time

import pytest

from support import settings
from support.checks import at_least, at_most, check, equal, pause
from support.corpus import PLAIN, get, post
from support.metrics import metrics
from support.rows import params
from support.server import many
from injection import attempt, check_recovered
from ring import ALARM, CANCEL, READABLE, RECEIVE, SEND, WAKEUP, WRITABLE, RingFaults
from test_under_load import BODY, REQUESTS, load

RINGS = settings.RINGS
BUFFERS = 16  # so few that those which are not given back are missed
FIRST_BUFFERS = 64  # of ring.h
ROUNDS = 3
SLOW_ROUNDS = 2  # in each of which one client takes longer than all of the others, and waits for room about 20 times
LONG_SIZE = 6000000  # more than the sockets take
LONG = get(b"/bytes/%d" % LONG_SIZE)
# Requests whose answers differ; a buffer holds little more than one of them.
PADDED = [get(b"/bytes/%d" % size, b"X-Pad: %s\r\n" % (b"x" * 3000)) for size in range(1, 9)]
MALFORMED = b"GET  / HTTP/1.1\r\n\r\n"


def start_with(start, mode, faults, *flags):
    return start("--loops", "2", *flags, mode=mode, **faults.options)


# Clients to whom every answer comes, whole and right, and none more


def expect(wire, body=b"Hello, World!"):
    answer = wire.answer()
    equal(answer.status, 200, "status")
    equal(answer.body, body, "the body")


def ask_alone(server):
    for request, body in REQUESTS:
        equal(attempt(server, request, body), 200, f"status of {request[:30]!r}")


def ask_in_turn(server):
    """Connections that are kept, with requests on all of them at once."""
    with many(server, 6, seconds=20) as wires:
        for request, body in REQUESTS:
            for wire in wires:
                wire.send(request)
            for wire in wires:
                expect(wire, body)
        for wire in wires:  # the last request asked for it
            wire.closed()


def ask_in_one_go(server):
    """Pipelined, with bytes behind a request that waits, and the client's end behind them."""
    with server.connect(seconds=20) as wire:
        wire.kept()
        wire.send(b"".join(request for request, _ in REQUESTS))
        wire.finish()
        for _, body in REQUESTS:
            expect(wire, body)
        wire.closed()


def expect_padded(wire):
    for size in range(1, len(PADDED) + 1):
        equal(len(wire.answer().body), size, "bytes of the body")


def ask_without_reading(server):
    """Each request in a segment of its own, while the answers before it are sent."""
    with server.connect(seconds=20) as wire:
        for _ in range(20):
            wire.send(*PADDED, PLAIN)
        for _ in range(20):
            expect_padded(wire)
            expect(wire)
        wire.kept()


def ask_slowly(server):
    """A client that does not read until its answers fill the sockets."""
    with server.connect(seconds=20, receive_buffer=4096) as wire:
        wire.send(LONG + PLAIN * 50 + LONG + PLAIN * 50)
        for _ in range(2):
            equal(len(wire.answer().body), LONG_SIZE, "bytes")
            for _ in range(50):
                expect(wire)
        wire.finish()
        wire.closed()


def ask_for_a_wait(server):
    with server.connect(seconds=20) as wire:
        for _ in range(5):
            began = time.monotonic()
            wire.send(get(b"/delay/30ms"))
            expect(wire)
            at_least(time.monotonic() - began, 0.03, "seconds of the wait")


def be_refused(server):
    with server.connect(seconds=20) as wire:
        wire.kept()
        wire.send(MALFORMED)
        wire.problem(400)


def ask_everything(server):
    for number in range(ROUNDS):
        for ask in (ask_alone, ask_in_turn, ask_in_one_go, ask_without_reading, ask_for_a_wait, be_refused):
            ask(server)
        if number < SLOW_ROUNDS:
            ask_slowly(server)


def drain(server):
    """Idle connections are closed, and the request that waits is answered."""
    with many(server, 4) as idle, server.connect(seconds=20) as busy:
        for wire in idle:
            wire.kept()
        busy.kept()
        busy.send(get(b"/delay/300ms"))
        server.signal(signal.SIGTERM)
        answer = busy.answer()
        check(answer.status == 200 and answer.closes, f"got {answer}")
        busy.closed()
        for wire in idle:
            wire.closed()
    equal(server.wait(0), "", "stderr")


# The tables

# operations, whether they fail late, the errors
UNNOTICED = [
    ("a receive", RECEIVE, 0, "ENOBUFS ECANCELED EINTR EAGAIN"),
    ("a receive that went on", RECEIVE, 1, "ENOBUFS ECANCELED EINTR EAGAIN"),
    ("a send", SEND, 0, "EAGAIN EINTR"),
    ("a wait for bytes", READABLE, 0, "ECANCELED EINTR ENOMEM EAGAIN"),
    ("a wait for room", WRITABLE, 0, "ECANCELED EINTR ENOMEM EAGAIN"),
    ("an alarm", ALARM, 0, "ECANCELED EINTR ENOMEM"),
    ("the watch", WAKEUP, 0, "ECANCELED ENOMEM"),
    ("the watch that went on", WAKEUP, 1, "ECANCELED ENOMEM"),
    ("a cancel", CANCEL, 1, "ENOENT EALREADY ENOMEM"),
    ("every operation", RECEIVE | SEND | READABLE | WRITABLE | ALARM, 0, "EINTR EAGAIN"),
]
NOTICED = [
    ("a receive", RECEIVE, 0, "ECONNRESET ENOMEM EBADF ETIMEDOUT EPIPE"),
    ("a receive that went on", RECEIVE, 1, "ECONNRESET ENOMEM"),
    ("a send", SEND, 0, "ECONNRESET EPIPE ENOBUFS ENOMEM EBADF"),
]


def rows(table):
    return params([(f"{mode}-{name} {error}", mode, {"operations": operations, "late": late, "result": -getattr(errno, error)})
                   for mode in RINGS for name, operations, late, errors in table for error in errors.split()])


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode, what", rows(UNNOTICED))
def test_nobody_notices(start, folder, mode, what):
    """The operation takes place later, by itself or as a call; also while the server drains."""
    faults = RingFaults(folder, buffers=BUFFERS, one_in=2, **what)
    server = start_with(start, mode, faults)
    ask_everything(server)
    at_least(faults.get("hits"), 2 if what["operations"] == WAKEUP else 10, "operations that failed")  # a watch is asked for once
    drain(server)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode, what", rows(NOTICED))
def test_who_is_hit_loses_the_connection(start, folder, mode, what):
    """And nobody else; nothing of it is left."""
    faults = RingFaults(folder, buffers=BUFFERS, one_in=4, **what)
    server = start_with(start, mode, faults)
    served = load(server)
    faults.end()
    at_least(faults.get("hits"), 3, "operations that failed")
    at_least(served, 6, "requests that were answered")
    equal(check_recovered(server), "", "stderr")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", RINGS)
@pytest.mark.parametrize("most", params([("one byte", 1), ("at most 100", 100)]))
def test_short_sends(start, folder, mode, most):
    """What was not sent follows, and nothing overtakes it."""
    faults = RingFaults(folder, buffers=BUFFERS, send_max=most)
    server = start_with(start, mode, faults)
    for _ in range(2):
        ask_everything(server)
    at_least(faults.get("hits"), 100, "sends that were short")
    drain(server)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", RINGS)
@pytest.mark.parametrize("what", params([
    ("short sends", {"send_max": 10}), ("no room", {"operations": SEND, "result": -errno.EAGAIN}),
    ("broken sends", {"operations": SEND, "result": -errno.ECONNRESET}),
]))
def test_what_was_sent_is_counted(start, folder, mode, what):
    """And no byte more, whether the rest is sent or not."""
    faults = RingFaults(folder, buffers=BUFFERS, one_in=2, **what)
    server = start("--loops", "1", mode=mode, **faults.options)
    received = 0
    for _ in range(20):
        with server.connect() as wire:
            wire.send(get(b"/plaintext", b"Connection: close\r\n"))
            while wire.fill():
                pass
            received += len(wire.received)
    faults.end()
    at_least(faults.get("hits"), 5, "sends that were changed")
    equal(metrics(server)["echod_sent_bytes_total"], received, "bytes that the server says it has sent")


# What an operation that fails leaves in the log

LOGGED = 60


def answered_and_logged(start, folder, mode, what):
    """The numbers of the requests that were answered, and of those that have a line."""
    faults, log = RingFaults(folder, buffers=BUFFERS, one_in=4, **what), os.path.join(folder, "log")
    server = start_with(start, mode, faults, "--access-log", log)
    answered = set()
    for first in range(0, LOGGED, 3):
        with server.connect() as wire, contextlib.suppress(OSError):
            for number in range(first, first + 3):
                wire.send(get(b"/plaintext?n=%d" % number))
                if wire.at_end():
                    break
                expect(wire)
                answered.add(number)
    faults.end()
    server.stop()
    with open(log) as file:
        logged = collections.Counter(map(int, re.findall(r'"GET /plaintext\?n=(\d+) HTTP/1.1" 200 13 ', file.read())))
    equal(set(logged.values()), {1}, "lines of each request")
    return answered, set(logged)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode, what", rows([row for row in UNNOTICED if row[1] in (RECEIVE, SEND)]))
def test_each_request_has_its_line(start, folder, mode, what):
    answered, logged = answered_and_logged(start, folder, mode, what)
    equal(answered, set(range(LOGGED)), "requests that were answered")
    equal(logged, answered, "requests with a line")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode, what", rows(NOTICED))
def test_a_lost_answer_has_its_line(start, folder, mode, what):
    """It was written, but could not be sent: as in every other mode. What has not come has no line."""
    answered, logged = answered_and_logged(start, folder, mode, what)
    check(len(answered) < LOGGED, "nobody has lost the connection")
    check(answered <= logged, f"without a line: {answered - logged}")
    check((answered < logged) == (what["operations"] == SEND), f"a line without an answer: {logged - answered}")


# Rings that are too small


def send_at_once(server, wires, request):
    """All of it has come when the server looks."""
    server.signal(signal.SIGSTOP)
    for wire in wires:
        wire.send(request)
    server.signal(signal.SIGCONT)


def serve_crowd(server, count, request, body):
    with many(server, count, seconds=30) as wires:
        for wire in wires:
            wire.kept()
        for _ in range(ROUNDS):
            send_at_once(server, wires, request)
            for wire in wires:
                expect(wire, body)
        send_at_once(server, wires, request)
        for wire in wires[::2]:
            wire.reset()
        for wire in wires[1::2]:
            expect(wire, body)
            wire.kept()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", RINGS)
def test_no_buffer_is_left(start, folder, mode):
    faults = RingFaults(folder, buffers=2)
    server = start_with(start, mode, faults)
    serve_crowd(server, 60, post(b"/echo", BODY * 2), BODY * 2)
    ask_everything(server)
    at_least(faults.get("without_buffer"), 10, "receives that found no buffer")
    check_recovered(server)


def allow_descriptors(count):
    """For this process and the servers it starts from now on."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count:
        pytest.skip(f"{count} descriptors are needed, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", RINGS)
def test_more_are_ready_than_there_are_buffers(start, folder, mode):
    """Those that find none ask again when there are some: hardly anybody finds none twice."""
    count = 1500
    allow_descriptors(2 * count)
    faults = RingFaults(folder)
    server = start("--loops", "1", mode=mode, **faults.options)
    with many(server, count, seconds=30) as wires:
        for wire in wires:
            wire.kept()
        before = faults.get("without_buffer")
        send_at_once(server, wires, PLAIN)
        for wire in wires:
            expect(wire)
        at_most(faults.get("without_buffer") - before, count - FIRST_BUFFERS + 50, "receives that found no buffer")
    check_recovered(server)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", RINGS)
def test_no_memory_for_what_comes_early(start, mode):
    """Requests behind answers that are being sent, and behind one that waits: each is answered, or a 503 is the last answer."""
    server = start("--loops", "1", "--max-buffer-memory", "64k", mode=mode)
    for _ in range(ROUNDS):
        with many(server, 20, seconds=20) as wires:
            send_at_once(server, wires, PLAIN)
            for wire in wires:
                expect(wire)
            send_at_once(server, wires, PLAIN + get(b"/delay/300ms") + PLAIN * 200)
            for wire in wires:
                statuses = []
                while len(statuses) < 202 and not wire.at_end():
                    statuses.append(wire.answer().status)
                check(statuses and set(statuses[:-1]) <= {200} and statuses[-1] in (200, 503), f"answered with {statuses}")
                check(len(statuses) == 202 or statuses[-1] == 503, f"{len(statuses)} answers, and no 503")
    check_recovered(server)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", RINGS)
@pytest.mark.parametrize("sizes", params([
    ("few submissions", {"entries": 2}), ("few completions", {"entries": 4, "completions": 4}),
    ("few of all", {"entries": 2, "completions": 2, "buffers": 2}),
    ("few completions, sends fail", {"entries": 4, "completions": 4, "operations": SEND, "result": -errno.EAGAIN, "one_in": 2}),
    ("no room for submissions", {"entries": 2, "submit": -errno.EAGAIN}),
    ("no room for submissions, sends fail", {"entries": 2, "submit": -errno.EAGAIN, "operations": SEND, "result": -errno.EAGAIN}),
    ("room for submissions now and then, sends fail",
     {"entries": 2, "submit": -errno.EAGAIN, "operations": SEND, "result": -errno.EAGAIN, "one_in": 2}),
    ("no room for submissions, the watch ends", {"entries": 2, "submit": -errno.EAGAIN, "operations": WAKEUP, "late": 1, "result": -errno.ECANCELED}),
    ("few completions, short sends", {"entries": 4, "completions": 4, "send_max": 50}),
]))
def test_small_rings(start, folder, mode, sizes):
    """More is submitted, or completes, in a turn than there is room for."""
    faults = RingFaults(folder, **{"one_in": 1, **sizes})
    server = start("--loops", "1", mode=mode, **faults.options)
    for request, body in ((PLAIN, b"Hello, World!"), (PLAIN.replace(b"plaintext", b"delay/20ms"), b"Hello, World!"), (post(b"/echo", BODY), BODY)):
        serve_crowd(server, 100, request, body)
    ask_everything(server)
    if "completions" in sizes:
        at_least(faults.get("overflows"), 10, "calls after which completions had no room")
    drain(server)


# The system call


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", RINGS)
@pytest.mark.parametrize("error, text", params([
    ("for good", errno.EAGAIN, "io_uring_enter: Resource temporarily unavailable"),
    ("completions are lost", errno.EBADR, "io_uring_enter: completions were lost for want of memory"),
]))
def test_the_ring_cannot_go_on(start, folder, mode, error, text):
    """Status 1, and a line that says why."""
    faults = RingFaults(folder)
    server = start("--loops", "1", mode=mode, **faults.options)
    with server.connect() as wire:
        wire.kept()
        faults.set(enter=-error)
        wire.send(PLAIN)  # so that a call returns
        equal(server.wait(1), f"echod: cannot continue: {text}\n", "stderr")
        check(wire.at_end() or wire.answer().status == 200, "an answer")


@pytest.mark.timeout(60)
@pytest.mark.parametrize("mode", RINGS)
@pytest.mark.parametrize("error", params([(name, getattr(errno, name)) for name in ("EAGAIN", "EBUSY", "ENOMEM")]))
def test_the_call_fails_for_a_while(start, folder, mode, error):
    """Whoever asks meanwhile is answered then, in order, even if the sends that waited for the call fail."""
    faults = RingFaults(folder, buffers=BUFFERS, operations=SEND, result=-errno.EAGAIN, one_in=2)
    server = start_with(start, mode, faults)
    with many(server, 20) as wires:
        for wire in wires:
            wire.kept()
        for _ in range(ROUNDS):
            faults.set(enter=-error)
            for wire in wires:
                wire.send(b"".join(PADDED))
            pause(0.1)
            check(not any(wire.readable(0) for wire in wires), "answered without a call")
            faults.set(enter=0)
            for wire in wires:
                expect_padded(wire)
    ask_everything(server)
    drain(server)
