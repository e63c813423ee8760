# SPDX-License-Identifier: MIT
"""Starting and ending: a drain under each kind of load, signals at every moment, and many lives in a row."""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time

from counting import Counter, answers, counting, lost, tell_to_end
import pytest

from support import process, procfs, settings
from support.checks import check, equal, until
from support.corpus import LAST, chunk, chunked, get, post
from support.rows import params
from support.server import COMPLAINT, environment
from support.settings import patience
from injection import PLAIN

BODY = bytes(range(256)) * 400
HELLO = b"Hello, World!"

# name, request, body of its answer, requests sent together, a connection for each
LOADS = [
    ("small requests", PLAIN, HELLO, 1, False), ("a connection each", PLAIN, HELLO, 1, True), ("pipelined", PLAIN, HELLO, 20, False),
    ("bodies", post(b"/echo", BODY), BODY, 1, False), ("chunks", chunked(b"/echo", chunk(BODY) * 3 + LAST), BODY * 3, 1, False),
    ("waiting", get(b"/delay/30ms"), HELLO, 1, False), ("blocking", get(b"/block/5ms"), HELLO, 1, False),
    ("large answers", get(b"/bytes/300000"), None, 1, True),
]


@pytest.mark.timeout(90)
@pytest.mark.parametrize("message, body, pipelined, fresh", params(LOADS))
def test_a_drain_loses_nothing(start, message, body, pipelined, fresh):
    server = start("--workers", "8")
    if body is None:
        body = server.ask(message).body
    with counting([Counter(server, message, body, pipelined, fresh) for _ in range(6)]) as counters:
        until(lambda: answers(counters) > 60 * pipelined, "answers", patience(30))
        tell_to_end(server, counters)
    equal(lost(counters), [], "what was lost")
    equal(server.wait(0), "", "stderr")


@pytest.mark.parametrize("number", params([("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)]))
def test_a_second_signal_under_load(start, number):
    """At once, with its status, whatever is under way."""
    server = start("--workers", "8")
    with server.connect() as slow, contextlib.ExitStack() as stack:
        slow.send(get(b"/delay/9s"))
        counters = [Counter(server, *LOADS[index][1:]) for index in (0, 2, 3)]
        stack.enter_context(counting(counters))
        until(lambda: answers(counters) > 50, "answers", patience(30))
        tell_to_end(server, counters)
        until(lambda: refuses(server.address), "the listener is closed", patience(10))
        server.signal(number)
        server.wait(128 + number)
        check(slow.at_end(), "something came")


def refuses(address):
    with socket.socket() as probe:
        return probe.connect_ex(address) != 0


@pytest.mark.timeout(90)
def test_hangups_under_load(start):
    """SIGHUP again and again: nobody notices."""
    server = start("--workers", "8")
    with counting([Counter(server, *load[1:]) for load in LOADS[:4]]) as counters:
        for goal in range(1, 41):
            server.signal(signal.SIGHUP)
            until(lambda goal=goal: answers(counters) > 5 * goal, "answers", patience(30))
        tell_to_end(server, counters)
    equal(lost(counters), [], "what was lost")
    server.wait(0)


class Storm(threading.Thread):
    """Connects as fast as it can and lets go at once: with a FIN, with an RST, with half a request."""

    def __init__(self, address, pause=0):
        super().__init__()
        self.address = address
        self.pause = pause
        self.connected = 0
        self.ended = threading.Event()

    def run(self):
        while not self.ended.wait(self.pause):
            with socket.socket() as sock:
                if sock.connect_ex(self.address) != 0:
                    return
                self.connected += 1
                with contextlib.suppress(OSError):
                    if self.connected % 3 == 0:
                        sock.send(PLAIN[:20])
                    elif self.connected % 3 == 1:
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.timeout(120)
def test_a_drain_amid_a_storm(start):
    """Connections that come and go by the thousand: who asks is answered, and the drain comes to its end."""
    server = start("--workers", "8", "--header-timeout", "1s", "--backlog", "64")
    # ThreadSanitizer takes milliseconds for each fiber: who asks would wait behind thousands.
    slow = settings.sanitizer == "thread" and server.mode in settings.STACK_EACH
    storms = [Storm(server.address, 0.03 if slow else 0) for _ in range(3)]
    for storm in storms:
        storm.start()
    try:
        with counting([Counter(server, PLAIN, HELLO, 1, True)]) as (counter,):
            until(lambda: sum(storm.connected for storm in storms) > 600 and counter.answers > 5, "a storm", patience(60))
            tell_to_end(server, [counter])
    finally:
        for storm in storms:
            storm.ended.set()
            storm.join()
    equal(counter.lost, [], "what was lost")
    server.wait(0, seconds=30)


# Signals while it starts


@pytest.mark.timeout(120)
@pytest.mark.parametrize("number", params([("SIGTERM", signal.SIGTERM), ("SIGHUP", signal.SIGHUP)]))
def test_a_signal_at_any_moment_of_the_start(mode, folder, number):
    """Before it heeds signals it ends by them; from then on it ends as after a drain. No socket file stays of the latter."""
    path = os.path.join(folder, "socket")
    moments = 12 if settings.sanitizer == "thread" else 25  # a start takes longer then
    for step in range(moments + 1):
        child = process.spawn([settings.server_path, "--mode", mode, "--listen", f"unix:{path}"], env=environment(),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            if step == 0:  # the slowest, usually: files are read for the first time
                begun = time.monotonic()
                check(child.stdout.readline(), "the server did not start")
                whole = time.monotonic() - begun
            else:
                wait_busily(child, whole * step / moments)
            child.send_signal(number)
            if number == signal.SIGHUP:
                hung_up(child, is_up=step == 0)
            output, errors = child.communicate(timeout=patience(20))
        finally:
            process.end(child)
        errors = errors.decode()
        check(not COMPLAINT.search(errors), f"the server complains:\n{errors[:3000]}")
        check(child.returncode in ((0, -number) if step else (0,)), f"status {child.returncode}, stderr {errors!r}")
        check(child.returncode or not os.path.exists(path), "the socket file is still there")


def wait_busily(child, seconds):
    """A sleep would end where the scheduler likes."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and child.poll() is None:
        pass


def hung_up(child, is_up):
    """A SIGHUP that it heeds ends nothing: then it is told to end, once it is up."""
    if is_up or child.stdout.readline():
        child.send_signal(signal.SIGTERM)


# Many lives


def live(mode, deadline=20):
    """Start, one request, end; returns whether all was well."""
    child = process.spawn([settings.server_path, "--mode", mode, "--listen", "127.0.0.1:0", "--loops", "2", "--workers", "4"],
                          env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        line = child.stdout.readline().decode()
        check(line.startswith("listening on 127.0.0.1:"), f"stdout: {line!r}")
        with socket.create_connection(("127.0.0.1", int(line.rsplit(":", 1)[1])), patience(deadline)) as sock:
            sock.sendall(PLAIN)
            check(sock.recv(4096).endswith(HELLO), "no answer")
            child.send_signal(signal.SIGTERM)
            _, errors = child.communicate(timeout=patience(deadline))
    finally:
        process.end(child)
    equal((child.returncode, errors), (0, b""), "status and stderr")


@pytest.mark.release
@pytest.mark.timeout(180)
def test_lives(mode):
    """Eighty, one after the other, in each mode."""
    before = len(procfs.children(os.getpid()))
    for _ in range(80):
        live(mode)
    equal(len(procfs.children(os.getpid())), before, "processes that are left")


@pytest.mark.release
@pytest.mark.timeout(240)
def test_connections_that_are_reset_at_once(start, mode):
    """Then all is as before."""
    count = 5000 if mode in settings.PROCESS_EACH else 20000  # each takes a fork
    server = start("--workers", "8")
    for _ in range(50):
        equal(server.ask(PLAIN).status, 200, "status")
    until(lambda: not procfs.children(server.pid), "no process is left")
    descriptors, memory = procfs.descriptors(server.pid), procfs.resident(server.pid)
    linger = b"\1\0\0\0\0\0\0\0"
    for _ in range(count):
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            sock.connect(server.address)
    # The first one waits behind what the kernel has queued; in process each of those takes a fork.
    until(lambda: b'connections_open{mode="%s"} 1\n' % server.mode.encode() in server.ask(get(b"/metrics"), seconds=60).body,
          "all are gone", patience(60))
    until(lambda: not procfs.children(server.pid), "no process is left")
    until(lambda: procfs.descriptors(server.pid) <= descriptors, "the descriptors are back")
    if settings.sanitizer != "thread":  # which takes 9 MiB more for itself, once
        check(procfs.resident(server.pid) < memory + (8 << 20), f"{procfs.resident(server.pid)} bytes, {memory} before")
    server.stop()
