# SPDX-License-Identifier: MIT
"""What the soak's clients do: each function is one visit to a server. Answers must be right; a full server may refuse."""

import contextlib
import os
import resource
import signal
import threading

from support import corpus, procfs, settings
from support.checks import check, equal, pause
from support.corpus import LAST, chunk, chunked, get, post
from injection import PLAIN, attempt, converse

BODY = bytes(range(256)) * 40
MIB = bytes(range(256)) * 4096
REQUESTS = [
    (PLAIN, b"Hello, World!"), (post(b"/echo", BODY), BODY), (get(b"/delay/50ms"), b"Hello, World!"),
    (get(b"/block/20ms"), b"Hello, World!"), (chunked(b"/echo", chunk(BODY) * 3 + LAST), BODY * 3),
    (post(b"/echo", MIB[:300000]), MIB[:300000]), (get(b"/bytes/100000"), None), (get(b"/compute/200000"), None),
    (get(b"/drip?numbytes=5&duration=100ms"), None), (post(b"/anything", BODY), None), (get(b"/metrics"), None),
    (post(b"/echo?delay=30ms", b"later"), b"later"), (get(b"/healthz"), None),
]

_descriptors = threading.Lock()


def keeps_alive(server, chance):
    with server.connect() as wire:
        for request, body in chance.sample(REQUESTS, 8):
            if not converse(wire, request, body):
                return


def comes_once(server, chance):
    for request, body in chance.sample(REQUESTS, 3):
        attempt(server, request, body)


def pipelines(server, chance):
    count = chance.randrange(2, 300)
    with server.connect() as wire:
        wire.send_what_goes(PLAIN * count)
        wire.finish()
        answers = wire.answers()
    check(len(answers) == count or answers[-1].closes, f"{len(answers)} answers to {count} requests")


def says_anything(server, chance):
    """An item of the table of requests, good, cut or bad, in pieces."""
    item = chance.choice(corpus.ALL)
    at = sorted(chance.randrange(len(item.data) + 1) for _ in range(3))
    pieces = [item.data[a:b] for a, b in zip([0, *at], [*at, len(item.data)])]
    with server.connect() as wire:
        answers = corpus.exchange(wire, item, pieces)
    statuses = tuple(answer.status for answer in answers)
    check(statuses == item.statuses or excused(server, wire, item, answers), f"{item.name}: got {statuses}")


def excused(server, wire, item, answers):
    """A full server refuses, one of few workers closes behind an answer while others wait, a process is killed, and a
    client that was held up is late."""
    statuses = tuple(answer.status for answer in answers)
    if 503 in statuses or 408 in statuses or wire.ended == "reset":
        return True
    begun = statuses == item.statuses[:len(statuses)]
    if server.mode in settings.PROCESS_EACH:
        return begun
    return begun and server.mode == "pool" and answers and answers[-1].closes


def breaks_off(server, chance):
    item = chance.choice(corpus.ALL)
    with server.connect() as wire:
        wire.send_what_goes(item.data[:chance.randrange(len(item.data))])
        if chance.random() < 0.5:
            wire.reset()


def knocks_and_runs(server, _chance):
    for _ in range(50):
        server.connect().reset()


def never_reads(server, chance):
    with server.connect(receive_buffer=4096) as wire:
        wire.send(chance.choice((get(b"/bytes/100000000"), PLAIN * 5000, post(b"/echo", MIB)[:-1])))
        pause(chance.random() * 1.5)  # past the body timeout, or not
        wire.reset()


def trickles(server, chance):
    data = chance.choice((PLAIN, post(b"/echo", b"x" * 40), chunked(b"/echo", chunk(b"hello") * 4 + LAST)))
    with server.connect() as wire:
        for byte in data[:chance.randrange(1, 40)]:
            wire.send_what_goes(bytes((byte,)))
            if wire.readable(0.03):
                break


def says_nothing(server, chance):
    with server.connect() as wire:
        wire.readable(chance.random() * 2.5)  # past the idle timeout, or not


def crowds(server, _chance):
    """More at once than it serves."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.connect(seconds=30)) for _ in range(60)]
        for wire in wires:
            converse(wire, PLAIN, b"Hello, World!")
            wire.close()


def takes_descriptors(server, _chance):
    """For a moment it can accept nobody."""
    with _descriptors:
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (4, limits[1]))
        pause(0.15)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
    attempt(server, PLAIN, b"Hello, World!", 30)


def hangs_up(server, _chance):
    server.signal(signal.SIGHUP)
    attempt(server, PLAIN, b"Hello, World!")


def kills_a_process(server, _chance):
    if server.mode in settings.PROCESS_EACH:
        for pid in procfs.children(server.pid)[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def drains_another(start, server, chance):
    """A server of its own is started, used and stopped, with a request under way."""
    other = start(server.mode)
    try:
        keeps_alive(other, chance)
        with other.connect() as wire:
            wire.send(get(b"/delay/100ms"))
            wire.readable(chance.random() * 0.1)
            other.signal(signal.SIGTERM)
            equal(wire.answer().body, b"Hello, World!", "the answer during the drain")
        other.wait(0)
    finally:
        other.close()


VISITS = [keeps_alive] * 4 + [comes_once] * 2 + [pipelines] * 2 + [says_anything] * 4 + [breaks_off] * 2 + [
    knocks_and_runs, never_reads, trickles, says_nothing, crowds, takes_descriptors, hangs_up, kills_a_process]
