# SPDX-License-Identifier: MIT
"""System calls that fail on request: a server that strace started, and the clients that bear with it."""

import contextlib
import os
import signal

from support import process, procfs, settings
from support.checks import Failure, Skip, check, equal, until
from support.corpus import PLAIN, get
from support.idle import check_idle
from support.metrics import is_released
from support.settings import patience


def errors_in(mode, errors, modes):
    """All of them in the modes that have a driver of their own; the other modes share one, and get the error that most calls know."""
    own = (*settings.DRIVERS, "fiber")
    if mode in own or not set(own) & set(modes):
        return errors
    return ["ENOMEM"] if "ENOMEM" in errors else errors[:1]


def tracing(path, calls, *injections, to_the_end=False):
    """What starts the server under strace, with its pid for the server's own; see strace(1) for an injection. `to_the_end`: strace
    does not let go of it before it ends; then only the calls that are traced cost time."""
    strace = process.need("strace")
    options = [strace, "-D", "-I2", "-f", "-qq", "-o", path, "-e", "trace=" + ",".join(calls)]
    if to_the_end:
        options += ["--seccomp-bpf"]
    for injection in injections:
        options += ["-e", "inject=" + injection]
    # Leaks are not looked for: LeakSanitizer cannot while another traces.
    asan = ":".join(filter(None, ("detect_leaks=0", os.environ.get("ASAN_OPTIONS"))))
    return {"wrapper": ("env", "ASAN_OPTIONS=quarantine_size_mb=16:" + asan, *options)}


def tracer(server):
    number = int(procfs.status(server.pid, "TracerPid"))
    if not number:
        raise Skip("strace may not trace here")
    return number


def end_of_faults(server):
    """strace lets go of the server and ends: from now on every call is the system's again."""
    number = tracer(server)
    os.kill(number, signal.SIGTERM)
    pids = [server.pid, *procfs.children(server.pid)]
    if settings.sanitizer == "thread" and server.mode in settings.PROCESS_EACH:
        _let_go(number, pids)
    until(lambda: not any(_traced(pid) for pid in pids), "strace lets go", patience(20))


def _let_go(number, pids):
    """strace waits without end for a process that has ended while another thread of it stands still, as the one that
    ThreadSanitizer adds to each may. Then strace is killed, and the system lets go for it."""
    with contextlib.suppress(Failure):
        until(lambda: not any(_traced(pid) for pid in pids), "strace lets go by itself", 2)
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(number, signal.SIGKILL)


def _traced(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return any(procfs.is_traced(pid, thread) for thread in procfs.threads(pid))
    return False


def hits(path):
    """How many calls were made to fail, as strace tells."""
    with open(path, errors="replace") as file:
        return sum("(INJECTED)" in line for line in file)


def attempt(server, request, body=None, seconds=10):
    """One request on a connection of its own; "" if a fault hit it, else its status. What comes must be right."""
    try:
        with server.connect(seconds=seconds) as wire:
            return converse(wire, request, body)
    except OSError:
        return ""


def converse(wire, request, body=None):
    """The same on a connection that is there."""
    try:
        wire.send_what_goes(request)
        if wire.at_end():
            return ""
        answer = wire.answer(cut=True)
    except OSError:
        return ""
    except Failure:
        if wire.ended:  # inside a head
            return ""
        raise
    check(answer.status in (200, 503), f"got {answer}")
    if answer.status == 200 and answer.complete and body is not None:
        equal(answer.body, body, "the body")
    return answer.status if answer.complete else ""


def check_recovered(server):
    """As before the faults: every client is served, nothing is held, nothing turns, and the drain loses nobody.

    Returns what it wrote on stderr."""
    for _ in range(20):
        equal(server.ask(PLAIN).status, 200, "status after the faults")
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.connect()) for _ in range(10)]
        for wire in wires:
            wire.kept()
    until(lambda: is_released(server), "the connections are gone, and what they held", patience(10))
    equal(server.ask(get(b"/readyz")).status, 200, "/readyz")
    check_idle(server, 0.5)
    return server.stop()
