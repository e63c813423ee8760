# SPDX-License-Identifier: MIT
"""A full server, one that the system gives nothing more, one that has nothing to do, and one that loses a process."""

import os
import re
import resource
import select
import signal

import pytest

from support import procfs, settings
from support.answer import check_problem
from support.checks import check, equal, pause, until
from support.corpus import PLAIN, get, post
from support.idle import check_idle
from support.metrics import held, is_released, metrics
from support.rows import params
from support.server import many
from support.users import all_processes_taken, only_as_root, own_copy
from test_report import report


def check_refused(answer):
    check_problem(answer, 503)
    retry = answer.get("Retry-After")
    check(retry and retry.isdigit(), f"Retry-After: {retry!r}")
    check(answer.closes, f"no Connection: close in {answer}")


def until_served(server, seconds=10):
    """A new connection is served again."""

    def served():
        with server.connect() as wire:
            return wire.ask(PLAIN).status == 200

    until(served, "a new connection is served", seconds)


def until_ready(server):
    """Connections that were given up may have to be accepted first."""
    until(lambda: server.ask(get(b"/readyz")).status == 200, "/readyz says 200")


def answered(wires):
    """Those that have an answer, when no more of them get one for half a second."""
    found = []
    while more := select.select([wire.socket for wire in wires if wire not in found], (), (), 0.5)[0]:
        found += [wire for wire in wires if wire.socket in more]
    return found


# name, request, status on a connection that is refused
ON_A_FULL_SERVER = [
    ("plaintext", PLAIN, 503), ("healthz", get(b"/healthz"), 200), ("readyz", get(b"/readyz"), 503),
    ("echo", post(b"/echo", b"hello"), 503), ("echo of a large body", post(b"/echo", b"x" * 500000), 503),
    ("unknown path", get(b"/nix"), 503), ("pipelined", PLAIN * 3, 503), ("1.0", get(b"/plaintext", version=b"1.0"), 503),
    ("malformed", b"GET  / HTTP/1.1\r\n\r\n", 400), ("unknown method", b"NIX / HTTP/1.1\r\n\r\n", 501),
]


def test_a_full_server(start):
    server = start("--max-connections", "4")
    with many(server, 4) as served:
        for wire in served:
            wire.kept()
        for name, request, status in ON_A_FULL_SERVER:
            with server.connect() as wire:
                wire.send_what_goes(request)
                answer = wire.answer()
                equal(answer.status, status, name)
                check(answer.closes, f"no Connection: close to {name}")
                if status == 503:
                    check_refused(answer)
                wire.closed()
        for wire in served:
            wire.kept()
        equal(served[0].ask(get(b"/readyz")).status, 503, "/readyz on a connection that is served")
        refusals = sum(value for name, value in [
            (name, value) for name, value in _on(served[1]).items() if name.startswith("echod_refusals_total")])
        check(refusals >= 6, f"{refusals:g} refusals counted")
    until_served(server)
    until_ready(server)
    errors = server.stop()
    check("--max-connections" in errors and errors.count("\n") == 1, f"what is full was not said once: {errors!r}")


def _on(wire):
    """/metrics over a connection that is there."""
    text = wire.ask(get(b"/metrics")).body.decode()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}


def test_many_more_than_a_full_server_takes(start):
    """A few are refused at a time, the others wait their turn; those that say nothing do not stop it."""
    server = start("--max-connections", "4")
    with many(server, 4) as served:
        for wire in served:
            wire.kept()
        with many(server, 20) as silent, many(server, 60) as asking:
            for wire in asking:
                wire.send(PLAIN)
            check_idle(server, 0.5)
            for wire in silent[::2]:
                wire.reset()
            for wire in asking:
                check_refused(wire.answer())
                wire.closed()
                wire.close()
            for wire in served:
                wire.kept()
    until_served(server)


def test_a_place_that_becomes_free_is_taken(start):
    server = start("--max-connections", "2")
    with server.connect() as stays:
        stays.kept()
        for _ in range(20):
            until_served(server)
        stays.kept()


@pytest.mark.parametrize("mode", [mode for mode in settings.MODES if mode not in settings.PROCESS_EACH])
def test_who_has_seen_the_end_finds_the_place_free(start, mode):
    """In mode process it is free when the process has ended, after its descriptors were closed."""
    server = start("--max-connections", "1")
    for _ in range(500):
        with server.connect() as wire:
            equal(wire.ask(get(b"/plaintext", b"Connection: close\r\n")).status, 200, "status")
            wire.closed()


@pytest.mark.parametrize("limit", [64, 100])
def test_few_descriptors(start, limit):
    """More clients than descriptors: served, told to come back, or waiting; then all is well again."""
    server = start(limits={"NOFILE": limit})
    with many(server, 2 * limit) as wires:
        for wire in wires:
            wire.send(PLAIN)
        served = [wire for wire in answered(wires) if wire.answer().status == 200]
        check(len(served) > 8, f"only {len(served)} were served")
        check_idle(server)
        for wire in served:
            wire.kept()
    until_served(server)
    until_ready(server)


def full_at(server):
    """(the most connections that it serves, what limits them) as it says when it is full."""
    with many(server, 64) as wires:
        for wire in wires:
            wire.send(PLAIN)
        said = until(lambda: re.search(r"full: (\d+) connections, limited by (.*); refusing more", server.errors()), "it is full")
    return int(said[1]), said[2]


@pytest.mark.parametrize("mode", settings.DRIVERS)
def test_no_more_connections_than_descriptors_allow(start, mode):
    """Whatever is asked for."""
    few = {"NOFILE": 64}
    most, by = full_at(start(limits=few))
    for asked, limit in ((most - 1, (most - 1, "--max-connections")), (most, (most, "--max-connections")), (most + 1, (most, by))):
        equal(full_at(start("--max-connections", str(asked), limits=few)), limit, f"the limit with --max-connections {asked}")


def set_descriptors(server, soft):
    """Changes the limit of a running server."""
    _, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_no_descriptor_at_all(start):
    """Taken away while it runs: it waits without spinning, keeps whom it has, and goes on."""
    server = start()
    soft, _ = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
    with server.connect() as kept:
        kept.kept()
        set_descriptors(server, 4)
        with many(server, 5) as wires:
            for wire in wires:
                wire.send(PLAIN)
            check_idle(server)
            check(not any(wire.readable(0) for wire in wires), "answered without a descriptor")
            kept.kept()
            set_descriptors(server, soft)
            for wire in wires:
                equal(wire.answer().status, 200, "status")
    errors = server.stop()
    check("Too many open files" in errors and errors.count("\n") == 1, f"it was not said once: {errors!r}")


def some_user():
    """A number that nobody else runs as."""
    return 1000000 + os.getpid()


def test_the_limit_of_processes(start, mode, folder):
    """What the limit allows is served, and no more is tried."""
    only_as_root()
    server = start("--workers", "16", program=own_copy(folder), user=some_user(), limits={"NPROC": 40})
    with many(server, 80) as wires:
        for wire in wires:
            wire.send(PLAIN)
        answers = [wire.answer().status for wire in answered(wires)]
        if mode in settings.TASK_EACH:
            check(answers.count(503) > 0, "nobody was refused")
        check(answers.count(200) >= 16, f"only {answers.count(200)} were served")
        check_idle(server)
    until_served(server)


def test_no_thread_or_process_to_be_had(start, mode, folder):
    """Others of the same user take them all: refused, then served again."""
    only_as_root()
    user = some_user()
    server = start("--workers", "4", program=own_copy(folder), user=user, limits={"NPROC": 60})
    with all_processes_taken(user):
        with many(server, 6) as wires:
            for wire in wires:
                wire.send(PLAIN)
                answer = wire.answer()
                if mode in settings.TASK_EACH:
                    check_refused(answer)
                else:
                    equal(answer.status, 200, "status")
            check_idle(server)
    until_served(server)
    until_ready(server)


@pytest.mark.parametrize("mode", settings.TASK_EACH)
def test_after_failed_starts_every_place_is_free(start, mode, folder):
    """More threads or processes that could not be started than connections may be open."""
    only_as_root()
    user = some_user()
    server = start("--max-connections", "4", program=own_copy(folder), user=user, limits={"NPROC": 60})
    with all_processes_taken(user):
        for _ in range(10):
            check_refused(server.ask(PLAIN))

    def all_at_once():
        with many(server, 4) as wires:
            return all(wire.ask(PLAIN).status == 200 for wire in wires)

    until(all_at_once, "four are served at once")


# Nothing to do


def test_idle_with_100_connections(start):
    """Once each has begun to be served: until then half of the processes are still being made."""
    server = start("--workers", "128")
    with many(server, 100) as wires:
        for wire in wires[:50]:
            wire.kept()
        until(lambda: sum(value for name, value in _on(wires[0]).items() if name.startswith("echod_connections_total")) == 100,
              "all are served")
        check_idle(server, 2)
        for wire in wires:
            wire.kept()


def _switches(server):
    """Voluntary context switches of all threads but the first, which minds the date."""
    tasks = [f"{server.pid}/task/{thread}" for thread in procfs.threads(server.pid) if thread != server.pid]
    return sum(int(procfs.status(task, "voluntary_ctxt_switches")) for task in tasks)


@pytest.mark.parametrize("mode", settings.LOOPS)
def test_loops_without_connections_sleep(start, mode):
    """They do not even sweep."""
    server = start("--loops", "2", mode=mode)
    equal(server.ask(PLAIN).status, 200, "status")

    def sleeps():
        before = _switches(server)
        pause(1.2)
        return _switches(server) == before

    check(any(sleeps() for _ in range(4)), "the loops wake up without a connection")


WAITS = [("delay", b"/delay/1800ms"), ("echo with a delay", b"/echo?delay=1800ms"), ("block", b"/block/1800ms"),
         ("drip", b"/drip?numbytes=3&duration=1800ms")]


@pytest.mark.parametrize("path", params(WAITS))
def test_idle_while_answers_wait(start, path):
    """With clients that have finished sending, that have gone, that send more, and that wait."""
    server = start("--workers", "8")
    with many(server, 4) as wires:
        for index, wire in enumerate(wires):
            kind = ("waits", "fin", "reset", "pipelined")[index % 4]
            wire.send(get(path) + (PLAIN * 500 if kind == "pipelined" else b""))
        pause(0.2)  # the answers have begun to wait
        for wire in wires[1::4]:
            wire.finish()
        for wire in wires[2::4]:
            wire.reset()
        check_idle(server)


def test_bytes_that_come_while_an_answer_waits(start):
    """More than a buffer of them, one by one, then FIN or RST behind them."""
    server = start()
    with server.connect() as fin, server.connect() as reset:
        for wire in (fin, reset):
            wire.send(get(b"/delay/1800ms"))
            wire.send_until_stuck(PLAIN * 20000, 0.1)
        fin.finish()
        reset.reset()
        check_idle(server)
        equal(fin.answer().status, 200, "status")


@pytest.mark.parametrize("message", params([
    ("delay", get(b"/delay/9s")), ("echo with a delay", get(b"/echo?delay=9s")), ("drip", get(b"/drip?duration=9s")),
    ("bytes", get(b"/bytes/1073741824")), ("half a body", post(b"/echo", b"x" * 1000000)[:-1]),
]))
def test_who_has_gone_is_noticed(start, message):
    """A reset ends what was waiting, long before its time."""
    server = start()
    with server.connect() as wire:
        wire.send(message)
        wire.readable(0.1)
        wire.reset()
    until(lambda: is_released(server), "the connection is gone, and what it held", 5)


def test_whose_work_is_of_no_use_any_more(start):
    """Clients that go away while their work is done harm nobody, also where that is noticed before the work ends."""
    server = start("--workers", "2")
    with many(server, 8) as wires:
        for index, wire in enumerate(wires):
            wire.send(get(b"/block/1500ms" if index % 2 else b"/compute/3000000") + PLAIN)
        for wire in wires:
            wire.reset()
    until(lambda: metrics(server)["echod_connections_open"] == 1, "the connections are gone", 20)
    equal(server.ask(PLAIN).status, 200, "status")


# Processes


def killable(server):
    """A connection and the process that serves it."""
    before = set(procfs.children(server.pid))
    wire = server.connect()
    wire.kept()
    (pid,) = set(procfs.children(server.pid)) - before
    return wire, pid


@pytest.mark.modeless
def test_a_process_holds_its_connection_only(start):
    """Beside the three standard descriptors: a listening socket in a child would keep the port in use."""
    server = start(mode="process")
    wire, pid = killable(server)
    equal(procfs.descriptors(pid), 4, "descriptors of the child")
    wire.close()


@pytest.mark.modeless
def test_a_killed_process_loses_its_connection_only(start):
    server = start(mode="process")
    pairs = [killable(server) for _ in range(6)]
    (lost, pid), *others = pairs
    lost.send(get(b"/delay/9s"))
    os.kill(pid, signal.SIGKILL)
    check(lost.at_end(), "the connection of a killed process goes on")
    for wire, _ in others:
        wire.kept()
    until(lambda: f"process {pid} was killed by signal 9" in server.errors(), "it is said on stderr")
    equal(metrics(server)["echod_crashed_processes_total"], 1, "echod_crashed_processes_total")
    for wire, _ in pairs:
        wire.close()
    until(lambda: metrics(server)["echod_connections_open"] == 1, "all are gone")


@pytest.mark.modeless
def test_a_killed_process_gives_back_what_it_held(start):
    """Its place and the bytes that were counted for it."""
    server = start("--max-connections", "3", "--max-buffer-memory", "1m", mode="process")
    for _ in range(5):
        wire, pid = killable(server)
        wire.send(post(b"/anything", b"x" * 900000)[:-1])
        until(lambda: (held(server) or 0) > 800000, "the body is held")
        os.kill(pid, signal.SIGKILL)
        check(wire.at_end(), "the connection of a killed process goes on")
        wire.close()
        until(lambda: held(server) == 0, "nothing is held")  # there is no page while the last one's process is not gone


@pytest.mark.modeless
def test_killed_processes_under_load(start):
    """Nobody else loses an answer."""
    server = start(mode="process")
    with many(server, 20) as wires:
        for wire in wires:
            wire.kept()
        victims = procfs.children(server.pid)[:5]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        until(lambda: server.errors().count("was killed by signal 9") == 5, "five are named on stderr")
        for wire in wires:
            wire.send_what_goes(PLAIN)
        answered = sum(not wire.at_end() and wire.answer().status == 200 for wire in wires)
        equal(answered, 15, "connections that go on")


@pytest.mark.modeless
def test_no_process_is_left_behind(start):
    """A server that is killed takes its processes with it, also those that will not look around for long."""
    server = start(mode="process")
    with many(server, 5) as wires:
        for wire in wires:
            wire.kept()
        for wire in wires[:2]:
            wire.send(get(b"/block/9s"))
        until(lambda: report(server)[0]["working"] == 2, "two are at work")
        children = procfs.children(server.pid)
        equal(len(children), 5, "processes")
        server.signal(signal.SIGKILL)
        server.wait(-signal.SIGKILL)
        for wire in wires:
            check(wire.at_end(), "a connection goes on")
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "they are gone", 5)


def test_connections_are_counted_once(start):
    """Those too that linger, wherever that is done."""
    server = start()
    for _ in range(10):
        server.ask(b"nonsense\r\n\r\n")
    equal(metrics(server)["echod_connections_total"], 11, "echod_connections_total")
