# SPDX-License-Identifier: MIT
"""Each system call of the start-up fails once, the first of its kind, the second, and so on: the server starts and
serves all the same, or ends with status 1 and one line on stderr."""

import os

import pytest

from support import settings
from support.checks import check, equal
from support.rows import params
from support.settings import patience
from injection import PLAIN, errors_in, tracing

pytestmark = pytest.mark.native

# call, errors it may give
CALLS = [
    ("socket", "EMFILE ENFILE ENOBUFS ENOMEM"), ("bind", "ENOBUFS EACCES"), ("listen", "EADDRINUSE"),
    ("epoll_create1", "EMFILE ENFILE ENOMEM"), ("epoll_ctl", "ENOMEM ENOSPC"), ("eventfd2", "EMFILE ENFILE ENOMEM"),
    ("timerfd_create", "EMFILE ENOMEM"), ("timerfd_settime", "EINVAL"), ("signalfd4", "EMFILE ENFILE ENOMEM"),
    ("clone3", "EAGAIN ENOMEM"), ("write", "ENOSPC EPIPE EIO"), ("setsockopt", "ENOBUFS"), ("getsockname", "ENOBUFS"),
    ("prlimit64", "EPERM"), ("pipe2", "EMFILE"), ("sched_getaffinity", "EINVAL"),
]
CALLS_OF_RINGS = [("io_uring_setup", "ENOSYS EPERM EINVAL ENOMEM EMFILE"), ("io_uring_register", "EINVAL ENOMEM EBUSY"), ("io_uring_enter", "EAGAIN ENOMEM EINTR")]
MOST = 40  # of one kind
FLAGS = ("--loops", "2", "--workers", "2")


def started(start, folder, call, *injections):
    """The server or, if it did not start, None; and what strace saw of the call."""
    path = os.path.join(folder, "calls")
    server = start(*FLAGS, expect_ready=False, **tracing(path, ["openat", call], *injections, to_the_end=True))
    ready = wait(server)
    with open(path, errors="replace") as file:
        return (server if ready else None), own_calls(file.read(), call)


def wait(server):
    """Whether it says that it listens; if not, that it has ended as it should."""
    if server.wait_ready():
        return True
    errors = server.wait(1)
    check(errors.startswith("echod: ") and errors.count("\n") == 1, f"expected one line on stderr, got {errors!r}")
    return False


def own_calls(text, call):
    """Lines of the call from main on: what the dynamic loader does is not ours. Places in the text from 1."""
    lines = text.splitlines()
    main = next((at for at, line in enumerate(lines) if '"/dev/null"' in line), 0)
    calls = [at for at, line in enumerate(lines) if f" {call}(" in line]
    return [place for place, at in enumerate(calls, 1) if at > main]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode, call, error", params([(f"{mode}-{call} {error}", mode, call, error) for call, errors in CALLS
                                                      for mode in settings.MODES
                                                      for error in errors_in(mode, errors.split(), settings.MODES)]))
def test_a_call_fails(start, folder, mode, call, error):
    server, places = started(start, folder, call)
    check(server is not None, "it does not start under strace")
    server.stop()
    for place in places[:MOST]:
        server, _ = started(start, folder, call, f"{call}:error={error}:when={place}")
        if server is not None:
            statuses = [server.ask(PLAIN, seconds=patience(5)).status for _ in range(4)]
            if call == "mmap" and server.mode in settings.STACK_EACH and 503 in statuses:
                statuses.remove(503)  # the call was for the stack of that connection
            equal(set(statuses), {200}, f"statuses after failed call {place}")
            server.stop()
            server.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode, call, error", params([(f"{mode}-{call} {error}", mode, call, error) for mode in settings.RINGS
                                                      for call, errors in CALLS_OF_RINGS for error in errors.split()]))
def test_a_call_of_a_ring_fails(start, folder, mode, call, error):
    test_a_call_fails(start, folder, mode, call, error)


@pytest.mark.release
@pytest.mark.timeout(120)
@pytest.mark.parametrize("call, error", params([(f"mmap {error}", "mmap", error) for error in ("ENOMEM", "EAGAIN")]))
def test_memory_fails(start, folder, mode, call, error):
    """Not under a sanitizer, whose own memory it would be."""
    test_a_call_fails(start, folder, mode, call, error)
