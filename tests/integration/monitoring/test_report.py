# SPDX-License-Identifier: MIT
"""SIGUSR1: how many connections are in which state, and what each worker does."""

import contextlib
import re
import signal

import pytest

from support import settings
from support.checks import check, equal, until
from support.corpus import PLAIN, get, post
from support.metrics import metrics
from support.report import report, until_report


def test_states(start, mode):
    server = start("--workers", "8")
    until_report(server, "nothing is open")
    with contextlib.ExitStack() as stack:
        def connect(**options):
            return stack.enter_context(server.connect(**options))
        connect().kept()
        until_report(server, "one is idle", idle=1)
        connect().send(PLAIN[:10])
        until_report(server, "one in a head", idle=1, reading=1)
        connect().send(post(b"/echo", b"hello")[:-2])
        until_report(server, "one in a body", idle=1, reading=2)
        patient = connect()
        patient.send(get(b"/delay/9s"))
        until_report(server, "one waits", idle=1, reading=2, waiting=1)
        connect(receive_buffer=4096).send(get(b"/bytes/1000000000"))
        until_report(server, "one does not read", idle=1, reading=2, waiting=1, sending=1)
        wire = connect()
        wire.send(b"NIX / HTTP/1.1\r\n\r\n")
        wire.answer()
        until(lambda: report(server)[0]["lingering"] == 1, "one lingers")
        equal(metrics(server)["echod_connections_lingering"], 1, "echod_connections_lingering")
        patient.reset()
    until_report(server, "all have left")


def test_work(start, mode):
    server = start("--workers", "2", "--loops", "2")
    with server.connect() as busy, server.connect() as other:
        other.kept()
        if mode in settings.LOOPS_ALONE:
            until(lambda: loops_beside_work(server, busy, other) == ["free", "working"], "one loop works, the other is free")
            until_report(server, "both are idle", idle=2)
            return
        busy.send(get(b"/block/2s"))
        _, workers = until_report(server, "one works", idle=1, working=1)
        wanted = (["free", "free", "free", "working"] if mode in settings.LOOPS_WITH_WORKERS else
                  ["idle", "working"] if mode in settings.WITH_WORKERS else [])
        equal(sorted(workers.values()), wanted, "the workers")
        check(all(name.startswith("worker") for name, state in workers.items() if state == "working"), f"a loop works: {workers}")
        equal(busy.answer().status, 200, "status")
        until_report(server, "both are idle", idle=2)


def loops_beside_work(server, busy, other):
    """What the loops are at while a request blocks one of them; the signal may come before the request does."""
    busy.send(get(b"/block/1s"))
    other.kept()
    before = len(server.errors())
    server.signal(signal.SIGUSR1)
    until(lambda: "loop 1: " in server.errors()[before:], "the lines of the loops")
    found = re.findall(r"^echod: loop \d+: (\w+)$", server.errors()[before:], re.MULTILINE)
    equal(busy.answer().status, 200, "status")
    until(lambda: "connections lingering: " in server.errors()[before:], "the end of the report")
    return sorted(found)


@pytest.mark.modeless
def test_the_queue_of_a_pool(start):
    server = start("--workers", "1", mode="pool")
    with server.connect() as first, server.connect() as second, server.connect() as third:
        first.send(get(b"/delay/1s"))
        check(second and third, "no connection")
        until_report(server, "two wait for the worker", waiting=1, queued=2)
        equal(first.answer().status, 200, "status")


def test_a_full_server_and_a_drain(start):
    """It tells also what it refuses, and what is left to be answered."""
    server = start("--max-connections", "1")
    with server.connect() as wire, server.connect() as refused:
        wire.kept()
        refused.send(PLAIN[:10])
        until_report(server, "one is served, one refused", idle=1, reading=1)
    until_report(server, "all have left")
    with server.connect() as wire:
        wire.send(get(b"/delay/2s"))
        until_report(server, "one waits", waiting=1)
        server.signal(signal.SIGTERM)
        until_report(server, "one waits still", waiting=1)
        equal(wire.answer().status, 200, "status")
    server.wait(0)
