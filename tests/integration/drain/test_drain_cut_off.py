# SPDX-License-Identifier: MIT
"""What the drain timeout cuts off: it is counted, logged, and does not hold up the end."""

import os
import signal
import time

import pytest

from support import settings
from support.checks import at_most, check, equal, until
from support.corpus import PLAIN, get, post
from support.metrics import metrics
from support.rows import params
from support.server import many
from test_drain import begin


def check_cut_off(errors, count=1):
    were = "connection was" if count == 1 else "connections were"
    equal(errors, f"echod: {count} {were} cut off by the drain timeout\n", "stderr")


def test_a_client_that_does_not_read_holds_it_up_no_longer_than_the_timeout(start):
    server = start("--drain-timeout", "400ms")
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/bytes/1073741824"))
        check(wire.readable(10), "no answer began")
        server.signal(signal.SIGTERM)
        check_cut_off(server.wait(1))


@pytest.mark.parametrize("flag", params([("of 300 ms", "300ms"), ("of nothing", "0s")]))
def test_the_drain_timeout(start, flag):
    server = start("--drain-timeout", flag)
    with server.connect() as wire, server.connect() as idle:
        idle.kept()
        wire.send(get(b"/delay/9s"))
        begun = time.monotonic()
        begin(server)
        idle.closed()
        check_cut_off(server.wait(1))
        took = time.monotonic() - begun
        check(flag == "0s" or took > 0.25, f"it ended after {took:.2f} s")
        at_most(took, 5, "seconds to the end")
        check(wire.at_end(), f"something came: {bytes(wire.received)!r}")


def test_what_is_cut_off_is_counted_and_logged(start, folder):
    """Each connection with a request that is not answered, whatever it waits for, and no other."""
    path = os.path.join(folder, "log")
    server = start("--drain-timeout", "1s", "--access-log", path)
    cut_off = {
        "a wait": (get(b"/delay/9s"), "GET /delay/9s HTTP/1.1"),
        "half a head": (get(b"/half")[:20], "GET /half HTTP/1.1"),
        "half a body": (post(b"/echo?half", b"hello")[:-3], "POST /echo?half HTTP/1.1"),
        "half of an echo that has begun": (post(b"/echo?large", b"x" * 200000)[:-90000], "POST /echo?large HTTP/1.1"),
        "a second request": (PLAIN + get(b"/delay/8s"), "GET /delay/8s HTTP/1.1"),
        "an answer that is not read": (get(b"/bytes/1073741824"), "GET /bytes/1073741824 HTTP/1.1"),
        "a call that blocks": (get(b"/block/10s"), "GET /block/10s HTTP/1.1"),
        "a computation": (get(b"/compute/1000000000"), "GET /compute/1000000000 HTTP/1.1"),
    }
    idle, lingering = server.connect(), server.connect()
    idle.kept()
    lingering.send(b"NIX / HTTP/1.1\r\n")
    lingering.problem(501)
    wires = []
    for request, _ in cut_off.values():  # the last stall a loop
        wires.append(server.connect(receive_buffer=4096))
        wires[-1].send(request)
    begun = time.monotonic()
    server.signal(signal.SIGTERM)
    check_cut_off(server.wait(1), len(cut_off))
    at_most(time.monotonic() - begun, 8, "seconds to the end")
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    for name, (_, request) in cut_off.items():
        equal(sum(f'"{request}"' in line for line in lines), 1, f"lines of {name}")
    equal(len(lines), len(cut_off) + 3, "lines, with those of the three that were answered")
    for wire in [idle, lingering] + wires:
        wire.close()


@pytest.mark.parametrize("mode", settings.LOOPS_WITH_WORKERS)
def test_work_that_waits_for_a_worker_is_cut_off(start, folder):
    """All of it at once, and each with its line, however long the queue is."""
    path, count = os.path.join(folder, "log"), 60
    server = start("--loops", "1", "--workers", "1", "--drain-timeout", "300ms", "--access-log", path)
    with many(server, count) as wires:
        for wire in wires:
            wire.send(get(b"/block/10s"))
        until(lambda: metrics(server)["echod_queue_depth"] == count - 1, "all but one wait for the worker")
        server.signal(signal.SIGTERM)
        check_cut_off(server.wait(1), count)
    with open(path, encoding="ascii") as file:
        equal(sum('"GET /block/10s HTTP/1.1"' in line for line in file), count, "lines")


def test_what_waits_for_a_place_is_cut_off_too(start):
    """Connections in the kernel's queue, or for a worker, are counted with those that are served."""
    server = start("--drain-timeout", "400ms", "--max-connections", "2", "--workers", "1")
    wires = [server.connect() for _ in range(30)]
    for wire in wires:
        wire.send(get(b"/delay/9s"))
    server.signal(signal.SIGTERM)
    errors = server.wait(1).splitlines(keepends=True)
    answers = [wire.answer() for wire in wires if not wire.at_end()]
    check(answers and all(answer.status == 503 for answer in answers), "those that found no place were not told so")
    check_cut_off(errors[-1], len(wires) - len(answers))
