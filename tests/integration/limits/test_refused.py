# SPDX-License-Identifier: MIT
"""The table of refusals over real sockets: one answer, nothing behind it, and a close that lets it be read."""

import http.client
import os
import time

import pytest

from support import settings
from support.answer import check_problem, masked
from support.checks import at_least, check, equal, pause, until
from support.corpus import PLAIN, get, post
from support.refused import REFUSED
from support.rows import params

SHORT = [(name, data, status) for name, data, status in REFUSED if len(data) < 400]


@pytest.mark.parametrize("data, status", params(REFUSED))
def test_row(server, data, status):
    """The request hidden behind it is not answered."""
    with server.connect() as wire:
        wire.send_what_goes(data)
        wire.problem(status)


@pytest.mark.parametrize("data, status", params(REFUSED))
def test_behind_good_ones(server, data, status):
    with server.connect() as wire:
        wire.send_what_goes(PLAIN + post(b"/echo", b"hello") + data)
        equal([wire.answer().body for _ in range(2)], [b"Hello, World!", b"hello"], "the answers before")
        wire.problem(status)


def test_byte_by_byte(server):
    """The same answer as to the whole, for each of the short ones."""
    for name, data, status in SHORT:
        with server.connect() as whole, server.connect() as split:
            whole.send(data)
            split.send_what_goes(*(bytes((byte,)) for byte in data))
            wanted, got = whole.answer(), split.answer()
            equal(got.status, status, name)
            equal(masked(got), masked(wanted), f"the answer to single bytes of: {name}")
            split.closed()


@pytest.mark.parametrize("head", params([
    ("Content-Length", post(b"/echo", b"").replace(b"Length: 0", b"Length: 99999999999")),
    ("chunks", b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5000000\r\n"),
    ("a path that takes 1 MiB", post(b"/anything", b"").replace(b"Length: 0", b"Length: 2000000")),
]))
def test_the_error_can_be_read_while_the_body_is_still_being_sent(server, head):
    with server.connect() as wire:
        wire.send(head)
        check(wire.readable(wire.seconds), "no answer to the head")
        for _ in range(12):
            wire.send(b"x" * 65536)
        answer = wire.answer()
        check_problem(answer, 413)
        check(answer.closes, f"no Connection: close in {answer}")
        wire.closed()


def test_a_whole_body_before_the_error_is_read(server):
    """Most clients write all of it, then read."""
    with server.connect() as wire:
        wire.send(post(b"/anything", b"").replace(b"Length: 0", b"Length: 1048577") + b"x" * 1000000)
        wire.problem(413)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("message, status", params([
    ("an unknown method", b"NIX / HTTP/1.1\r\n\r\n", 501), ("no request line", b"nonsense\r\n\r\n", 400),
    ("another version", b"GET / HTTP/2.0\r\n\r\n", 505),
    ("an expectation", b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\nExpect: more\r\n\r\n", 417),
    ("a long line", b"GET /" + b"x" * 70000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
    ("a long head", b"GET / HTTP/1.1\r\nHost: a\r\nx: " + b"x" * 70000 + b"\r\n\r\n", 431),
    ("too much to echo", post(b"/echo", b"").replace(b"Length: 0", b"Length: 67108865"), 413),
    ("too much to hold", post(b"/anything", b"").replace(b"Length: 0", b"Length: 3145728"), 413),
]))
def test_however_much_comes_behind_an_answer_that_ends_a_connection_it_is_read(server, message, status):
    """A lingering close has no bound of bytes: a client that writes 64 MiB before it reads gets its answer, not a reset."""
    with server.connect() as wire:
        wire.send(message)
        for _ in range(64):
            wire.send(bytes(1 << 20))
        wire.problem(status)
        wire.finish()
        check(wire.at_end() and wire.ended == "fin", f"the connection ended with {wire.ended}")


@pytest.mark.timeout(90)
def test_the_same_on_a_unix_socket(start, folder):
    """The kernel copies there what is discarded."""
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", "--max-body-size", "1m", listen=False)
    for _ in range(3):
        with server.connect() as wire:
            wire.send(post(b"/echo", b"").replace(b"Length: 0", b"Length: 67108864"))
            for _ in range(64):
                wire.send(bytes(1 << 20))
            wire.problem(413)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("path, size", params([("an echo of 70 MB", "/echo", 70 << 20), ("3 MB to be held", "/anything", 3 << 20)]))
def test_a_client_that_writes_first_reads_why_its_upload_is_refused(server, path, size):
    """Python's http.client sends all of a body before it reads."""
    host, port = server.address[:2]
    body = bytes(size)
    for _ in range(20):
        client = http.client.HTTPConnection(host, port, timeout=settings.patience(20))
        client.request("POST", path, body=body)
        equal(client.getresponse().status, 413, "status")
        client.close()


@pytest.mark.timeout(90)
def test_behind_a_closing_answer_bytes_are_read_too(server):
    """The request asked for the close, and its client does not know yet."""
    with server.connect() as wire:
        wire.send(get(b"/echo?close=true"))
        for _ in range(16):
            wire.send(bytes(1 << 20))
        equal(wire.answer().status, 200, "status")
        wire.finish()
        check(wire.at_end() and wire.ended == "fin", f"the connection ended with {wire.ended}")


def test_a_full_server_reads_on_behind_its_refusal(start):
    server = start("--max-connections", "1")
    with server.connect() as kept, server.connect() as wire:
        kept.kept()
        wire.send(post(b"/echo", b"").replace(b"Length: 0", b"Length: 16777216"))
        for _ in range(16):
            wire.send(bytes(1 << 20))
        wire.problem(503)


def reads_on_behind(wire, status):
    """16 MiB more are sent before the answer is read."""
    for _ in range(16):
        wire.send(bytes(1 << 20))
    wire.problem(status)
    wire.finish()
    check(wire.at_end() and wire.ended == "fin", f"the connection ended with {wire.ended}")


@pytest.mark.parametrize("message", params([
    ("inside a head", b"GET / HTTP/1.1\r\nHost: "), ("inside a body", post(b"/anything", b"x" * 2000)[:-1000]),
]))
def test_behind_a_timeout_bytes_are_read_too(start, message):
    """They come when the client has been told that it is too late."""
    server = start("--header-timeout", "300ms", "--body-timeout", "300ms")
    with server.connect() as wire:
        wire.send(message)
        check(wire.readable(wire.seconds), "no answer")
        reads_on_behind(wire, 408)


def test_behind_a_refusal_for_want_of_buffers_bytes_are_read_too(start):
    """The request must be held whole, and the budget is smaller."""
    server = start("--max-buffer-memory", "64k")
    for _ in range(3):
        with server.connect() as wire:
            wire.send(post(b"/anything", bytes(1 << 20)))
            reads_on_behind(wire, 503)


@pytest.mark.modeless
def test_behind_a_refusal_of_a_full_pool_bytes_are_read_too(start):
    server = start("--workers", "1", "--queue", "1", mode="pool")
    with server.connect() as served:
        served.kept()
        served.send(post(b"/echo", b"hello")[:-1])  # the worker stays with it
        with server.connect() as waits, server.connect() as wire:
            waits.send(PLAIN)
            wire.send(post(b"/echo", b"").replace(b"Length: 0", b"Length: 67108864"))
            reads_on_behind(wire, 503)
            equal(served.ask(b"o", "POST").status, 200, "status of the one that is served")
            served.close()
            equal(waits.answer().status, 200, "status of the one that waits")


def test_a_lingering_connection_gives_its_place_to_a_new_one(start):
    """The one that has lingered longest, and it alone."""
    server = start("--max-connections", "2")
    with server.connect() as first, server.connect() as second:
        first.kept()
        second.kept()
        first.send(b"NIX / HTTP/1.1\r\n\r\n")
        first.problem(501)
        pause(0.3)
        second.send(b"NIX / HTTP/1.1\r\n\r\n")
        second.problem(501)
        pause(0.7)
        with server.connect() as third:
            third.send(PLAIN)
            equal(third.answer().status, 200, "status")
            until(lambda: first.was_reset(), "the older one is closed", 2)
            check(not second.was_reset(), "the younger one is closed")


def test_none_gives_way_before_half_a_second(start):
    """The new one waits for the place instead of being refused."""
    server = start("--max-connections", "1")
    with server.connect() as first:
        first.kept()
        begun = time.monotonic()
        first.send(b"NIX / HTTP/1.1\r\n\r\n")
        first.problem(501)
        with server.connect() as second:
            second.send(PLAIN)
            equal(second.answer().status, 200, "status")
            at_least(time.monotonic() - begun, 0.5, "seconds until it was served")


def connections(server):
    """Those that are open, but for the one that asks."""
    page = server.ask(get(b"/metrics")).body.decode()
    line = next(line for line in page.splitlines() if line.startswith("echod_connections_open{"))
    return int(line.split()[1]) - 1


@pytest.mark.slow
@pytest.mark.modeless
@pytest.mark.timeout(90)
def test_a_lingering_close_is_bounded(start):
    """A silent client is left after 2 s and the half second unread, one that goes on sending after 30 s and that."""
    servers = [start(mode=mode) for mode in settings.modes]
    begun, left = time.monotonic(), {}
    wires = []
    for server in servers:
        silent, busy = server.connect(), server.connect()
        for wire in (silent, busy):
            wire.send(b"NIX / HTTP/1.1\r\n\r\n")
            wire.problem(501)
        wires += [silent, busy]
        until(lambda server=server: connections(server) == 2, "two connections linger")
    while len(left) < 2 * len(servers):
        check(time.monotonic() - begun < settings.patience(45), f"still open: {[connections(item) for item in servers]}")
        for wire in wires[1::2]:
            wire.send_what_goes(b"x")
        pause(0.1)
        for server in servers:
            for count in range(connections(server), 2):
                left.setdefault((server.mode, count), time.monotonic() - begun)
    for (mode, count), seconds in left.items():
        low, high = (2.4, 8) if count else (30.4, 38)
        check(low < seconds < high, f"[{mode}] {'a silent' if count else 'a sending'} client was left after {seconds:.1f} s")
    for wire in wires:
        wire.close()
