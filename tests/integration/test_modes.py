# SPDX-License-Identifier: MIT
"""What sets the modes apart, and that the answers do not."""

import contextlib
import random
import signal
import time

import pytest

from support import procfs, settings
from support.answer import check_problem, masked
from support.checks import at_most, check, equal, until
from support.corpus import ALL, PLAIN, exchange, get, post
from support.metrics import metrics
from support.report import report
from support.rows import params
from test_drain import begin
from test_resources import many


def in_pieces(data):
    """Few of them, at places that are the same each time."""
    places = sorted(random.Random(len(data)).sample(range(1, len(data)), min(5, len(data) - 1)))
    return [data[first:last] for first, last in zip([0, *places], [*places, len(data)])]


@pytest.mark.parametrize("item", params([item.row() for item in ALL]))
def test_the_answers_are_the_same(servers, item):
    """Byte for byte in every mode, whole or in pieces, except for what may differ between modes."""
    wanted, first = None, None
    for mode, server in servers.items():
        for pieces in ([item.data], in_pieces(item.data)):
            with server.connect() as wire:
                answers = exchange(wire, item, pieces)
                equal(tuple(answer.status for answer in answers), item.statuses, f"statuses [{mode}]")
                got = b"\n\n".join(masked(answer) for answer in answers)
            if item.short:  # how much of an answer was sent before it was cut is a matter of timing
                got = got.split(b"\r\n\r\n")[0]
            wanted, first = (got, mode) if wanted is None else (wanted, first)
            equal(got, wanted, f"the answers of {mode}, beside those of {first},")


WORK = [("compute", get(b"/compute/1000")), ("compute more", get(b"/compute/1000000")), ("compute nothing", get(b"/compute/0")),
        ("delay", get(b"/delay/20ms")), ("block", get(b"/block/20ms")), ("drip", get(b"/drip?numbytes=30&duration=100ms")),
        ("echo with a delay", post(b"/echo?delay=30ms&status=201", b"hello")),
        ("all behind each other", get(b"/delay/20ms") + get(b"/compute/10") + PLAIN + get(b"/block/5ms") + PLAIN)]


@pytest.mark.parametrize("data", params(WORK))
def test_the_answers_of_work_are_the_same(servers, data):
    found = {}
    for mode, server in servers.items():
        with server.connect() as wire:
            wire.send(data)
            wire.finish()
            found[mode] = b"\n\n".join(masked(answer) for answer in wire.answers())
            check(found[mode].startswith(b"HTTP/1.1 2"), f"[{mode}] {found[mode][:200]!r}")
    first = next(iter(found))
    for mode, got in found.items():
        equal(got, found[first], f"the answers of {mode}, beside those of {first},")


@pytest.mark.parametrize("mode", settings.LOOPS_WITH_WORKERS)
def test_work_does_not_stall_the_loops(start):
    """One loop, all workers busy: the others are served at once."""
    server = start("--loops", "1", "--workers", "2")
    with many(server, 6) as busy, server.connect() as wire:
        for item in busy:
            item.send(get(b"/block/500ms"))
        begun = time.monotonic()
        for _ in range(20):
            wire.kept()
        at_most(time.monotonic() - begun, 0.45, "seconds for 20 requests")
        for item in busy:
            equal(item.answer().status, 200, "status")
        check(1.4 < time.monotonic() - begun < settings.patience(5), "6 pieces of 500 ms are no three waves for two workers")


@pytest.mark.parametrize("mode", settings.LOOPS_ALONE)
def test_work_stalls_a_loop_without_workers(start):
    """That is the lesson: with one loop nobody is served meanwhile."""
    server = start("--loops", "1")
    with server.connect() as busy, server.connect() as wire:
        wire.kept()
        busy.send(get(b"/block/500ms"))
        wire.silent(0.1)
        wire.send(PLAIN)
        wire.silent(0.2)
        equal(wire.answer().status, 200, "status")
        equal(busy.answer().status, 200, "status")


@pytest.mark.parametrize("last", params([
    ("HTTP/1.0", get(b"/plaintext", version=b"1.0")), ("Connection: close", get(b"/plaintext", b"Connection: close\r\n")),
]))
@pytest.mark.parametrize("used", params([("first", False), ("later", True)]))
def test_a_close_does_not_wait_for_work(start, last, used):
    """Both requests are there when the only loop looks; the last answer of one connection may take its time, but no longer."""
    server = start("--loops", "1")
    with server.connect() as busy, server.connect() as wire:
        busy.kept()
        if used:
            wire.kept()
        until(lambda: sum(report(server)[0].values()) == 2, "the loop has both connections")
        server.signal(signal.SIGSTOP)
        until(lambda: procfs.status(server.pid, "State").startswith(("T", "t")), "stopped")
        wire.send(last)
        busy.send(get(b"/block/2s"))
        server.signal(signal.SIGCONT)
        begun = time.monotonic()
        equal(wire.answer().status, 200, "status")
        wire.closed()
        at_most(time.monotonic() - begun, 1, "seconds until the connection is closed")
        equal(busy.answer().status, 200, "status")


@pytest.mark.parametrize("mode", settings.LOOPS_WITH_WORKERS)
def test_a_full_queue(start):
    """503 with Retry-After; the connection is kept, and served when there is room."""
    server = start("--loops", "1", "--workers", "1", "--queue", "2")
    with many(server, 8) as wires:
        for wire in wires:
            wire.send(get(b"/block/300ms"))
        answers = [wire.answer() for wire in wires]
        refused = [answer for answer in answers if answer.status == 503]
        check(3 <= len(refused) <= 5, f"{len(refused)} of 8 were refused where 3 find room")
        for answer in refused:
            check_problem(answer, 503)
            check((answer.get("Retry-After") or "").isdigit(), f"Retry-After: {answer.get('Retry-After')!r}")
        for wire, answer in zip(wires, answers):
            if not answer.closes:
                wire.kept()
        equal(metrics(server)['echod_refusals_total{reason="queue"}'], len(refused), "refusals counted")
        equal(server.ask(get(b"/block/10ms")).status, 200, "status when there is room again")
        equal(metrics(server)["echod_queue_depth"], 0, "echod_queue_depth")


@pytest.mark.parametrize("mode", settings.LOOPS_WITH_WORKERS)
def test_thousands_of_requests_that_find_the_queue_full(start):
    """Each is refused in its turn: neither does the stack grow with their number, nor do others wait for the last of them."""
    work = get(b"/block/0")
    count = 900 * 1024 // len(work)
    server = start("--loops", "1", "--workers", "1", "--queue", "1", "--max-buffer-memory", "64m")
    with many(server, 2) as workers, server.connect(seconds=60) as wire:
        for worker in workers:
            worker.send(get(b"/block/3s"))
        until(lambda: metrics(server)["echod_queue_depth"] == 1, "the queue is full")
        wire.send(get(b"/bytes/10000000") + work * count)
        equal(len(wire.answer().body), 10000000, "bytes of the answer before them")
        begun = time.monotonic()
        with server.connect() as other:
            other.kept()
        at_most(time.monotonic() - begun, 2, "seconds that another one waits")
        for _ in range(count):
            check(wire.answer().status in (200, 503), "neither answered nor refused")
        for worker in workers:
            equal(worker.answer().status, 200, "status")


@pytest.mark.modeless
def test_a_silent_client_that_waited_too_long_holds_no_worker(start):
    """It gets its 503 without a request, so that the next one has its turn."""
    server = start("--workers", "1", "--header-timeout", "1s", "--idle-timeout", "30s", mode="pool")
    with server.connect() as busy, contextlib.ExitStack() as stack:
        busy.send(get(b"/block/2s"))
        until(lambda: report(server)[0]["working"] == 1, "the worker works")
        silent, last = (stack.enter_context(server.connect()) for _ in range(2))
        until(lambda: report(server)[0]["queued"] == 2, "two wait")
        last.send(PLAIN)
        begun = time.monotonic()
        equal(busy.answer().status, 200, "status")
        busy.close()
        equal(silent.answer().status, 503, "status of the silent one")
        equal(last.answer().status, 503, "status of the last one")
        at_most(time.monotonic() - begun, 15, "seconds")


@pytest.mark.modeless
def test_waves_of_a_pool(start):
    """One connection for each worker at a time."""
    server = start("--workers", "3", mode="pool")
    begun = time.monotonic()
    with many(server, 9) as wires:
        for wire in wires:
            wire.send(get(b"/delay/300ms"))
        ends = []
        for wire in wires:
            equal(wire.answer().status, 200, "status")
            ends.append(time.monotonic() - begun)
        check(ends[0] > 0.28 and ends[3] > 0.58 and ends[8] > 0.88, f"answered after {ends}")
        at_most(ends[8], settings.patience(3), "seconds to the last")


@pytest.mark.modeless
def test_workers_of_a_pool_leave_kept_connections_for_those_that_wait(start):
    server = start("--workers", "2", mode="pool")
    with many(server, 2) as kept, many(server, 6) as waiting:
        for wire in kept:
            wire.send(PLAIN)
            wire.answer()
        for wire in waiting:
            wire.send(PLAIN)
            equal(wire.answer().status, 200, "status")
    with server.connect() as wire:
        wire.kept()


@pytest.mark.modeless
def test_idle_connections_of_a_pool_give_way(start):
    """Silent between requests, long before the idle timeout, once others wait for a worker."""
    server = start("--workers", "2", mode="pool")
    with many(server, 2) as idle:
        for wire in idle:
            wire.kept()
        with many(server, 2) as waiting:
            for wire in waiting:
                wire.send(PLAIN)
            for wire in waiting:
                equal(wire.answer().status, 200, "status")
        check(any(wire.readable(0) and wire.at_end() for wire in idle), "no idle connection was closed")


@pytest.mark.modeless
def test_a_new_connection_of_a_pool_does_not_give_way(start):
    """Its request may be on the way: it is served, and closed behind its first answer."""
    server = start("--workers", "1", mode="pool")
    with server.connect() as new, server.connect() as waiting:
        waiting.send(PLAIN)
        new.silent(1.5)
        new.send(PLAIN)
        answer = new.answer()
        check(answer.status == 200 and answer.closes, f"got {answer}")
        equal(waiting.answer().status, 200, "status")


@pytest.mark.modeless
def test_a_full_queue_of_a_pool(start):
    server = start("--workers", "1", "--queue", "2", mode="pool")
    with server.connect() as busy, contextlib.ExitStack() as stack:
        busy.kept()
        busy.send(get(b"/delay/1s"))
        waiting = [stack.enter_context(server.connect()) for _ in range(2)]
        for wire in waiting:
            wire.send(PLAIN)
        with server.connect() as refused:
            refused.send(PLAIN)
            answer = refused.answer()
            check_problem(answer, 503)
            check(answer.closes and (answer.get("Retry-After") or "").isdigit(), f"got {answer}")
            refused.closed()
        for path, status in ((b"/healthz", 200), (b"/readyz", 503)):
            with server.connect() as refused:
                refused.send(get(path))
                equal(refused.answer().status, status, path.decode())
        for wire in (busy, *waiting):
            equal(wire.answer().status, 200, "status")
    until(lambda: server.ask(PLAIN).status == 200, "served again")
    check("--queue" in server.errors(), f"what is full is not said: {server.errors()!r}")


BURSTS, BURST = 20, 20


@pytest.mark.modeless
def test_a_burst_for_idle_workers_of_a_pool(start):
    """What an idle worker is about to take does not wait, however short the queue is."""
    server = start("--workers", "64", "--queue", "4", mode="pool")
    for _ in range(BURSTS):
        with many(server, BURST) as wires:
            for wire in wires:
                wire.send(PLAIN)
            equal([wire.answer().status for wire in wires], [200] * BURST, "the statuses")
    equal(metrics(server)['echod_refusals_total{reason="queue"}'], 0, "refusals counted")
    equal(server.stop(), "", "stderr")


@pytest.mark.parametrize("mode", settings.LOOPS_WITH_WORKERS)
def test_a_burst_for_idle_workers_beside_loops(start):
    server = start("--workers", "32", "--queue", "1")
    with many(server, BURST) as wires:
        for _ in range(BURSTS):
            for wire in wires:
                wire.send(get(b"/block/10ms"))
            equal([wire.answer().status for wire in wires], [200] * BURST, "the statuses")
    equal(metrics(server)['echod_refusals_total{reason="queue"}'], 0, "refusals counted")


@pytest.mark.modeless
def test_who_waited_too_long_for_a_pool_is_told(start):
    """Past the header timeout nobody waits any more."""
    server = start("--workers", "1", "--header-timeout", "300ms", mode="pool")
    with server.connect() as busy:
        busy.kept()
        busy.send(get(b"/delay/1s"))
        with server.connect() as late:
            late.send(PLAIN)
            equal(busy.answer().status, 200, "status")
            check_problem(late.answer(), 503)


@pytest.mark.modeless
def test_many_waits_need_no_threads(start):
    """200 of them at once. One after the other they would take 100 s, on two threads 50 s."""
    for mode in settings.modes:
        if mode == "pool":
            continue
        server = start(mode=mode)
        with many(server, 200) as wires:
            begun = time.monotonic()
            for wire in wires:
                wire.send(get(b"/delay/500ms"))
            for wire in wires:
                equal(wire.answer().status, 200, "status")
            at_most(time.monotonic() - begun, 30, f"seconds [{mode}]")
        server.stop()


@pytest.mark.timeout(90)
def test_a_drain_while_much_is_in_flight(start):
    """100 that wait and 10 that work: all are answered, and it ends well."""
    server = start("--workers", "120")
    with many(server, 110) as wires:
        for index, wire in enumerate(wires):
            wire.send(get(b"/compute/2000000" if index % 11 == 10 else b"/delay/1s"))
        begin(server)
        for wire in wires:
            answer = wire.answer()
            equal(answer.status, 200, "status")
            wire.closed()
    equal(server.wait(0), "", "stderr")


@pytest.mark.modeless
def test_a_drain_with_a_queue(start):
    """What waits for a worker is served before the end."""
    for mode in settings.WITH_WORKERS:
        server = start("--workers", "1", mode=mode)
        with many(server, 6) as wires:
            for wire in wires:
                wire.send(get(b"/block/100ms"))
            server.signal(signal.SIGTERM)
            for wire in wires:
                equal(wire.answer().status, 200, f"status [{mode}]")
                wire.closed()
        equal(server.wait(0), "", "stderr")


@pytest.mark.parametrize("mode", settings.LOOPS_ALONE)
def test_connections_are_spread_over_the_loops(start):
    """What stalls one loop stalls no connection of another."""
    server = start("--loops", "2")
    with server.connect() as busy, server.connect() as wire:
        busy.kept()
        wire.kept()
        busy.send(get(b"/block/1s"))
        busy.silent(0.1)
        begun = time.monotonic()
        wire.kept()
        at_most(time.monotonic() - begun, 0.7, "seconds beside a loop that is blocked")
        equal(busy.answer().status, 200, "status")
