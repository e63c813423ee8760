# SPDX-License-Identifier: MIT
"""A wall clock that is set, forward and back: Date follows, and no timeout or wait notices."""

import email.utils
import os
import re
import struct
import time

import pytest

from support.checks import check, equal, until
from support.corpus import get, post
from support.rows import params
from support.settings import patience
from injection import PLAIN
from shim import shimmed

DAY = 86400


def set_clock(path, seconds):
    """In one write, so that nobody sees half of it."""
    with open(path, "r+b") as file:
        file.write(struct.pack("=q", seconds))


def date_off(server):
    """Seconds from now to what Date says."""
    with server.connect() as wire:
        wire.send(PLAIN)
        head = wire.through(b"\r\n\r\n").decode()
    date = re.search(r"\r\nDate: (.+)\r\n", head)[1]
    return email.utils.parsedate_to_datetime(date).timestamp() - time.time()


def answered(wire):
    """Raw, because the Date is not today's."""
    head = wire.through(b"\r\n\r\n")
    length = int(re.search(rb"\r\nContent-Length: (\d+)\r\n", head)[1])
    return head.split(b" ")[1], wire.exactly(length)


@pytest.mark.timeout(90)
@pytest.mark.parametrize("offset", params([("forward", DAY), ("back", -DAY), ("far back", -19000 * DAY)]))
def test_the_clock_is_set(start, folder, offset):
    path = os.path.join(folder, "clock")
    with open(path, "wb") as file:
        file.write(struct.pack("=q", 0))
    server = start(**shimmed(CLOCK=path))
    check(abs(date_off(server)) < 30, "the clock is wrong before")
    with server.connect() as idle, server.connect() as head, server.connect() as body, server.connect() as waits:
        idle.send(PLAIN)
        answered(idle)
        head.send(PLAIN[:20])
        body.send(post(b"/echo", b"hello")[:-3])
        waits.send(get(b"/delay/1s"))
        set_clock(path, offset)
        until(lambda: abs(date_off(server) - offset) < 30, "Date follows", patience(10))
        idle.send(PLAIN)
        head.send(PLAIN[20:])
        body.send(b"llo")
        for wire, text in ((idle, b"Hello, World!"), (head, b"Hello, World!"), (body, b"hello"), (waits, b"Hello, World!")):
            equal(answered(wire), (b"200", text), "the answer")


@pytest.mark.timeout(90)
@pytest.mark.parametrize("offset", params([("forward", DAY), ("back", -DAY)]))
def test_timeouts_still_come(start, folder, offset):
    path = os.path.join(folder, "clock")
    with open(path, "wb") as file:
        file.write(struct.pack("=q", 0))
    server = start("--header-timeout", "1s", "--idle-timeout", "1s", **shimmed(CLOCK=path))
    with server.connect() as idle, server.connect() as head:
        idle.send(PLAIN)
        answered(idle)
        head.send(PLAIN[:20])
        set_clock(path, offset)
        equal(answered(head)[0], b"408", "status")
        idle.closed()
