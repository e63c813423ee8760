# SPDX-License-Identifier: MIT
"""The system has no descriptor, thread, process or memory for a connection more: what clients, /readyz, /metrics and stderr say,
and what becomes of the kernel's queue when the server drains meanwhile."""

import collections
import contextlib
import os
import resource
import signal
import time

import pytest

from support import procfs, settings
from support.admin import ask, start_with_admin
from support.answer import check_problem
from support.checks import at_least, at_most, check, equal, pause, until
from support.corpus import PLAIN, get, post
from support.rows import params
from support.server import many
from support.users import all_processes_taken, only_as_root, own_copy

READY = get(b"/readyz")
UPLOAD = post(b"/echo", b"x" * 2000)


def outcomes(wires):
    """How each ended: its status, or how the connection did."""
    found = collections.Counter()
    for wire in wires:
        if wire.at_end():
            found[wire.ended] += 1
        else:
            found[wire.answer().status] += 1
            check(wire.at_end(), "more than an answer")
        wire.close()
    return found


# The drain


@pytest.mark.timeout(120)
@pytest.mark.parametrize("held", params([("180 held", 180), ("more held than there is room for", 260)]))
def test_a_drain_without_descriptors(start, held):
    """What has come is answered or refused, however many it is: as connections end, their descriptors serve the next."""
    server = start("--drain-timeout", "1m", limits={"NOFILE": 200})
    with many(server, held, seconds=30), many(server, 300, seconds=30) as wires:
        for wire in wires:
            wire.send(UPLOAD)
        server.signal(signal.SIGTERM)
        found = outcomes(wires)
        equal(found[200] + found[503], 300, f"answers of 300, {dict(found)}")
        server.wait(0, seconds=30)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", settings.TASK_EACH)
def test_a_drain_without_threads_or_processes(start, folder, mode):
    """Others take them all, and go on doing so: what the kernel has queued is refused, and none of it is lost."""
    only_as_root()
    user = 5000000 + os.getpid()
    asan = ":".join(filter(None, ("detect_leaks=0", os.environ.get("ASAN_OPTIONS"))))  # that takes a process at the end
    server = start("--drain-timeout", "1m", program=own_copy(folder), user=user, limits={"NPROC": 40}, env={"ASAN_OPTIONS": asan})
    with contextlib.ExitStack() as stack:
        server.signal(signal.SIGSTOP)
        stack.enter_context(all_processes_taken(user, 40))
        wires = stack.enter_context(many(server, 60, seconds=30))
        for wire in wires:
            wire.send(UPLOAD)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        equal(dict(outcomes(wires)), {503: 60}, "answers")
        server.wait(0, seconds=30)


# Readiness, and what is said


def refusals(admin, reason):
    page = ask(admin, get(b"/metrics")).body.decode()
    (line,) = [line for line in page.splitlines() if line.startswith("echod_refusals_total{") and f'reason="{reason}"' in line]
    return int(line.split()[1])


def check_refused(server, count=1):
    """New connections get a 503 that can be read, and leave again."""
    for _ in range(count):
        with server.connect() as wire:
            answer = wire.ask(PLAIN)
            check_problem(answer, 503)
            check(answer.get("Retry-After"), f"no Retry-After in {answer}")
            wire.closed()


def stays_unready(server, admin, seconds):
    """However often a refused connection ends, and whether any comes at all."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        equal(ask(admin, READY).status, 503, "/readyz while every new connection is refused")
        check_refused(server)
        equal(ask(admin, READY).status, 503, "/readyz when one that was refused has left")
        pause(0.05)


def until_ready(admin):
    until(lambda: ask(admin, READY).status == 200, "/readyz says 200", 10)


@pytest.mark.modeless
def test_a_full_queue(start):
    """pool: not ready while the next connection would be refused, though the last one that was has left."""
    server, admin = start_with_admin(start, "--workers", "1", "--queue", "2", mode="pool")
    with server.connect() as served:
        served.kept()
        served.send(UPLOAD[:-1])  # within a request, for a worker leaves a client that is silent between them when others wait
        with server.connect() as first, server.connect() as second:
            until(lambda: ask(admin, READY).status == 503, "/readyz says that the queue is full")
            check_refused(server, 3)
            stays_unready(server, admin, 1)
            check(refusals(admin, "queue") > 3, "refusals for want of room in the queue are not counted")
            equal(served.ask(UPLOAD[-1:], "POST").status, 200, "status")
            for wire in (first, second):
                equal(wire.ask(get(b"/plaintext", b"Connection: close\r\n")).status, 200, "status")
        until_ready(admin)
    errors = server.stop()
    check("--queue" in errors and errors.count("\n") == 1, f"it was not said once: {errors!r}")


@pytest.mark.timeout(90)
@pytest.mark.parametrize("mode", settings.TASK_EACH)
def test_no_thread_or_process(start, folder, mode):
    """Others take them all: not ready until there are some again, which is found without a client."""
    only_as_root()
    user = 2000000 + os.getpid()
    server, admin = start_with_admin(start, program=own_copy(folder), user=user, limits={"NPROC": 60})
    with server.connect() as kept:
        kept.kept()
        with all_processes_taken(user):
            until(lambda: server.ask(PLAIN).status == 503, "refused")
            stays_unready(server, admin, 2.5)
            check(refusals(admin, "system") > 3, "refusals for want of threads or processes are not counted")
            kept.kept()
        until_ready(admin)
    equal(server.ask(PLAIN).status, 200, "status")
    errors = server.stop()
    check("temporarily unavailable" in errors and errors.count("\n") == 1, f"it was not said once: {errors!r}")


def test_no_descriptor(start):
    """Nobody can be accepted: a kept connection is told that the server is not ready, and when it is again."""
    server = start()
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    with server.connect() as kept:
        equal(kept.ask(READY).status, 200, "/readyz before")
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (4, hard))
        with server.connect() as waiting:
            waiting.send(PLAIN)
            until(lambda: kept.ask(READY).status == 503, "/readyz says 503")
        for _ in range(15):  # whoever waited has gone
            equal(kept.ask(READY).status, 503, "/readyz")
            pause(0.1)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))
        until(lambda: kept.ask(READY).status == 200, "/readyz says 200 by itself", 10)


# Refusing


def test_polite_ones_behind_silent_ones(start):
    """Whoever says nothing makes room when others wait, and is told too; 16 at a time would be told after 2 s else."""
    server = start("--max-connections", "2")
    with many(server, 2, seconds=30) as served:
        for wire in served:
            wire.kept()
        with many(server, 240, seconds=30) as silent, many(server, 20, seconds=30) as polite:
            begun = time.monotonic()
            for wire in polite:
                wire.send(PLAIN)
            for wire in polite:
                equal(wire.answer().status, 503, "status")
                wire.closed()
                wire.close()
            at_most(time.monotonic() - begun, settings.patience(5), "seconds until polite clients had their answers")
            for wire in silent:
                equal(wire.answer().status, 503, "status of one that never asked")
                wire.closed()


# Those that linger make room


def lingers(wire):
    """Its answer is read, and the server reads on."""
    wire.send(b"NIX / HTTP/1.1\r\n\r\n")
    wire.problem(501)


def the_older_gives_way(server, forbid):
    """Of two connections that linger, once `forbid` has seen to it that the system gives nothing for a third."""
    with server.connect() as first, server.connect() as second:
        first.kept()
        second.kept()
        forbid()
        lingering_since = time.monotonic()
        lingers(first)
        pause(0.3)
        lingers(second)
        begun = time.monotonic()
        with server.connect() as third:
            third.send(PLAIN)
            while not third.readable(0.1):  # they are not silent: nothing but the third ends their lingering before 30 s
                at_most(time.monotonic() - begun, 20, "seconds until it was served")
                first.send_what_goes(b"x")
                second.send_what_goes(b"x")
            equal(third.answer().status, 200, "status")
            at_least(time.monotonic() - lingering_since, 0.45, "seconds that the older one could linger")
            until(lambda: first.was_reset(), "the older one is closed", 2)
            check(not second.was_reset(), "the younger one is closed")


def forbid_descriptors(server):
    """Those that it has are all it gets."""
    highest = max(int(number) for number in os.listdir(f"/proc/{server.pid}/fd"))
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (highest + 1, resource.prlimit(server.pid, resource.RLIMIT_NOFILE)[1]))


@pytest.mark.parametrize("mode", [mode for mode in settings.MODES if mode not in settings.PROCESS_EACH])
def test_a_drain_without_descriptors_frees_the_path(start, folder, mode):
    """The listeners stay open until the last connection is accepted; another server need not wait for that."""
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", lines=2)
    with server.connect() as served:
        served.kept()
        served.send(UPLOAD[:-1])
        forbid_descriptors(server)
        with server.connect() as waiting:
            waiting.send(PLAIN)
            waiting.silent(0.2)
            server.signal(signal.SIGTERM)
            until(lambda: not os.path.exists(path), "the socket file is gone", 2)
            waiting.silent(0.2)
            equal(served.ask(UPLOAD[-1:], "POST").status, 200, "status")
            equal(waiting.answer().status, 200, "status of the one that waited")
    server.wait(0)


@pytest.mark.parametrize("mode", [mode for mode in settings.MODES if mode not in settings.PROCESS_EACH])
def test_a_lingering_connection_gives_its_descriptor_to_a_new_one(start, mode):
    """In mode process they are not the server's but its children's."""
    server = start()
    the_older_gives_way(server, lambda: forbid_descriptors(server))


@pytest.mark.parametrize("mode", settings.TASK_EACH)
def test_a_lingering_connection_gives_its_thread_or_process_to_a_new_one(start, folder, mode):
    """The new one waits instead of being refused."""
    only_as_root()
    user = 4000000 + os.getpid()
    server = start(program=own_copy(folder), user=user, limits={"NPROC": 40})
    with contextlib.ExitStack() as stack:

        def forbid():
            tasks = sum(len(procfs.threads(pid)) for pid in (server.pid, *procfs.children(server.pid)))
            stack.enter_context(all_processes_taken(user, 40 - tasks))

        the_older_gives_way(server, forbid)


# Starting


@pytest.mark.parametrize("mode, flag, count", [*((mode, "--workers", "500") for mode in settings.WITH_WORKERS),
                                               *((mode, "--loops", "500") for mode in settings.LOOPS_ALONE)])
def test_no_threads_to_start_with(start, folder, mode, flag, count):
    """One line names the flag that asks for them and the limit that forbids them."""
    only_as_root()
    server = start(flag, count, program=own_copy(folder), user=3000000 + os.getpid(), limits={"NPROC": 12},
                   expect_ready=False)  # so few that the locked memory of their rings is not what is short
    check(not server.wait_ready(), "it starts")
    errors = server.wait(1)
    check(errors.count("\n") == 1 and flag in errors and "ulimit -u 12" in errors, f"stderr: {errors!r}")


@pytest.mark.parametrize("mode", ["uring"])
def test_no_memory_for_rings(start, folder):
    """Newer kernels count a ring as memory that its user has locked. One line names the flag and the limit."""
    only_as_root()
    server = start("--loops", "2", program=own_copy(folder), user=3000000 + os.getpid(), limits={"MEMLOCK": 4096}, expect_ready=False)
    if server.wait_ready():
        server.stop()
        pytest.skip("this kernel does not count rings as locked memory")
    errors = server.wait(1)
    check(errors.count("\n") == 1 and "--loops" in errors and "ulimit -l" in errors, f"stderr: {errors!r}")
