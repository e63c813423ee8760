# SPDX-License-Identifier: MIT
"""`--admin-listen`: paths that answer there and nowhere else, whatever becomes of the other connections."""

import contextlib
import os
import signal
import time

import pytest

from support.admin import ask, start_with_admin
from support.answer import check_problem
from support.checks import at_least, at_most, check, equal, pause, until
from support.corpus import PLAIN, get
from support.wire import Wire

PATHS = (b"/metrics", b"/healthz", b"/readyz")


def test_paths_of_each_side(start):
    server, admin = start_with_admin(start)
    for path in PATHS:
        check_problem(ask(server.address, get(path)), 404)
        equal(ask(admin, get(path)).status, 200, f"status of {path} of admin")
    for path in (b"/", b"/plaintext", b"/echo", b"/version", b"/status/200", b"/anything"):
        equal(ask(server.address, get(path)).status, 200, f"status of {path}")
        check_problem(ask(admin, get(path)), 404)
    index = ask(server.address, get(b"/")).body
    check(not any(path in index for path in PATHS), "/ lists what is not there")
    equal(ask(admin, get(b"/healthz").replace(b"GET", b"POST")).status, 405, "status of a POST")


def test_without_it_nothing_is_different(server):
    for path in PATHS:
        equal(server.ask(get(path)).status, 200, f"status of {path}")


def test_many_listeners(start, folder):
    path = os.path.join(folder, "admin")
    server, _ = start_with_admin(start, "--admin-listen", f"unix:{path}", "--admin-listen", "localhost:0", lines=5)
    equal(server.listening[2], f"unix:{path}", "the third line")
    equal(server.are_admin, [False, True, True, True, True], "lines that end with (admin)")
    for address in server.addresses[1:]:
        with Wire(address) as wire:
            for _ in range(3):
                equal(wire.ask(get(b"/readyz")).status, 200, "status")
    server.stop()
    check(not os.path.exists(path), "the socket file is still there")


def test_a_second_signal_leaves_no_file(start, folder):
    path = os.path.join(folder, "admin")
    server, _ = start_with_admin(start, "--admin-listen", f"unix:{path}", "--drain-delay", "30s", lines=3)
    server.signal(signal.SIGTERM)
    until(lambda: ask(path, get(b"/readyz")).status == 503, "the drain has begun")
    server.signal(signal.SIGTERM)
    server.wait(143)
    check(not os.path.exists(path), "the socket file is still there")


def test_a_full_server(start):
    """It answers on without a place being taken, and tells that the server is full."""
    server, admin = start_with_admin(start, "--max-connections", "2")
    with server.connect() as first, server.connect() as second:
        first.kept()
        second.kept()
        with Wire(admin) as wire:
            equal(wire.ask(get(b"/healthz")).status, 200, "/healthz")
            equal(server.ask(PLAIN).status, 503, "the status of a third connection")
            until(lambda: wire.ask(get(b"/readyz")).status == 503, "/readyz says that it is full")
            equal(wire.ask(get(b"/metrics")).status, 200, "/metrics")
    with Wire(admin) as one, Wire(admin) as two:
        equal([one.ask(get(b"/healthz")).status, two.ask(get(b"/healthz")).status], [200, 200], "/healthz")
        until(lambda: metric(admin, "echod_connections_open") == 0, "all have left")
        with server.connect() as first, server.connect() as second:
            first.kept()
            second.kept()


def test_more_connections_than_it_takes(start):
    """Those too many wait; when others leave, or are idle, they are served. The server itself goes on."""
    server, admin = start_with_admin(start)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(admin)) for _ in range(70)]
        for wire in wires:
            wire.send(get(b"/healthz"))
        for wire in wires[:64]:
            equal(wire.answer().status, 200, "status")
        equal(server.ask(PLAIN).status, 200, "status")
        check(not wires[64].readable(0.2), "the 65th was served too")
        for wire in wires[:3]:
            wire.close()
        for wire in wires[64:]:
            equal(wire.answer().status, 200, "status")


def test_silent_clients_keep_no_probe_out(start):
    """Those that are idle for longest give way; requests that have begun go on."""
    server, admin = start_with_admin(start)
    with contextlib.ExitStack() as stack:
        busy = stack.enter_context(Wire(admin))
        busy.send(get(b"/healthz")[:-2])
        silent = [stack.enter_context(Wire(admin)) for _ in range(63)]
        for _ in range(3):
            with Wire(admin) as probe:
                equal(probe.ask(get(b"/healthz")).status, 200, "/healthz")
        silent[0].closed()
        busy.send(b"\r\n")
        equal(busy.answer().status, 200, "status")
        equal(server.ask(PLAIN).status, 200, "status")


def test_open_until_the_drain_ends(start):
    """While a request is still answered: alive, not ready; an admin connection holds nothing up."""
    server, admin = start_with_admin(start)
    with server.connect() as slow, Wire(admin) as kept:
        kept.ask(get(b"/healthz"))
        slow.send(get(b"/delay/1500ms"))
        until(lambda: metric(admin, "echod_connections_open") == 1, "the request has begun")
        server.signal(signal.SIGTERM)
        until(lambda: ask(admin, get(b"/readyz")).status == 503, "/readyz says that it drains")
        equal(ask(admin, get(b"/healthz")).status, 200, "/healthz")
        check(kept.ask(get(b"/metrics")).closes, "no Connection: close while it drains")
        equal(slow.answer().status, 200, "status")
        with Wire(admin) if is_open(admin) else contextlib.nullcontext():
            equal(server.wait(0), "", "stderr")
    check(not is_open(admin), "the admin listener outlives the drain")


def is_open(address):
    try:
        Wire(address).close()
        return True
    except OSError:
        return False


def metric(address, name):
    page = ask(address, get(b"/metrics")).body.decode()
    return sum(int(line.split()[1]) for line in page.splitlines() if line.startswith(name + "{"))


def test_what_it_counts(start):
    """The page counts requests of both sides, and only the others' connections as open."""
    server, admin = start_with_admin(start)
    with server.connect() as wire:
        for _ in range(3):
            wire.kept()
        equal(metric(admin, "echod_requests_total"), 3, "requests")
        equal(metric(admin, "echod_connections_open"), 1, "open connections")
        equal(metric(admin, "echod_requests_total"), 5, "requests")


@pytest.mark.modeless
def test_a_port_in_use(start):
    first = start(mode="event")
    server = start("--admin-listen", first.listening[0], mode="event", expect_ready=False)
    text = server.wait(1)
    check("cannot listen on" in text and first.listening[0] in text, f"stderr: {text!r}")


ADMIN_CONNECTIONS_MOST = 64  # server/acceptor/admin.h


def test_a_lingering_connection_gives_its_place_there_too(start):
    """When the admin listener has as many as it takes; the one that has lingered longest, none before 0.5 s."""
    _, admin = start_with_admin(start)
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(Wire(admin)) for _ in range(ADMIN_CONNECTIONS_MOST)]
        for wire in wires:
            equal(wire.ask(get(b"/healthz")).status, 200, "status")
        first, second = wires[:2]
        begun = time.monotonic()
        for wire in (first, second):
            wire.send(b"NIX / HTTP/1.1\r\n\r\n")
            wire.problem(501)
            pause(0.1)
        with Wire(admin) as new:
            new.send(get(b"/healthz"))
            while not new.readable(0.1):  # they are not silent: nothing but the new one ends their lingering before 30 s
                at_most(time.monotonic() - begun, 20, "seconds until it was served")
                first.send_what_goes(b"x")
                second.send_what_goes(b"x")
            equal(new.answer().status, 200, "status")
            at_least(time.monotonic() - begun, 0.5, "seconds until it was served")
            until(first.was_reset, "the one that has lingered longest is closed", 2)
            check(not second.was_reset(), "the younger one is closed")
        for wire in wires[2:]:
            equal(wire.ask(get(b"/healthz")).status, 200, "status of one that is kept")
