# SPDX-License-Identifier: MIT
"""What a session may want together (the table in common/session/session.h), in every driver, where sockets hold next to nothing."""

import contextlib
import socket
import time

import pytest

from support import procfs
from support.checks import at_most, check, equal, until
from support.corpus import PLAIN, get, post
from support.passing import close_passed, passing
from support.rows import params
from support.wire import Wire

KIB = 1024
BUFFER = 4096  # the kernel doubles it
LONG = get(b"/bytes/300000")  # made as it is sent
KEPT = post(b"/echo", b"x" * 100000)  # kept until it is sent, while the requests behind it are looked at
# Requests that a client writes before it reads anything: less than a mebibyte with all that stands before them.
PADDED = get(b"/plaintext", b"X-Pad: " + b"y" * 2000 + b"\r\n")
MANY_COUNT = 900 * KIB // len(PADDED)
MANY = PADDED * MANY_COUNT
TOO_MANY = PADDED * (3072 * KIB // len(PADDED))


@contextlib.contextmanager
def small_sockets(start, *flags):
    """A server whose connections have small socket buffers, as the listening socket that it inherits."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        options = passing([listener])
        try:
            yield start(*flags, **options)
        finally:
            close_passed(options)


def slow_client(server, **options):
    return Wire(server.address, receive_buffer=BUFFER, send_buffer=BUFFER, **options)


def expect(wire, count, body=b"Hello, World!"):
    for _ in range(count):
        answer = wire.answer()
        equal((answer.status, answer.body), (200, body), "the answer")


def expect_long(wire):
    equal(len(wire.answer().body), 300000, "bytes of the long answer")


def expect_kept(wire):
    expect(wire, 1, b"x" * 100000)


def write_all(wire, data):
    """The server takes all of it although nothing is read."""
    equal(wire.send_until_stuck(data, 8), len(data), "bytes that the server takes from a client that does not read")


def test_read(start):
    with small_sockets(start) as server, slow_client(server) as wire:
        wire.kept()
        wire.kept()


@pytest.mark.parametrize("data, before", params([
    ("small answers", MANY, 0), ("a long answer before them", LONG + MANY, 1), ("an echo before them", KEPT + MANY, 2),
]))
def test_read_and_write(start, data, before):
    """A client that writes nearly a mebibyte before it reads is not kept waiting, and gets every answer."""
    with small_sockets(start) as server, slow_client(server) as wire:
        write_all(wire, data)
        if before == 1:
            expect_long(wire)
        if before == 2:
            expect_kept(wire)
        expect(wire, MANY_COUNT)
        wire.kept()


@pytest.mark.parametrize("data, long", params([("small answers", TOO_MANY, False), ("a long answer before them", LONG + TOO_MANY, True)]))
def test_write(start, data, long):
    """Beyond a mebibyte the client has to read first; then it may go on."""
    with small_sockets(start) as server, slow_client(server) as wire:
        taken = wire.send_until_stuck(data, 2)
        check(len(MANY) < taken < 1536 * KIB, f"{taken} bytes were taken")
        if long:
            expect_long(wire)
        whole, part = divmod(taken - (len(LONG) if long else 0), len(PADDED))
        expect(wire, whole)
        wire.send(data[taken:taken + len(PADDED) - part])
        expect(wire, 1)


def test_write_behind_the_last_byte(start):
    with small_sockets(start) as server, slow_client(server) as wire:
        wire.send(LONG + PLAIN)
        wire.finish()
        expect_long(wire)
        expect(wire, 1)
        wire.closed()


def test_wait(start):
    with small_sockets(start) as server, slow_client(server) as wire:
        begun = time.monotonic()
        wire.send(get(b"/delay/300ms") + PLAIN)
        expect(wire, 2)
        check(time.monotonic() - begun >= 0.3, "it did not wait")
        wire.kept()


def test_read_and_write_and_wait(start):
    """A handler waits while an answer before its own is unsent: the client may write on, and the wait runs meanwhile."""
    with small_sockets(start) as server, slow_client(server) as wire:
        write_all(wire, KEPT + get(b"/delay/1s") + MANY)
        expect_kept(wire)
        expect(wire, 1 + MANY_COUNT)
        wire.kept()


@pytest.mark.parametrize("second", params([("wait", get(b"/delay/1ms")), ("work", get(b"/block/1ms"))]))
def test_read_and_write_behind_small_answers(start, second):
    """The same where each answer is so small that a driver may take it from the session before the socket does. Which answer fills the
    socket is left to chance: rarely it is that of `second`, behind which nothing waits."""
    small, rounds, more = 3800, 30, 300
    with small_sockets(start) as server:
        for _ in range(2):
            with slow_client(server) as wire:
                wire.kept()
                for _ in range(rounds):
                    wire.send(get(f"/bytes/{small}".encode()) + second)
                    until(lambda: procfs.is_read(wire.socket), "the server has read a pair")
                write_all(wire, PADDED * more)
                for _ in range(rounds):
                    equal(len(wire.answer().body), small, "bytes of the small answer")
                    expect(wire, 1)
                expect(wire, more)


def test_write_and_wait(start):
    """The timeout of an answer that is not read holds while a handler waits."""
    with small_sockets(start, "--body-timeout", "500ms") as server, slow_client(server) as wire:
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            wire.send_until_stuck(KEPT + get(b"/delay/10s") + TOO_MANY, 0.2)
        check(wire.hung_up(8), "the connection is still there")
        at_most(time.monotonic() - begun, 8, "seconds until it was given up")


@pytest.mark.parametrize("message", params([("block", get(b"/block/2s")), ("a wait", get(b"/delay/2s"))]))
def test_work_comes_after_output(start, message):
    """The end of the first answer does not wait for the second's work, however slowly the client reads."""
    for first, expect_first in ((LONG, expect_long), (KEPT, expect_kept)):
        with small_sockets(start) as server, slow_client(server) as wire:
            begun = time.monotonic()
            write_all(wire, first + message)
            expect_first(wire)
            took = time.monotonic() - begun
            expect(wire, 1)
            second = time.monotonic() - begun
            check(second >= 2, "the second answer came too early")
            check(second - took > 1, f"the end of the first answer came after {took:.2f} s, the second's after {second:.2f} s")
            wire.kept()


@pytest.mark.parametrize("first", params([("an answer that is kept", KEPT), ("a long one", LONG)]))
def test_work_behind_output_while_the_client_writes(start, first):
    with small_sockets(start) as server, slow_client(server) as wire:
        write_all(wire, first + get(b"/block/100ms") + MANY)
        (expect_kept if first is KEPT else expect_long)(wire)
        expect(wire, 1 + MANY_COUNT)
        wire.kept()


def test_work(start):
    with small_sockets(start) as server, slow_client(server) as wire:
        begun = time.monotonic()
        wire.send(get(b"/block/300ms") + get(b"/block/300ms") + PLAIN)
        expect(wire, 3)
        check(time.monotonic() - begun >= 0.6, "it did not block")
        wire.kept()


def test_close(start):
    with small_sockets(start) as server, slow_client(server) as wire:
        wire.send(LONG[:-2] + b"Connection: close\r\n\r\n" + PLAIN)
        answer = wire.answer()
        equal((len(answer.body), answer.closes), (300000, True), "the last answer")
        wire.closed()
