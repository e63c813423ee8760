# SPDX-License-Identifier: MIT
"""System calls that fail while clients are served: whoever is hit is told or loses the connection, all others are
answered right, and once the faults are over all is as before."""

import contextlib
import os
import resource

import pytest

from support import procfs, settings
from support.checks import check
from support.corpus import LAST, chunk, chunked, get, post
from support.rows import params
from injection import PLAIN, attempt, check_recovered, converse, end_of_faults, errors_in, hits, tracer, tracing

pytestmark = pytest.mark.native

BODY = bytes(range(256)) * 40
LARGE = bytes(range(256)) * 1200
REQUESTS = [
    (PLAIN, b"Hello, World!"), (post(b"/echo", BODY), BODY), (get(b"/delay/20ms"), b"Hello, World!"),
    (get(b"/block/20ms"), b"Hello, World!"), (chunked(b"/echo", chunk(BODY) * 3 + LAST), BODY * 3),
    (post(b"/echo", LARGE), LARGE), (get(b"/plaintext", b"Connection: close\r\n"), b"Hello, World!"),
]

RECEIVING = tuple(mode for mode in settings.MODES if mode not in settings.RINGS)  # by calls
# call, errors, which calls of each thread are hit, modes that make it while they serve
FAULTS = [
    ("accept4", "EMFILE ENFILE ENOMEM ENOBUFS EINTR ECONNABORTED EPROTO EAGAIN", "2+3", settings.MODES),
    ("recvfrom", "EAGAIN EINTR ECONNRESET ENOMEM ENOBUFS", "2+3", RECEIVING),
    ("recvfrom", "EAGAIN EINTR ECONNRESET ENOMEM ENOBUFS", "1+2", settings.RINGS),  # for large bodies, lingering closes and drains
    ("sendto", "EAGAIN EINTR ECONNRESET EPIPE ENOBUFS ENOMEM", "2+3", settings.MODES),
    ("poll", "EINTR EAGAIN ENOMEM", "1+2", settings.BLOCKING),
    ("epoll_ctl", "ENOMEM ENOSPC", "18+3", tuple(mode for mode in settings.LOOPS if mode in RECEIVING)),
    ("epoll_ctl", "ENOMEM ENOSPC", "12+1", settings.RINGS),  # only for lingering closes
    ("epoll_wait", "EINTR ENOMEM", "3+3", settings.MODES),
    ("io_uring_enter", "EINTR EAGAIN EBUSY ENOMEM", "3+3", settings.RINGS),
    ("clone3", "EAGAIN ENOMEM", "2+2", settings.THREAD_EACH),
    ("clone", "EAGAIN ENOMEM", "2+2", settings.PROCESS_EACH),
    ("shutdown", "ENOTCONN ENOBUFS", "1+1", settings.MODES),
]
ROUNDS = 4


def load(server):
    """Connections of one request and of several; returns how many requests were answered."""
    served = 0
    for number in range(ROUNDS):
        for request, body in REQUESTS:
            served += attempt(server, request, body) == 200
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            wires = [stack.enter_context(server.connect()) for _ in range(4)]
            for request, body in REQUESTS[:5]:
                wires = [wire for wire in wires if converse(wire, request, body)]
                served += len(wires)
            for wire in wires[number % 2:]:
                wire.reset()
        with server.connect() as malformed:
            malformed.send_what_goes(b"GET  / HTTP/1.1\r\n\r\n")  # a lingering close
    return served


def serve_through(start, folder, mode, call, error, when):
    path = os.path.join(folder, "calls")
    injection = tracing(path, [call], f"{call}:error={error}:when={when}")
    server = start("--loops", "2", "--workers", "8", mode=mode, **injection)
    tracer(server)
    served = load(server)
    end_of_faults(server)
    check(hits(path) >= 2, f"only {hits(path)} calls failed")
    check(served > 5, f"only {served} requests were answered")
    check_recovered(server)


def rows(faults):
    return [(f"{mode}-{call} {error}", mode, call, error, when) for call, errors, when, modes in faults
            for mode in modes for error in errors_in(mode, errors.split(), modes)]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode, call, error, when", params(rows(FAULTS)))
def test_calls_fail(start, folder, mode, call, error, when):
    serve_through(start, folder, mode, call, error, when)


@pytest.mark.release
@pytest.mark.timeout(120)
def test_no_memory(start):
    """Not a page more than it has; not under a sanitizer, which would need some itself."""
    server = start("--loops", "2", "--workers", "8")
    load(server)
    limits = resource.prlimit(server.pid, resource.RLIMIT_AS)
    size = 1024 * int(procfs.status(server.pid, "VmSize").split()[0])
    resource.prlimit(server.pid, resource.RLIMIT_AS, (size, limits[1]))
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.connect()) for _ in range(200)]
        for wire in wires:
            wire.send_until_stuck(post(b"/anything", LARGE)[:-1], 0)
        for wire in wires:
            wire.reset()
    check(load(server) > 5, "nobody was answered")
    resource.prlimit(server.pid, resource.RLIMIT_AS, limits)
    check_recovered(server)
