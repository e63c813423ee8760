# SPDX-License-Identifier: MIT
"""What a client can make the server spend: memory, instructions, and the time of others."""

import contextlib
import os
import re
import resource
import socket
import threading

import pytest

from support import process, procfs, settings
from support.checks import at_most, check, equal, pause, until
from support.corpus import LAST, chunk, chunked, get, post
from support.metrics import metrics
from support.rows import params
from support.settings import patience
from injection import PLAIN, tracing
from shim import shimmed

KIB, MIB = 1 << 10, 1 << 20
BUDGET = 64 * MIB
# What the allocator may lose of that; and what threads have read and not yet given back: those that wait for a CPU hold it twice.
SLACK = dict.fromkeys(settings.MODES, 1.25) | dict.fromkeys(settings.LOOPS, 1.15) | dict.fromkeys(settings.PROCESS_EACH, 1.1)

# Of processes so many that each holds several times of the budget what it touches once and keeps; for that same reason they
# are compared with idle ones that have served more than a small request.
CLIENTS = {mode: 1000 if mode in settings.PROCESS_EACH else 5000 for mode in settings.MODES}
BEFORE = {mode: 20000 if mode in settings.PROCESS_EACH else 100 for mode in settings.MODES}


def used(server):
    """Bytes in memory of the server and its processes, what they share counted once; of those that have just ended, none."""
    total = 0
    for pid in [server.pid, *procfs.children(server.pid)]:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), open(f"/proc/{pid}/smaps_rollup") as file:
            total += sum(int(line.split()[1]) for line in file if line.startswith(("Pss:", "SwapPss:"))) * KIB
    return total


def connect_all(server, stack, count):
    """From several addresses: one has too few ports."""
    return [stack.enter_context(server.connect(receive_buffer=4096, source=f"127.0.0.{2 + number % 4}")) for number in range(count)]


@pytest.mark.release
@pytest.mark.alone
@pytest.mark.timeout(180)
def test_clients_that_send_a_mebibyte_and_never_read(start, mode):
    """At most what the same connections need idle, after a request, and the budget, and so much more."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files[1], files[1]))
    count, body = CLIENTS[mode], bytes(range(256)) * 4096
    # A client that does not read keeps its worker; all may come before the first worker has taken one.
    places = ("--workers", count + 1 if mode == "pool" else 2, "--queue", count)
    server = start("--max-buffer-memory", BUDGET, "--loops", 2, *places, "--body-timeout", "5m", "--idle-timeout", "5m",
                   **shimmed(ROOM=8192))  # what the kernel would keep is not the server's
    with contextlib.ExitStack() as stack:
        wires = connect_all(server, stack, count)
        for wire in wires:
            equal(wire.ask(post(b"/echo", body[:BEFORE[mode]])).status, 200, "status")
        idle = used(server)
        peak = send_all_that_goes(server, wires, post(b"/echo", body))
        at_most(peak, (idle + BUDGET) * SLACK[mode], f"bytes of {count} clients (idle: {idle})")
        check(is_full(server), "the budget is not used up: the test shows nothing")
        print(f"     | {mode}: {count} clients: {idle / MIB:.1f} MiB idle, {peak / MIB:.1f} MiB at most", flush=True)
        for wire in wires:
            wire.reset()
    until(lambda: metrics(server).get("echod_connections_open") == 1, "all connections are gone", 60)


def send_all_that_goes(server, wires, data):
    """By turns, until the server takes no more of anybody; returns the most memory that was seen."""
    view, peak, sent = memoryview(data), 0, dict.fromkeys(wires, 0)
    for wire in wires:  # what does not go stays with us, not in the kernel
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    stuck = 0
    while stuck < 5:
        before = sum(sent.values())
        for wire in wires:
            try:
                sent[wire] += wire.send_until_stuck(view[sent[wire]:], 0)
            except OSError:  # there was no room for its beginning: 503
                sent[wire] = len(data)
        peak = max(peak, used(server))
        stuck = stuck + 1 if sum(sent.values()) == before else 0
        pause(0.05)
    return peak


def is_full(server):
    """Whether the budget is tight: a page of figures has no room, or says so."""
    answer = server.ask(get(b"/metrics"))
    return answer.status == 503 or int(re.search(rb"\nechod_buffer_bytes{.*} (\d+)", answer.body)[1]) > BUDGET // 2


# Instructions


def instructions(start, folder, mode, talk):
    """What a server under callgrind has executed in user space when it has ended."""
    path = os.path.join(folder, "callgrind")
    process.need("valgrind")
    wrapper = ("valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={path}", "--")
    server = start("--loops", "1", "--max-header-size", "1m", "--header-timeout", "5m", "--body-timeout", "5m", mode=mode, wrapper=wrapper)
    talk(server)
    server.stop(seconds=60)
    server.close()
    with open(path) as file:
        return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.MULTILINE)[1])


@pytest.mark.release
def test_large_echoes_use_the_same_memory_again(start, mode):
    """A sanitizer's allocator would not."""
    echoes, body = 20, b"x" * MIB
    server = start("--loops", "1", "--workers", "2")
    with server.connect(seconds=20) as wire:
        def ask():
            for _ in range(echoes):
                sender = threading.Thread(target=wire.send, args=(post(b"/echo", body),), daemon=True)
                sender.start()
                check(wire.answer().body == body, "another body")
                sender.join()

        ask()
        pid = procfs.children(server.pid)[0] if mode in settings.PROCESS_EACH else server.pid
        before = procfs.minor_faults(pid)
        ask()
        at_most((procfs.minor_faults(pid) - before) / echoes, 64, "pages touched anew for each")


def field_lines(size):
    return b"GET /plaintext HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * (size // 6) + b"\r\n"


def one_field(size):
    return get(b"/plaintext", b"X: " + b"y" * size + b"\r\n")


def endless_head(size):
    return one_field(size)[:-2]


def small_chunks(size):
    return chunked(b"/echo", chunk(b"x" * 24) * (size // 30) + LAST)


def extensions(size):
    return chunked(b"/anything", (b"400;" + b"e" * 200 + b"\r\n" + b"x" * 1024 + b"\r\n") * (size // 1232) + LAST)


def pipelined(size):
    return PLAIN * (size // len(PLAIN))


FLOODS = [(function.__name__.replace("_", " "), function) for function in
          (field_lines, one_field, endless_head, small_chunks, extensions, pipelined)]
SMALL, LARGE = 200 * KIB, 800 * KIB
PIECE = 2000  # bytes of a send


def flood(data):
    def talk(server):
        with server.connect(seconds=120) as wire:
            reader = threading.Thread(target=drain, args=(wire,))
            reader.start()
            wire.send_what_goes(*(data[at:at + PIECE] for at in range(0, len(data), PIECE)))
            wire.finish()
            reader.join()

    return talk


def drain(wire):
    with contextlib.suppress(OSError):
        while wire.fill():
            wire.received.clear()


@pytest.mark.release
@pytest.mark.modeless
@pytest.mark.timeout(180)
@pytest.mark.parametrize("make", params(FLOODS))
def test_a_flood_costs_what_its_bytes_cost(start, folder, make):
    """Four times the bytes cost about four times the instructions, and no byte more than one of small requests does."""
    nothing, plain, few, many = (instructions(start, folder, "event", flood(data)) for data in
                                 (PLAIN, pipelined(LARGE), make(SMALL), make(LARGE)))
    few, many, plain = few - nothing, many - nothing, plain - nothing
    print(f"     | {few / SMALL:.1f} and {many / LARGE:.1f} instructions a byte; small requests: {plain / LARGE:.1f}", flush=True)
    at_most(many / few, 6, "times the instructions of four times the bytes")
    at_most(many / LARGE, 2 * plain / LARGE, "instructions a byte")


def many_names(size):
    return get(b"/headers", b"".join(b"%07x:\r\n" % number for number in range(size // 10)))


@pytest.mark.release
@pytest.mark.modeless
@pytest.mark.timeout(180)
def test_many_names_cost_little_more_than_their_bytes(start, folder):
    """They are grouped for the answer: in less than the square of their number."""
    nothing, few, many = (instructions(start, folder, "event", flood(data)) for data in
                          (PLAIN, many_names(SMALL), many_names(LARGE)))
    print(f"     | {(few - nothing) / SMALL:.1f} and {(many - nothing) / LARGE:.1f} instructions a byte", flush=True)
    at_most((many - nothing) / (few - nothing), 6, "times the instructions of four times the bytes")


# Fairness


@contextlib.contextmanager
def hog(server):
    """A client that never stops to pipeline, and reads all there is."""
    with server.connect(seconds=60) as wire:
        ended = threading.Event()

        def send():
            with contextlib.suppress(OSError):
                while not ended.is_set():
                    wire.socket.sendall(PLAIN * 2000)
            wire.finish()

        threads = [threading.Thread(target=send), threading.Thread(target=drain, args=(wire,))]
        for thread in threads:
            thread.start()
        yield
        ended.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("mode", settings.LOOPS)
def test_who_pipelines_without_end_starves_nobody(start, folder, mode):
    """On one loop: others are answered. Between two waits each connection is read once at most, a buffer's worth; what a ring reads
    is no call, so that this cannot be seen there."""
    path = os.path.join(folder, "calls")
    traced = mode not in settings.RINGS
    server = start("--loops", "1", **(tracing(path, ["recvfrom", "epoll_wait"]) if traced else {}))
    with hog(server), hog(server), server.connect(seconds=patience(20)) as other:
        for _ in range(50):
            other.kept()
    server.stop()
    if traced:
        check_shares(path)


@pytest.mark.parametrize("flags, lingers", params([("one that lingers", (), True), ("a short timeout", ("--header-timeout", "150ms"), False)]))
@pytest.mark.parametrize("mode", settings.LOOPS)
def test_what_one_client_costs_does_not_grow_with_the_others(start, folder, mode, flags, lingers):
    """Nobody else is looked at more often because of it: connections that wait are polled about twice a second each."""
    path = os.path.join(folder, "calls")
    server = start("--loops", "1", *flags, **tracing(path, ["poll"]))
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            stack.enter_context(server.connect()).send(get(b"/delay/10s"))
        if lingers:
            one = stack.enter_context(server.connect(seconds=patience(10)))
            one.send(b"NIX / HTTP/1.1\r\n\r\n")
            one.problem(501)
        before = calls(path)
        pause(3)
        polled = calls(path) - before
    at_most(polled, 100 * 3 * 3, "calls of poll in 3 s, for 100 clients that wait")


def calls(path):
    with open(path, errors="replace") as file:
        return sum("poll(" in line for line in file)


def check_shares(path):
    """Of each thread that waits for events: what it reads between two waits."""
    read = {}  # thread: descriptors since its last wait
    rounds = 0
    with open(path, errors="replace") as file:
        for line in file:
            thread, call = line.split(None, 1)
            if call.startswith("epoll_wait("):
                rounds += len(read.get(thread, ())) > 1
                read[thread] = set()
            elif match := re.match(r"recvfrom\((\d+),.*, (\d+), MSG_DONTWAIT", call):
                check(match[1] not in read.setdefault(thread, set()), f"descriptor {match[1]} was read twice in a turn")
                read[thread].add(match[1])
                at_most(int(match[2]), 65 * KIB, "bytes asked for at once")
    check(rounds > 10, f"only {rounds} turns had more than one reader: the test shows nothing")
