# SPDX-License-Identifier: MIT
"""The limits a request may reach and may not pass, and a budget for buffers that is as small as can be."""

import contextlib
import re
import signal

import pytest

from support.answer import check_problem
from support.checks import at_most, check, equal, until
from support.corpus import LAST, PLAIN, chunk, chunked, get, post, request
from support.metrics import is_released
from support.rows import params
from support.server import many

SMALL = ("--max-header-size", "1k", "--max-body-size", "4k")
KIB, MIB = 1 << 10, 1 << 20


def of_length(length, head, fill):
    """The head with so much put in for %s that it is that long."""
    return head % (fill * (length - len(head) + 2))


FIELD = b"GET /plaintext HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n"
TARGET = b"GET /plaintext?%s HTTP/1.1\r\nHost: x\r\n\r\n"
LINE = b"GET /plaintext?%s HTTP/1.1\r\n"
MANY = b"GET /plaintext HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 150 + b"Y: %s\r\n\r\n"
TRAILERS = b"0\r\nX: %s\r\n\r\n"


def with_trailers(length):
    return chunked(b"/echo", chunk(b"a") + of_length(length, TRAILERS, b"y"))


# name, request, status
HEADS = [
    ("a field up to the limit", of_length(1024, FIELD, b"y"), 200), ("a field past the limit", of_length(1025, FIELD, b"y"), 431),
    ("a field far past the limit", of_length(9000, FIELD, b"y"), 431),
    ("fields up to the limit", of_length(1024, MANY, b"y"), 200), ("fields past the limit", of_length(1025, MANY, b"y"), 431),
    ("a target up to the limit", of_length(1024, TARGET, b"y"), 200), ("a target, then a field past it", of_length(1025, TARGET, b"y"), 431),
    ("a line past the limit", of_length(1025, LINE, b"y") + b"Host: x\r\n\r\n", 414),
    ("a line far past the limit", of_length(5000, LINE, b"y") + b"Host: x\r\n\r\n", 414),
    ("a line that never ends", b"GET /" + b"y" * 2000, 414), ("a field that never ends", PLAIN[:-2] + b"X: " + b"y" * 2000, 431),
    ("empty lines do not count", b"\r\n" * 8 + of_length(1024, FIELD, b"y"), 200),
    ("a body does not count", post(b"/echo", b"x" * 4000), 200),
    ("short trailers", with_trailers(500), 200), ("trailers past the limit", with_trailers(1100), 431),
]


def check_taken_or_refused(server, raw, status):
    with server.connect() as wire:
        wire.send_what_goes(raw)
        if status == 200:
            equal(wire.answer().status, 200, "status")
            wire.kept()
        else:
            wire.problem(status)


@pytest.mark.flags(*SMALL)
@pytest.mark.parametrize("raw, status", params(HEADS))
def test_heads(server, raw, status):
    check_taken_or_refused(server, raw, status)


@pytest.mark.flags(*SMALL)
def test_the_limit_is_the_same_however_the_head_is_split(server):
    for raw, status in ((of_length(1024, FIELD, b"y"), 200), (of_length(1025, FIELD, b"y"), 431),
                        (of_length(1025, LINE, b"y") + b"Host: x\r\n\r\n", 414)):
        for pieces in (1, 7, 400):
            with server.connect() as wire:
                wire.send_what_goes(*(raw[at:at + pieces] for at in range(0, len(raw), pieces)))
                equal(wire.answer().status, status, f"status in pieces of {pieces}")


@pytest.mark.flags("--max-header-size", "1m")
def test_a_large_head_where_it_is_allowed(server):
    with server.connect() as wire:
        wire.send(get(b"/headers", b"X: " + b"y" * 900000 + b"\r\n"))
        equal(len(wire.answer().json()["headers"]["X"][0]), 900000, "length")
        wire.kept()


# name, request, status
BODIES = [
    ("up to the limit", post(b"/echo", b"x" * 4096), 200), ("past the limit", post(b"/echo", b"x" * 4097), 413),
    ("past the limit, nothing of it sent", post(b"/echo", b"x" * 4097)[:-4097], 413),
    ("far past the limit", post(b"/echo", b"")[:-5] + b"9999999999999\r\n\r\n", 413),
    ("a chunk up to the limit", chunked(b"/echo", chunk(b"x" * 4096) + LAST), 200),
    ("a chunk past the limit", chunked(b"/echo", chunk(b"x" * 4097) + LAST), 413),
    ("the size of a chunk past the limit", chunked(b"/echo", b"1001\r\n"), 413),
    ("chunks up to the limit", chunked(b"/echo", chunk(b"x" * 1024) * 4 + LAST), 200),
    ("chunks past the limit", chunked(b"/echo", chunk(b"x" * 1024) * 4 + chunk(b"x") + LAST), 413),
    ("anything up to the limit", post(b"/anything", b"x" * 4096), 200), ("anything past the limit", post(b"/anything", b"x" * 4097), 413),
    ("expect, past the limit", post(b"/echo", b"x" * 4097, b"Expect: 100-continue\r\n")[:-4097], 413),
]


@pytest.mark.flags(*SMALL)
@pytest.mark.parametrize("raw, status", params(BODIES))
def test_bodies(server, raw, status):
    check_taken_or_refused(server, raw, status)


@pytest.mark.flags("--max-body-size", "96k")
@pytest.mark.parametrize("raw", params([
    ("Content-Length", post(b"/echo", b"x" * 99000)), ("chunks", chunked(b"/echo", chunk(b"x" * 9900) * 10 + LAST)),
]))
def test_past_the_limit_when_the_answer_has_begun(server, raw):
    """Known from the head it is refused; else the answer ends short, without a second status line."""
    with server.connect() as wire:
        wire.send_what_goes(raw)
        if raw.startswith(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length"):
            wire.problem(413)
        else:
            answer = wire.answer(cut=True)
            equal((answer.status, answer.complete), (200, False), "status, and whether it is complete")
            check(wire.at_end(), "more came")


@pytest.mark.flags("--max-body-size", "0")
@pytest.mark.parametrize("raw, status", params([
    ("none", get(b"/echo"), 200), ("of nothing", post(b"/echo", b""), 200), ("no chunk", chunked(b"/echo", LAST), 200),
    ("a byte", post(b"/echo", b"x"), 413), ("a chunk", chunked(b"/echo", chunk(b"x") + LAST), 413),
]))
def test_no_body_at_all(server, raw, status):
    with server.connect() as wire:
        wire.send_what_goes(raw)
        answer = wire.answer()
        equal(answer.status, status, "status")


# name, the chunks, status: 64 KiB and a quarter of the body for framing, 4 KiB for a line
FRAMING = [
    ("many small ones", chunk(b"x") * 13000, 200), ("too many small ones", chunk(b"x") * 14500, 400),
    ("many with extensions", chunk(b"x" * 100, b";" + b"e" * 90) * 800, 200),
    ("too many with extensions", chunk(b"x" * 100, b";" + b"e" * 190) * 800, 400),
    ("a long line", chunk(b"x", b";" + b"e" * 4000), 200), ("too long a line", chunk(b"x", b";" + b"e" * 4100), 400),
    ("many zeros", b"0" * 4000 + b"1\r\nx\r\n", 200), ("too many zeros", b"0" * 4100 + b"1\r\nx\r\n", 400),
    ("a last chunk of zeros", chunk(b"x") + b"0" * 4000 + b"\r\n\r\n", None),
]


@pytest.mark.parametrize("data, status", params(FRAMING))
def test_framing(server, data, status):
    with server.connect() as wire:
        wire.send_what_goes(chunked(b"/anything", data + (LAST if status else b"")))
        if status == 400:
            wire.problem(400)
        else:
            equal(wire.answer().status, 200, "status")
            wire.kept()


def test_a_large_body_may_have_much_framing(server):
    """The quarter of what has come counts."""
    with server.connect() as wire:
        wire.send(chunked(b"/anything", (chunk(b"x" * 40) + chunk(b"x" * 60)) * 10000 + LAST))
        equal(len(wire.answer().json()["body"]), 1000000, "length")
        wire.kept()


@pytest.mark.parametrize("count, status", params([("eight before each", 8, 200), ("nine before the second", 9, 400)]))
def test_empty_lines(server, count, status):
    with server.connect() as wire:
        wire.send_what_goes(b"\r\n" * 8 + PLAIN + b"\r\n" * count + PLAIN)
        equal(wire.answer().status, 200, "status")
        if status == 200:
            equal(wire.answer().status, 200, "status")
            wire.kept()
        else:
            wire.problem(400)


# A budget that is as small as can be

BUDGET = ("--max-buffer-memory", "64k")


def held_says(answer):
    """Bytes held for clients, those of this page as well."""
    return int(re.search(rb"\nechod_buffer_bytes{.*} (\d+)", answer.body)[1])


def until_nothing_is_held(server):
    """No more than the page needs that tells it, and by nobody who may still take some."""
    until(lambda: is_released(server), "nothing is held")


@pytest.mark.flags(*BUDGET + ("--max-header-size", "256k"))
@pytest.mark.parametrize("raw", params([
    ("anything", post(b"/anything", b"x" * 300000)), ("a large head", get(b"/headers", b"X: " + b"y" * 200000 + b"\r\n")),
]))
def test_what_must_be_held_whole_is_refused(server, raw):
    with server.connect() as wire:
        wire.send_what_goes(raw)
        answer = wire.answer()
        check_problem(answer, 503)
        check(answer.closes, f"no Connection: close in {answer}")
        wire.closed()
    until_nothing_is_held(server)
    with server.connect() as wire:
        wire.kept()


@pytest.mark.flags("--max-buffer-memory", "160k")
@pytest.mark.parametrize("in_chunks", params([("Content-Length", False), ("chunks", True)]))
def test_what_streams_needs_little(server, in_chunks):
    """An echo of 4 MiB passes through, read as it is written; its first 64 KiB are held until it begins."""
    body = bytes(range(256)) * 256
    with server.connect() as wire:
        raw = chunked(b"/echo", b"") if in_chunks else post(b"/echo", b"").replace(b"Length: 0", b"Length: %d" % (64 * len(body)))
        wire.send(raw)
        got = b""
        for number in range(64):
            wire.send(chunk(body) if in_chunks else body)
            if number == 0:
                wire.through(b"\r\n\r\n")
            if in_chunks:
                equal(wire.through(b"\r\n"), b"10000\r\n", "the size of a chunk")
            got = wire.exactly(len(body) + (2 if in_chunks else 0))
            check(got.startswith(body), f"piece {number} differs")
        if in_chunks:
            wire.send(LAST)
            equal(wire.through(b"\r\n\r\n"), LAST, "the last chunk")
        wire.kept()
    until_nothing_is_held(server)


@pytest.mark.flags(*BUDGET)
def test_requests_behind_waits(server):
    """Each connection has been used, and has more behind a request that waits than there is memory for: all of it is answered, or a 503
    says that it is not. Nobody is cut off."""
    behind = PLAIN * (4 * KIB // len(PLAIN))
    with many(server, 12, seconds=20) as wires:
        for wire in wires:
            wire.kept()
        for wire in wires:
            wire.send_what_goes(get(b"/delay/1s") + PLAIN, behind)
        for wire in wires:
            wire.finish()
            statuses = [answer.status for answer in wire.answers()]
            equal(wire.ended, "fin", "the end of the connection")
            check(statuses and set(statuses[:-1]) <= {200} and statuses[-1] in (200, 503), f"answered with {statuses}")
            check(statuses[-1] == 503 or len(statuses) == 2 + behind.count(b"GET"), f"{len(statuses)} answers, and no 503")
    until_nothing_is_held(server)


@pytest.mark.flags("--max-buffer-memory", "1m")
def test_back_pressure(server):
    """A client that writes and does not read: little is taken. Others are served, or told that there is no room."""
    with server.connect(receive_buffer=4096) as wire:
        wire.send(post(b"/echo", b"").replace(b"Length: 0", b"Length: 60000000"))
        check(wire.send_until_stuck(b"x" * (40 * MIB), 0.2) < 40 * MIB, "all was taken")
        for _ in range(20):
            equal(server.ask(PLAIN).status, 200, "status")
        with server.connect() as other:
            other.send_what_goes(post(b"/anything", b"x" * 300000))
            other.problem(503)
        answer = server.ask(get(b"/metrics"))
        if answer.status == 200:
            at_most(held_says(answer), MIB * 17 // 16, "bytes held")
        else:
            check_problem(answer, 503)
        wire.reset()
    until_nothing_is_held(server)


@pytest.mark.flags(*BUDGET)
@pytest.mark.parametrize("raw, count", params([
    ("pipelined", PLAIN * 40000, 1), ("answers of some size", get(b"/bytes/30000") * 2000, 1), ("half heads", PLAIN[:-2], 60),
    ("half bodies", post(b"/anything", b"x" * 20000)[:-1], 30), ("delays with requests behind", get(b"/delay/9s") + PLAIN * 50, 30),
    ("half heads of some size", get(b"/plaintext", b"X: " + b"y" * 15000 + b"\r\n")[:-2], 30),
]))
def test_nobody_passes_the_budget(server, raw, count):
    """However many ask for however much; who gets no room is told, or waits; then there is room again."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.connect(receive_buffer=4096)) for _ in range(count)]
        for wire in wires:
            wire.send_until_stuck(raw, 0.05)
        with server.connect() as probe:
            probe.send(get(b"/metrics"))
            answer = probe.answer()
            if answer.status == 200:
                at_most(held_says(answer), 64 * KIB * 17 // 16 + 4 * KIB, "bytes held")
            else:
                check_problem(answer, 503)
        for wire in wires:
            if wire.readable(0):
                answer = wire.answer(cut=True)
                check(answer.status in (200, 503), f"got {answer}")
            wire.reset()
    until_nothing_is_held(server)
    with server.connect() as wire:
        equal(wire.ask(post(b"/anything", b"x" * 1000)).status, 200, "status")


def test_more_requests_at_once_than_can_be_kept(start):
    """Read when they are all there: what is behind the first waits in the socket, and it is answered. Also where the client has
    shown before that it sends much at once."""
    server = start(*BUDGET)
    with server.connect(receive_buffer=4096) as wire:
        equal(wire.ask(post(b"/echo", b"x" * 2000)).status, 200, "status")
        server.signal(signal.SIGSTOP)
        try:
            wire.send_until_stuck(get(b"/bytes/30000") * 2000, 0.2)
        finally:
            server.signal(signal.SIGCONT)
        for _ in range(10):
            answer = wire.answer()
            equal((answer.status, len(answer.body)), (200, 30000), "status and length")
        wire.reset()
    until_nothing_is_held(server)


def test_a_mebibyte_before_anything_is_read(server):
    """As long as the budget lasts."""
    with server.connect() as wire:
        data = request(b"POST", b"/echo", b"Content-Length: 1000000\r\n", b"x" * 1000000)
        wire.send(data)
        equal(len(wire.answer().body), 1000000, "length")
        count = 1000000 // len(PLAIN)
        wire.send(PLAIN * count)
        for _ in range(count):
            equal(wire.answer().body, b"Hello, World!", "body")
