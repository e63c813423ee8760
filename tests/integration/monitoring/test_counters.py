# SPDX-License-Identifier: MIT
"""What /metrics says of bytes and of workers' time."""

import signal

import pytest

from support import settings
from support.checks import at_least, at_most, equal, until
from support.corpus import PLAIN, get, post
from support.metrics import metrics, values

PAGE = get(b"/metrics")


def page(wire):
    return values(wire.ask(PAGE).body.decode())


def test_bytes_are_counted(start):
    """A page counts its own request, and not yet its answer."""
    server = start()
    with server.connect() as wire:
        before = page(wire)
        equal(before["echod_received_bytes_total"], len(PAGE), "bytes received")
        equal(before["echod_sent_bytes_total"], 0, "bytes sent")
        request = post(b"/echo", b"x" * 100000)
        equal(len(wire.ask(request).body), 100000, "the body's length")
        after = page(wire)
        equal(after["echod_received_bytes_total"], 2 * len(PAGE) + len(request), "bytes received")
        at_least(after["echod_sent_bytes_total"], 100000, "bytes sent")
        at_most(after["echod_sent_bytes_total"], 110000, "bytes sent, with two heads and a page")


def test_bytes_behind_a_signal_are_counted(start):
    """They are read before the answer to the request before them is sent."""
    server = start("--drain-delay", "3s")
    with server.connect() as wire:
        wire.send(get(b"/delay/500ms"))
        server.signal(signal.SIGTERM)
        until(lambda: server.ask(get(b"/readyz")).status == 503, "/readyz says 503")
        before = metrics(server)["echod_received_bytes_total"]
        wire.send(PLAIN + PAGE)
        answers = [wire.answer() for _ in range(3)]
        equal([answer.status for answer in answers], [200] * 3, "the statuses")
        after = values(answers[2].body.decode())["echod_received_bytes_total"]
        equal(after - before, len(PLAIN + PAGE), "bytes received behind the signal")
    server.wait(0)


@pytest.mark.parametrize("mode", settings.WITH_WORKERS)
def test_the_time_of_workers_is_counted(start, mode):
    server = start("--workers", "2")
    equal(server.ask(get(b"/block/300ms", b"Connection: close\r\n")).status, 200, "status")
    busy = until(lambda: metrics(server)["echod_worker_busy_seconds_total"], "it is counted")
    at_least(busy, 0.29, "seconds")
    at_most(busy, 5, "seconds")
