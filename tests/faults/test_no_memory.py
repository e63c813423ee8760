# SPDX-License-Identifier: MIT
"""No memory for another connection: whoever comes is told so, /readyz and stderr say it, and all is well when there is some again."""

import signal

import pytest

from support import settings
from support.answer import check_problem
from support.checks import check, equal, pause, until
from support.corpus import PLAIN, get, post
from support.metrics import metrics, values
from support.procfs import status as status_of
from support.settings import patience
from support.wire import Wire
from test_allocation import failing

READY = get(b"/readyz")
OUT, BACK = signal.SIGRTMIN + 1, signal.SIGRTMIN
REQUESTS = [("a small one", PLAIN, 503), ("with a body", post(b"/echo", b"x" * 300000), 503), ("alive?", get(b"/healthz"), 200),
            ("in two pieces", (PLAIN[:20], PLAIN[20:]), 503)]
ALLOCATING = settings.LOOPS + settings.THREAD_EACH  # modes whose one process allocates memory for each connection


def start_failing(start, *flags, **options):
    """A server whose every allocation fails from OUT on, until BACK."""
    how = failing("0+")
    how["env"]["FAILING_LATER"] = "1"
    return start("--loops", "2", "--workers", "4", *flags, **how, **options)


def set_memory(server, number):
    """Sends OUT or BACK, and returns when the server has taken the signal."""
    server.signal(number)
    until(lambda: not int(status_of(server.pid, "ShdPnd"), 16) >> (number - 1) & 1, "the signal is taken", patience(10))


def refused(address, request, status):
    with Wire(address) as wire:
        wire.send_what_goes(*(request if isinstance(request, tuple) else (request,)))
        answer = wire.answer()
        equal(answer.status, status, "status")
        check(answer.closes, f"no Connection: close in {answer}")
        if status == 503:
            check_problem(answer, 503)
        wire.closed()


def kept_and_fresh(server):
    """A connection that goes on, and what memory its first request takes is there."""
    wire = server.connect()
    wire.kept()
    return wire


@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", ALLOCATING)
def test_new_connections_are_told(start, mode):
    """Not one is reset, and readiness is not taken for back when a refused connection has gone."""
    server = start_failing(start)
    with kept_and_fresh(server) as kept:
        equal(kept.ask(READY).status, 200, "/readyz before")
        set_memory(server, OUT)
        for _ in range(20):
            for _, request, status in REQUESTS:
                refused(server.address, request, status)
        for _ in range(15):
            equal(kept.ask(READY).status, 503, "/readyz while every new connection is refused")
            pause(0.1)
        set_memory(server, BACK)
        until(lambda: kept.ask(READY).status == 200, "/readyz says 200 by itself", 10)
    until(lambda: server.ask(PLAIN).status == 200, "served again", 10)
    counted = metrics(server)
    equal(sum(counted[f'echod_refusals_total{{reason="{reason}"}}'] for reason in ("system", "memory")), 60, "refusals counted")
    errors = server.stop()
    check("Cannot allocate memory" in errors and errors.count("\n") == 1, f"it was not said once: {errors!r}")


@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", ALLOCATING)
def test_silent_ones_and_many(start, mode):
    """More at once than are remembered: those that ask and those that do not all end with an answer."""
    server = start_failing(start)
    kept = kept_and_fresh(server)  # so that no thread's memory is spare
    set_memory(server, OUT)
    wires = [server.connect() for _ in range(60)]
    for wire in wires[::2]:
        wire.send(PLAIN)
    for wire in wires:
        equal(wire.answer().status, 503, "status")
        wire.close()
    set_memory(server, BACK)
    until(lambda: server.ask(PLAIN).status == 200, "served again", 10)
    kept.close()
    server.stop()


@pytest.mark.timeout(90)
def test_the_admin_listener(start):
    server = start_failing(start, "--admin-listen", "127.0.0.1:0", lines=2)
    admin = server.addresses[-1]
    with Wire(admin) as kept:
        equal(kept.ask(READY).status, 200, "/readyz before")
        set_memory(server, OUT)
        for _ in range(5):
            refused(admin, get(b"/metrics"), 503)
            refused(admin, READY, 503)
        equal(kept.ask(READY).status, 503, "/readyz")
        set_memory(server, BACK)
        until(lambda: kept.ask(READY).status == 200, "/readyz says 200 by itself", 10)
    server.stop()


@pytest.mark.timeout(90)
def test_answers_that_end_a_connection_are_read(start):
    """Where the lingering close behind them finds no memory too."""
    server = start_failing(start)
    wires = [kept_and_fresh(server) for _ in range(3)]
    set_memory(server, OUT)
    for wire in wires:
        wire.send(b"GET  / HTTP/1.1\r\n\r\n")
        equal(wire.answer().status, 400, "status")
        wire.send(b"x" * 100000)
        wire.closed()
        wire.close()
    set_memory(server, BACK)
    server.stop()


def start_without_memory(start, *flags):
    server = start_failing(start, *flags)
    kept = kept_and_fresh(server)  # so that no thread's memory is spare
    set_memory(server, OUT)
    return server, kept


@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", ALLOCATING)
def test_behind_a_refusal_all_of_an_upload_is_read(start, mode):
    """A client that writes 32 MiB before it reads gets its 503, not a reset."""
    server, kept = start_without_memory(start)
    for _ in range(3):
        with server.connect(seconds=30) as wire:
            wire.send(post(b"/echo", b"").replace(b"Length: 0", b"Length: 33554432"))
            for _ in range(32):
                wire.send(bytes(1 << 20))
            wire.problem(503)
            wire.finish()
            check(wire.at_end() and wire.ended == "fin", f"the connection ended with {wire.ended}")
    set_memory(server, BACK)
    kept.close()
    server.stop()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", ALLOCATING)
def test_who_was_refused_and_lingers_is_not_cut_off(start, mode):
    """It has had its answer: the drain timeout ends with status 0, and says nothing of it."""
    server, kept = start_without_memory(start, "--drain-timeout", "200ms")
    with server.connect() as wire:
        wire.send(PLAIN)
        wire.problem(503)
        set_memory(server, BACK)
        kept.close()
        server.signal(signal.SIGTERM)
        errors = server.wait(0)
        check("cut off" not in errors, f"stderr: {errors!r}")


@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", ALLOCATING)
def test_who_was_refused_and_has_gone_hides_nobody_that_is_cut_off(start, mode):
    server, kept = start_without_memory(start, "--drain-timeout", "200ms")
    for _ in range(3):
        with server.connect() as wire:
            wire.send(PLAIN)
            wire.problem(503)
    set_memory(server, BACK)
    with kept:
        until(lambda: kept.ask(PLAIN).status == 200, "there is memory again")
        until(lambda: values(kept.ask(get(b"/metrics")).body.decode())["echod_connections_open"] == 1, "they are gone")
        kept.send(get(b"/delay/10s"))
        server.signal(signal.SIGTERM)
        errors = server.wait(1)
        check("1 connection was cut off" in errors, f"stderr: {errors!r}")
