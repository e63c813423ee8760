# SPDX-License-Identifier: MIT
"""A drain while connections linger: they have had their answers, and may not hold it up for long."""

import signal
import time

import pytest

from support.checks import at_most, check, equal, until
from support.corpus import get
from support.metrics import metrics
from support.rows import params
from test_drain_cut_off import check_cut_off


def linger(wire, request=b"NIX / HTTP/1.1\r\n\r\n"):
    """Makes the connection linger: its last answer is here, and the server still reads."""
    wire.send(request)
    wire.problem(501)


def test_a_lingering_close_does_not_hold_it_up_for_long(start):
    """It lasts 2 s at most if nothing more comes."""
    server = start()
    with server.connect() as wire:
        linger(wire, b"NIX / HTTP/1.1\r\n")
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        server.wait(0)
        at_most(time.monotonic() - begun, 5, "seconds to the end")


@pytest.mark.parametrize("sends", params([("silent", False), ("sending", True)]))
def test_who_only_lingers_is_not_cut_off(start, sends):
    """It has had its answer: the drain timeout ends with status 0, and without a word."""
    server = start("--drain-timeout", "500ms")
    with server.connect() as wire:
        linger(wire)
        server.signal(signal.SIGTERM)
        while sends and server.is_alive():
            wire.send_what_goes(b"x")
            time.sleep(0.05)
        server.wait(0)
        equal(server.errors(), "", "stderr")


def test_who_lingers_is_read_on(start):
    """Until it ends: a drain does not take its bytes for a request, and does not reset it."""
    server = start()
    with server.connect() as wire:
        linger(wire)
        server.signal(signal.SIGTERM)
        for _ in range(20):
            wire.send(b"GET / HTTP/1.1\r\n\r\n")
            time.sleep(0.05)
        wire.finish()
        check(wire.at_end() and wire.ended == "fin", f"the connection ended with {wire.ended}")
    server.wait(0)


def test_who_has_lingered_hides_nobody_that_is_cut_off(start):
    server = start("--drain-timeout", "200ms")
    for _ in range(3):
        with server.connect() as wire:
            linger(wire)
    until(lambda: metrics(server)["echod_connections_open"] == 1, "they are gone")
    with server.connect() as wire:
        wire.kept()
        wire.send(get(b"/delay/10s"))
        server.signal(signal.SIGTERM)
        check_cut_off(server.wait(1))


@pytest.mark.slow
def test_who_lingers_on_holds_it_up_for_5_s_at_most(start):
    """Once nobody else is there."""
    server = start()
    with server.connect() as wire:
        linger(wire)
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        while server.is_alive():
            wire.send_what_goes(b"x")
            time.sleep(0.05)
        server.wait(0)
        at_most(time.monotonic() - begun, 9, "seconds to the end")
