# SPDX-License-Identifier: MIT
"""/echo: the body back byte for byte, framed as it came, and the answer shaped as the query or the fields say."""

import contextlib
import os
import signal
import threading

import pytest

from support.answer import check_problem
from support.checks import check, equal
from support.corpus import LAST, METHODS, PLAIN, chunk, chunked, get, post, request
from support.rows import params
from support.wire import Wire

EVERY_BYTE = bytes(range(256))


def test_any_method(server):
    with server.connect() as wire:
        for method in METHODS:
            answer = wire.ask(request(method, b"/echo", b"Content-Length: 256\r\n", EVERY_BYTE))
            equal((answer.status, answer.body), (200, EVERY_BYTE), f"answer to {method.decode()}")
            equal(answer.get("Content-Length"), "256", "Content-Length")
            equal(answer.get("Content-Type"), "application/octet-stream", "Content-Type")
            equal(answer.get("X-Content-Type-Options"), "nosniff", "X-Content-Type-Options")
            equal(answer.get("Content-Security-Policy"), "sandbox", "Content-Security-Policy")
        wire.kept()


@pytest.mark.parametrize("value", (
    b"text/html; charset=utf-8", b"multipart/form-data; boundary=\"a b\"", b"x", b"application/problem+json"), ids=bytes.decode)
def test_the_content_type_comes_back(server, value):
    answer = server.ask(post(b"/echo", b"<b>", b"Content-Type: " + value + b"\r\n"))
    equal((answer.get("Content-Type"), answer.body), (value.decode(), b"<b>"), "answer")


def test_nothing_to_echo(server):
    with server.connect() as wire:
        answer = wire.ask(get(b"/echo"))
        equal((answer.status, answer.get("Content-Length"), answer.body), (200, "0", b""), "answer")
        answer = wire.ask(chunked(b"/echo", LAST))
        equal((answer.chunks, answer.body), ([], b""), "answer to no chunk")
        wire.kept()


@pytest.mark.parametrize("sizes", params([
    ("two", [5, 7]), ("one byte each", [1] * 300), ("growing", list(range(1, 400))), ("one large", [100000]),
    ("at the streaming limit", [65535, 1, 65536, 2]), ("many large", [70000] * 20), ("large and small", [1, 300000, 1, 1]),
]))
def test_chunk_for_chunk(server, sizes):
    data = EVERY_BYTE * (max(sizes) // 256 + 1)
    with server.connect() as wire:
        wire.send(chunked(b"/echo", b"".join(chunk(data[:size]) for size in sizes) + LAST))
        answer = wire.answer()
        equal(answer.chunks, sizes, "sizes of the chunks")
        equal(answer.body, b"".join(data[:size] for size in sizes), "body")
        wire.kept()


def test_a_chunk_comes_back_whole_however_slowly_it_came(server):
    body = EVERY_BYTE * 500
    raw = chunked(b"/echo", chunk(body[:100000]) + chunk(body[:28000]) + LAST)
    with server.connect() as wire:
        for begin in range(0, len(raw), 7000):
            wire.send(raw[begin:begin + 7000])
        answer = wire.answer()
        equal(answer.chunks, [100000, 28000], "sizes of the chunks")


def test_extensions_and_trailers_are_not_echoed(server):
    with server.connect() as wire:
        answer = wire.ask(chunked(b"/echo", chunk(b"abc", b";name=value") + b"0;last\r\nX-T: secret\r\n\r\n"))
        equal((answer.chunks, answer.body, answer.trailers), ([3], b"abc", b""), "answer")
        wire.kept()


# name, query, fields, status, fields that must be in the answer
SHAPED = [
    ("status", b"?status=503", b"", 503, []),
    ("status 200", b"?status=200", b"", 200, []),
    ("status 599", b"?status=599", b"", 599, []),
    ("status in a field", b"", b"X-Echo-Status: 418\r\n", 418, []),
    ("the query wins", b"?status=201", b"X-Echo-Status: 418\r\n", 201, []),
    ("a field's name in any case", b"", b"x-eCHO-sTATUS: 418\r\n", 418, []),
    ("header", b"?header=X-A:b", b"", 200, [("x-a", "b")]),
    ("header, blank behind the colon", b"?header=X-A:%20b", b"", 200, [("x-a", "b")]),
    ("headers", b"?header=X-A:b&header=X-A:c&header=X-D:e", b"", 200, [("x-a", "b"), ("x-a", "c"), ("x-d", "e")]),
    ("header in a field", b"", b"X-Echo-Header: X-A: b\r\n", 200, [("x-a", "b")]),
    ("headers in fields", b"", b"X-Echo-Header: X-A: b\r\nX-Echo-Header: X-C:d\r\n", 200, [("x-a", "b"), ("x-c", "d")]),
    ("a plus is a plus", b"?header=X-A:b+c", b"", 200, [("x-a", "b+c")]),
    ("percent decoded", b"?header=X-A%3Ab%26%3D%2b", b"", 200, [("x-a", "b&=+")]),
    ("percent decoded once", b"?header=X-A:%2541", b"", 200, [("x-a", "%41")]),
    ("an equals sign in a value", b"?header=X-A:b=c", b"", 200, [("x-a", "b=c")]),
    ("a colon in a value", b"?header=X-A:b:c", b"", 200, [("x-a", "b:c")]),
    ("all at once", b"?status=404&header=X-A:b&header=Location:/x", b"", 404, [("x-a", "b"), ("location", "/x")]),
    ("what is not known is ignored", b"?foo=bar&&x&=y", b"", 200, []),
]


@pytest.mark.parametrize("query, fields, status, wanted", params(SHAPED))
def test_shaped(server, query, fields, status, wanted):
    with server.connect() as wire:
        answer = wire.ask(post(b"/echo/x" + query, b"hello", fields))
        equal((answer.status, answer.body), (status, b"hello"), "answer")
        names = {name for name, _ in wanted}
        equal([(name, value) for name, value in answer.names if name in names], wanted, "fields")
        check(not answer.closes, "closes")
        wire.kept()


@pytest.mark.parametrize("query, fields", params([
    ("query", b"?close=true", b""), ("field", b"", b"X-Echo-Close: true\r\n"), ("with a status", b"?close=true&status=500", b""),
]))
def test_close_when_asked(server, query, fields):
    with server.connect() as wire:
        wire.send(post(b"/echo" + query, b"hello", fields) + get(b"/plaintext"))
        answer = wire.answer()
        check(answer.closes and answer.body == b"hello", f"no Connection: close in {answer}")
        wire.closed()


FRAMERS = ("Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade", "TE", "Trailer", "Date", "Server")
NOT_ALLOWED = [(f"query {name}", b"?header=%s:1" % name.encode(), b"") for name in FRAMERS] + [
    (f"field {name}", b"", b"X-Echo-Header: %s: 1\r\n" % name.encode()) for name in FRAMERS] + [
    ("in lower case", b"?header=content-length:1", b""),
    ("percent encoded", b"?header=%43ontent%2DLength:1", b""),
    ("the second of two", b"?header=X-A:b&header=Server:x", b""),
    ("CR LF", b"?header=X-A:b%0d%0aSet-Cookie:x", b""), ("CR", b"?header=X-A:b%0dc", b""), ("LF", b"?header=X-A:b%0Ac", b""),
    ("NUL", b"?header=X-A:b%00c", b""), ("CR LF in the name", b"?header=X%0d%0aA:b", b""), ("LF at the end", b"?header=X-A:b%0a", b""),
    ("no colon", b"?header=X-A", b""), ("no name", b"?header=:b", b""), ("a name that is no token", b"?header=X%20A:b", b""),
    ("status too low", b"?status=199", b""), ("status too high", b"?status=600", b""), ("status 101", b"?status=101", b""),
    ("status of letters", b"?status=ok", b""), ("status of nothing", b"?status=", b""), ("status and more", b"?status=200x", b""),
    ("status in a field", b"", b"X-Echo-Status: 99\r\n"), ("close of another word", b"?close=maybe", b""),
    ("close in a field", b"", b"X-Echo-Close: maybe\r\n"),
]


@pytest.mark.parametrize("query, fields", params(NOT_ALLOWED))
def test_not_allowed(server, query, fields):
    with server.connect() as wire:
        answer = wire.ask(post(b"/echo" + query, b"hello", fields))
        check_problem(answer, 400)
        check("set-cookie" not in [name for name, _ in answer.names], f"injected: {answer.lines}")
        check(not answer.closes, f"closes although the request was read whole: {answer}")
        wire.kept()


@pytest.mark.parametrize("method, query, status, framing", params([
    ("HEAD", b"HEAD", b"", 200, ("5", None)), ("HEAD with a status", b"HEAD", b"?status=404", 404, ("5", None)),
    ("204", b"POST", b"?status=204", 204, (None, None)), ("205", b"POST", b"?status=205", 205, ("0", None)),
    ("304", b"POST", b"?status=304", 304, None),
]))
def test_no_body(server, method, query, status, framing):
    """HEAD, 204, 205 and 304 have none, whatever was sent."""
    with server.connect() as wire:
        answer = wire.ask(request(method, b"/echo" + query, b"Content-Length: 5\r\n", b"hello"))
        equal((answer.status, answer.body), (status, b""), "answer")
        if framing:
            equal((answer.get("Content-Length"), answer.get("Transfer-Encoding")), framing, "framing")
        wire.kept()
        answer = wire.ask(request(method, b"/echo" + query, b"Transfer-Encoding: chunked\r\n", chunk(b"hello") + LAST))
        equal((answer.status, answer.body), (status, b""), "answer to chunks")
        wire.kept()


@pytest.mark.parametrize("method, query, status", params([
    ("HEAD", b"HEAD", b"", 200), ("204", b"POST", b"?status=204", 204), ("205", b"POST", b"?status=205", 205), ("304", b"POST", b"?status=304", 304),
]))
def test_no_body_of_a_large_one(server, method, query, status):
    with server.connect() as wire:
        answer = wire.ask(request(method, b"/echo" + query, b"Content-Length: 300000\r\n", b"x" * 300000))
        equal((answer.status, answer.body), (status, b""), "answer")
        wire.kept()


def test_to_1_0(server):
    with server.connect() as wire:
        answer = wire.ask(post(b"/echo", EVERY_BYTE, version=b"1.0"))
        equal((answer.body, answer.get("Content-Length")), (EVERY_BYTE, "256"), "answer")
        wire.closed()


# Bodies that come in many pieces

LARGE = bytes(range(256)) * 4096
BEGUN = 200000  # bytes of it


@contextlib.contextmanager
def sent_meanwhile(wire, data):
    sender = threading.Thread(target=wire.send_what_goes, args=(data,), daemon=True)
    sender.start()
    yield
    sender.join()


def begin_large(wire):
    """Sends the head and the beginning of a large body, and reads the echo of as much."""
    message = post(b"/echo", LARGE)
    at = len(message) - len(LARGE) + BEGUN
    wire.send(message[:at])
    wire.through(b"\r\n\r\n")
    check(wire.exactly(BEGUN) == LARGE[:BEGUN], "other bytes at the beginning")
    return message[at:]


def test_large_bodies_and_small_requests_in_turn(server):
    with server.connect(seconds=20) as wire, sent_meanwhile(wire, (post(b"/echo", LARGE) + PLAIN * 3) * 3):
        for _ in range(3):
            check(wire.answer().body == LARGE, "another body")
            for _ in range(3):
                equal(wire.answer().body, b"Hello, World!", "body")
        wire.kept()


@pytest.mark.parametrize("size", (100, 400, 2000, 5000))
def test_many_pipelined_bodies(server, size):
    """Of which a buffer may hold many, a few, or a part."""
    bodies = [bytes([number % 256]) * size for number in range(300)]
    with server.connect(seconds=20) as wire, sent_meanwhile(wire, b"".join(post(b"/echo", body) for body in bodies)):
        for body in bodies:
            check(wire.answer().body == body, "another body")
        wire.kept()


def test_large_bodies_of_two_clients_at_once(start):
    """The server finds whole buffers of both: nobody gets what the other has sent."""
    server = start("--loops", "1")
    messages = [post(b"/echo", byte * len(LARGE)) for byte in (b"a", b"b")]
    with server.connect(seconds=20) as first, server.connect(seconds=20) as second:
        wires = (first, second)
        for buffers in (4, 10, 15):
            for wire in wires:
                wire.kept()
            server.signal(signal.SIGSTOP)
            for wire, message in zip(wires, messages):
                wire.send(message[:buffers * 4096])
            server.signal(signal.SIGCONT)
            with contextlib.ExitStack() as senders:
                for wire, message in zip(wires, messages):
                    senders.enter_context(sent_meanwhile(wire, message[buffers * 4096:]))
                for wire, message in zip(wires, messages):
                    check(wire.answer().body == message[-len(LARGE):], "another body")


def test_a_reset_behind_whole_buffers(start):
    server = start("--loops", "1")
    for buffers in (4, 10, 15):
        with server.connect() as wire:
            wire.kept()
            server.signal(signal.SIGSTOP)
            wire.send(post(b"/echo", LARGE)[:buffers * 4096])
            wire.reset()
            server.signal(signal.SIGCONT)
        equal(server.ask(PLAIN).status, 200, "status of another client")


def test_a_large_body_behind_answers_that_are_read_late(start):
    """The rest of these answers goes first."""
    server = start("--loops", "1")
    with server.connect(seconds=20, receive_buffer=4096) as wire, sent_meanwhile(wire, PLAIN * 5000 + post(b"/echo", LARGE) + PLAIN):
        for _ in range(5000):
            equal(wire.answer().body, b"Hello, World!", "body")
        check(wire.answer().body == LARGE, "another body")
        wire.kept()


@pytest.mark.parametrize("budget", ("64k", "1m", "16m"))
def test_large_bodies_in_little_memory(start, folder, budget):
    """The client reads as it sends, so that little has to be kept; over a unix socket, too."""
    path = os.path.join(folder, "socket")
    server = start("--max-buffer-memory", budget, "--listen", f"unix:{path}", lines=2)
    for address in (server.address, path):
        with Wire(address, seconds=20) as wire, sent_meanwhile(wire, post(b"/echo", LARGE)):
            answer = wire.answer()
            check(answer.body == LARGE if answer.status == 200 else (answer.status, budget) == (503, "64k"), f"another body, or {answer}")


def test_a_large_body_that_pauses(server):
    with server.connect(seconds=20) as wire:
        for _ in range(2):
            with sent_meanwhile(wire, begin_large(wire)):
                check(wire.exactly(len(LARGE) - BEGUN) == LARGE[BEGUN:], "other bytes behind the pause")
        wire.kept()


def test_the_end_within_a_large_body(server):
    with server.connect() as wire:
        begin_large(wire)
        wire.finish()
        check(wire.at_end(), "more than was sent")
    equal(server.ask(PLAIN).status, 200, "status of another client")


@pytest.mark.flags("--body-timeout", "400ms")
def test_silence_within_a_large_body(server):
    with server.connect() as wire:
        begin_large(wire)
        check(wire.at_end(), "more than was sent")


def test_a_drain_within_a_large_body(start):
    server = start()
    with server.connect(seconds=20) as wire:
        rest = begin_large(wire)
        server.signal(signal.SIGTERM)
        with sent_meanwhile(wire, rest):
            check(wire.exactly(len(rest)) == rest, "other bytes after the signal")
        wire.closed()
    equal(server.wait(0), "", "stderr")
