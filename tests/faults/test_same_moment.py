# SPDX-License-Identifier: MIT
"""Two servers that start at the same moment on one address: one serves, the other ends with status 1 and one line."""

import os
import signal
import socket
import stat

import pytest

from support import ports, settings
from support.checks import check, equal, until
from support.rows import params
from support.wire import Wire
from injection import tracer, tracing
from test_start_up import wait

pytestmark = pytest.mark.native

HELD_US = 3000000  # how long strace holds a call


def leave_stale(path):
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(path)
        stale.listen()


def is_socket(path):
    return os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("stale", params([("nothing in the way", False), ("a stale file in the way", True)]))
def test_the_first_is_held_between_bind_and_listen(start, folder, stale):
    """The file is there and refuses connections, as a stale one does."""
    path = os.path.join(folder, "socket")
    flags = ("--listen", f"unix:{path}")
    if stale:
        leave_stale(path)
    old = os.stat(path).st_ctime_ns if stale else None
    first = start(*flags, listen=False, expect_ready=False,
                  **tracing(os.path.join(folder, "calls"), ["listen"], f"listen:delay_enter={HELD_US}"))
    until(lambda: is_socket(path) and os.stat(path).st_ctime_ns != old, "the first has bound its socket", settings.patience(20))
    second = start(*flags, listen=False, expect_ready=False)
    check(not wait(second), "the second listens too")
    check(path in second.errors(), f"stderr: {second.errors()!r}")
    check(first.wait_ready(), f"the first does not listen: {first.errors()!r}")
    tracer(first)
    with Wire(path) as wire:
        wire.kept()
    first.stop()
    equal(sorted(os.listdir(folder)), ["calls"], "files that are left")


@pytest.mark.timeout(120)
def test_the_same_over_tcp(start, folder):
    """Both bind, since an address in TIME_WAIT may be bound to; one of them listens."""
    port = ports.free()
    calls = os.path.join(folder, "calls")
    flags = ("--listen", f"127.0.0.1:{port}")
    first = start(*flags, listen=False, expect_ready=False, **tracing(calls, ["bind", "listen"], f"listen:delay_enter={HELD_US}"))
    until(lambda: os.path.exists(calls) and "bind(" in open(calls, errors="replace").read(), "the first has bound its socket",
          settings.patience(20))
    second = start(*flags, listen=False, expect_ready=False)
    serving = [server for server in (second, first) if wait(server)]
    equal(len(serving), 1, "servers that listen")
    with Wire(("127.0.0.1", port)) as wire:
        wire.kept()
    serving[0].stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("stale", params([("on a free path", False), ("on a stale path", True)]))
def test_a_crowd(start, folder, stale):
    """Three at once, several times: one of them serves, and leaves no file behind."""
    for number in range(3):
        path = os.path.join(folder, f"socket-{number}")
        if stale:
            leave_stale(path)
        servers = [start("--listen", f"unix:{path}", listen=False, expect_ready=False) for _ in range(3)]
        serving = [server for server in servers if wait(server)]
        equal(len(serving), 1, "servers that listen")
        with Wire(path) as wire:
            wire.kept()
        serving[0].stop()
        for server in servers:
            server.close()
    equal(os.listdir(folder), [], "files that are left")


def test_killed_while_it_serves(start, folder):
    """What it leaves is its socket file alone, which the next server replaces."""
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", listen=False)
    server.signal(signal.SIGKILL)
    server.wait(-signal.SIGKILL)
    equal(os.listdir(folder), ["socket"], "files that are left")
    server = start("--listen", f"unix:{path}", listen=False)
    with Wire(path) as wire:
        wire.kept()
    server.stop()
    equal(os.listdir(folder), [], "files that are left")
