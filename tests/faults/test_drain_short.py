# SPDX-License-Identifier: MIT
"""A drain while the system lets nobody be accepted: what the kernel has queued is answered once it does, or counted as lost."""

import contextlib
import errno
import os
import signal
import struct

import pytest

from support.checks import check, equal
from support.corpus import post
from support.rows import params
from shim import shimmed

UPLOAD = post(b"/echo", b"x" * 2000)
SHORT = ("EMFILE", "ENFILE", "ENOBUFS", "ENOMEM")


class Accepting:
    """A server whose accept fails from now on, or no longer."""

    def __init__(self, start, folder, *flags, **options):
        self.path = os.path.join(folder, "accept")
        with open(self.path, "wb") as file:
            file.write(struct.pack("=q", 0))
        self.server = start(*flags, **options, **shimmed(ACCEPT=self.path))

    def fails(self, number):
        """In one write, so that nobody sees half of it."""
        with open(self.path, "r+b") as file:
            file.write(struct.pack("=q", number))


@contextlib.contextmanager
def draining(accepting, number, count):
    """So many connections that the kernel has queued, each with a whole request, in a drain that has begun."""
    server = accepting.server
    with server.connect() as idle, contextlib.ExitStack() as stack:
        idle.kept()
        accepting.fails(number)
        wires = [stack.enter_context(server.connect(seconds=30)) for _ in range(count)]
        for wire in wires:
            wire.send(UPLOAD)
        server.signal(signal.SIGTERM)
        idle.closed()
        yield wires


@pytest.mark.timeout(90)
@pytest.mark.parametrize("number", params([(name, getattr(errno, name)) for name in SHORT]))
def test_what_is_queued_is_answered(start, folder, number):
    """As soon as it can be accepted, however late in the drain."""
    accepting = Accepting(start, folder, "--drain-timeout", "1m")
    with draining(accepting, number, 40) as wires:
        check(not any(wire.readable(0) for wire in wires), "answered without having been accepted")
        accepting.fails(0)
        for wire in wires:
            equal(wire.answer().status, 200, "status")
            wire.closed()
        accepting.server.wait(0)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("number", params([(name, getattr(errno, name)) for name in SHORT]))
def test_what_is_queued_at_the_timeout_is_counted(start, folder, number):
    """Status 1, and one line with the number."""
    accepting = Accepting(start, folder, "--drain-timeout", "500ms")
    with draining(accepting, number, 40) as wires:
        errors = accepting.server.wait(1)
        check("\n" in errors and errors.splitlines()[-1].endswith("40 connections were cut off by the drain timeout"),
              f"stderr: {errors!r}")
        for wire in wires:
            check(wire.at_end(), "an answer by nobody")


@pytest.mark.timeout(90)
def test_what_is_queued_on_a_unix_socket_is_counted_as_at_least_one(start, folder):
    """The kernel does not say how many they are."""
    path = os.path.join(folder, "socket")
    accepting = Accepting(start, folder, "--drain-timeout", "500ms", "--listen", f"unix:{path}", listen=False)
    with draining(accepting, errno.ENFILE, 3):
        errors = accepting.server.wait(1)
        check("at least 1 connection was cut off by the drain timeout" in errors, f"stderr: {errors!r}")
