# SPDX-License-Identifier: MIT
"""The system calls of a request on a connection that is kept, seen from outside by strace."""

import os
import re
import signal
import subprocess
import time

import pytest

from support import process, procfs, settings
from support.checks import check, until
from support.corpus import get, post
from support.rows import params
from support.settings import patience

pytestmark = pytest.mark.native

REQUESTS = 50
CALLS_OF_LOOPS = ["epoll_wait", "recvfrom", "sendto"]
CALLS_OF_RINGS = ["io_uring_enter"]
CALLS_OF_OTHERS = ["recvfrom", "sendto"]


def trace(pid, path, talk):
    """What strace writes of a process while talk() runs."""
    child = process.spawn([process.need("strace"), "-f", "-p", pid, "-o", path], stderr=subprocess.DEVNULL)
    try:
        until(lambda: child.poll() is not None or all(procfs.is_traced(pid, thread) for thread in procfs.threads(pid)),
              "strace is attached", patience(10))
        if child.poll() is not None:
            pytest.skip("strace may not attach here")
        talk()
        child.send_signal(signal.SIGINT)
        child.wait(patience(10))
    finally:
        process.end(child)
    with open(path) as file:
        return file.read()


def calls_of(text, number):
    """The names of the calls that the thread has begun, in order."""
    found = []
    for line in text.splitlines():
        match = re.match(r"(\d+) +(\w+)\(", line)
        if match and int(match[1]) == number:
            found.append(match[2])
    return found


@pytest.mark.parametrize("message", params([
    ("plaintext", get(b"/plaintext")), ("echo", post(b"/echo", b"x" * 1000)), ("pipelined", get(b"/plaintext") * 5), ("status", get(b"/status/404")),
]))
def test_a_request_on_a_kept_connection(start, mode, folder, message):
    server = start("--loops", "1")
    with server.connect() as wire:
        def ask():
            wire.send(message)
            for _ in range(message.count(b"HTTP/1.1")):
                wire.answer()

        ask()
        pid = procfs.children(server.pid)[0] if mode in settings.PROCESS_EACH else server.pid

        def ask_often():
            for _ in range(REQUESTS):
                ask()

        began = time.monotonic()
        text = trace(pid, os.path.join(folder, "calls"), ask_often)
        took = time.monotonic() - began  # strace's own time, too: the server sweeps meanwhile
    wanted = CALLS_OF_RINGS if mode == "uring" else CALLS_OF_LOOPS if mode in settings.LOOPS else CALLS_OF_OTHERS
    receives, sends = wanted[-2:][0], wanted[-1]  # a ring does both in one
    received = [int(line.split()[0]) for line in text.splitlines() if f" {receives}(" in line]
    check(received, f"no {receives} at all:\n{text[:1000]}")
    calls = calls_of(text, max(set(received), key=received.count))
    steady = calls[calls.index(sends):] if sends in calls else calls
    rounds = "".join(f"{name} " for name in steady).count(" ".join(wanted) + " ")
    check(rounds >= REQUESTS - 5, f"only {rounds} of {REQUESTS} requests took {wanted}: {calls[:60]}")
    others = [name for name in steady if name not in wanted]
    most = 4 * (1 + int(took))  # a sweep a second, at most
    check(len(others) <= most, f"what else was called in {took:.1f} s: {others}")
    check(rounds <= REQUESTS + most, f"{REQUESTS} requests took {rounds} times {wanted}")
