# SPDX-License-Identifier: MIT
"""One measurement: one server process, one workload, one number of connections.

wrk opens its connections and sends nothing until the server has accepted them all: under full load a thread that accepts
gets its turn so rarely that some would wait for seconds, and the figures would be those of fewer connections. Then a
window opens, which closes just before wrk is ended: what the server spends is read at both, so that opening and closing
connections is not in it. wrk does not tell how many requests fall into the window; the kernel counts the bytes it has
written, and all its requests are equally long, so the window's share of the bytes is its share of the requests.

Context switches are summed over the living threads; if a thread ended inside the window, its count is lost, and the
figure is taken over the whole life of the process instead (the resources wait4(2) reports, which include ended threads
and reaped children, over all requests it answered).
"""

import time
from dataclasses import dataclass

from . import procfs
from .errors import CellFailed
from .procfs import Usage
from .server import Server
from .wrk import Run, problems

DISTURBED = 0.15  # of the CPUs in use: other programs that take so much spoil the figures
CLIENT_LIMIT = 0.9  # of its CPUs: a client this busy is itself the limit
_SETTLE = 0.1  # seconds after the first request at which the window opens
_PATIENCE = 5  # seconds without a further connection accepted, or closed, after which no more will be
_POLL = 0.005  # seconds between two looks, at least
_TAIL = 0.1  # seconds before the end at which it closes; threads and memory are read in them


@dataclass(frozen=True)
class Timing:
    warmup: float  # seconds
    seconds: float


@dataclass(frozen=True)
class Subject:
    """A server to measure: its name in messages and results, and its command."""

    name: str
    argv: tuple
    holds_idle: bool = True  # if not, it may close connections on which no request comes: they cannot be opened beforehand


@dataclass(frozen=True)
class Mark:
    written: int | None
    client_cpu: float
    usage: Usage
    busy: float  # seconds that the CPUs in use were busy, with whatever


def _mark(server, run, pinning):
    return Mark(run.written(), run.cpu(), server.usage(), procfs.busy(pinning.server | pinning.client))


def _wait_for_sockets(server, enough):
    """Looks at the server's sockets until their number is enough, or has not changed for long; gives it."""
    last, changed = None, time.monotonic()
    while True:
        looked = time.monotonic()
        count = procfs.sockets(server.pid)
        if count != last:
            last, changed = count, looked
        if count is None or enough(count) or looked - changed > _PATIENCE:
            return count
        server.check_alive()
        # Looking costs the server something: locks it needs for new threads are held meanwhile.
        time.sleep(max(_POLL, 2 * (time.monotonic() - looked)))


def _start(server, run, before, holds_idle):
    """Lets the requests begin once the server has accepted all connections. `before`: its sockets without them."""
    if before is not None and holds_idle:
        accepted = _wait_for_sockets(server, lambda count: count >= before + run.connections) - before
        run.check_alive()
        if accepted < run.connections:
            raise CellFailed(f"the server accepted {accepted} of {run.connections} connections")
    run.open_gate()


def _warm_up(server, workload, connections, timing, pinning, before, holds_idle):
    """The discarded run, in which every answer is compared with what it must be; gives the number of its requests."""
    with Run(workload, server.url, connections, timing.warmup, pinning.client, check=True) as run:
        _start(server, run, before, holds_idle)
        run.sleep_until(timing.warmup)
        server.check_alive()
        figures, _ = run.finish()
    if wrong := problems(figures, None, connections):
        raise CellFailed(wrong)
    if before is not None and (left := _wait_for_sockets(server, lambda count: count <= before) - before) > 0:
        raise CellFailed(f"the server still had {left} connections open after the warm-up")
    return figures["requests"]


def _timed(server, workload, connections, timing, pinning, before, holds_idle):
    """The measured run: (figures, all bytes written, first mark, second mark, memory)."""
    with Run(workload, server.url, connections, timing.seconds, pinning.client) as run:
        _start(server, run, before, holds_idle)
        run.sleep_until(min(_SETTLE, timing.seconds / 4))
        first = _mark(server, run, pinning)
        run.sleep_until(max(timing.seconds - _TAIL, timing.seconds / 2))
        second = _mark(server, run, pinning)
        memory = server.memory()
        run.sleep_until(timing.seconds)
        server.check_alive()
        figures, written = run.finish()
    return figures, written, first, second, memory


def window_requests(figures, written, first, second):
    """(requests answered between the marks, how that is known)."""
    if written and first.written is not None:
        return figures["requests"] * (second.written - first.written) / written, "bytes written by the client"
    seconds = second.usage.when - first.usage.when
    return figures["requests"] * seconds / (figures["duration_us"] / 1e6), "share of the time"


def others_share(first, second, cpus):
    """The part of so many CPUs' time that neither the server nor the client used."""
    ours = second.usage.cpu - first.usage.cpu + second.client_cpu - first.client_cpu
    return max(0, second.busy - first.busy - ours) / (second.usage.when - first.usage.when) / cpus


def costs(figures, written, first, second, threads):
    """What the window says of the server and of the client."""
    requests, how = window_requests(figures, written, first, second)
    if requests < 1:
        raise CellFailed("no request was answered while the window was open")
    before, after = first.usage, second.usage
    seconds = after.when - before.when
    cpu = after.cpu - before.cpu
    ticks = (after.user + after.system - before.user - before.system) or 1
    client = (second.client_cpu - first.client_cpu) / seconds / threads
    return {
        "window": {"seconds": seconds, "requests": requests, "requests_from": how},
        "requests_per_s": requests / seconds,
        "cpu_us_per_request": cpu * 1e6 / requests,
        "cpu_user_share": (after.user - before.user) / ticks,
        "voluntary_per_request": (after.voluntary - before.voluntary) / requests,
        "involuntary_per_request": (after.involuntary - before.involuntary) / requests,
        "switches_from": "window",
        "threads": len(after.tasks),
        "tasks_ended_in_window": len(before.tasks - after.tasks),
        "server_cpus_busy": cpu / seconds,
        "client_cpu_share": client,
        "client_limited": client >= CLIENT_LIMIT,
    }


def _switches_of_life(cell, life, requests):
    cell["voluntary_per_request"] = life["voluntary"] / requests
    cell["involuntary_per_request"] = life["involuntary"] / requests
    cell["switches_from"] = "whole life"


def measure(subject, workload, connections, timing, pinning):
    """The figures of one measurement. CellFailed: no figure for this one; LabError: no point in going on."""
    began = time.monotonic()
    with Server.command(subject.argv, subject.name, pinning.server) as server:
        server.wait_ready()
        before = procfs.sockets(server.pid)
        answer_length = workload.check(server)
        run = (server, workload, connections, timing, pinning, before, subject.holds_idle)
        warm = _warm_up(*run)
        figures, written, first, second, memory = _timed(*run)
        life = server.stop()
    if wrong := problems(figures, answer_length, connections):
        raise CellFailed(wrong)
    threads = max(1, min(len(pinning.client), connections))
    others = others_share(first, second, len(pinning.server | pinning.client))
    cell = {
        "duration_s": figures["duration_us"] / 1e6,
        "requests": figures["requests"],
        "latency_us": figures["latency_us"],
        "errors": figures["errors"],
        "asked_s": timing.seconds,
        "answer_bytes": answer_length,
        "memory": memory,
        "lifetime": {**life, "requests": warm + figures["requests"] + 1},
        **costs(figures, written, first, second, threads),
        "others_cpu_share": others,
        "disturbed": others >= DISTURBED,
    }
    if cell["tasks_ended_in_window"]:
        _switches_of_life(cell, life, cell["lifetime"]["requests"])
    cell["switches_per_request"] = cell["voluntary_per_request"] + cell["involuntary_per_request"]
    cell["took_s"] = time.monotonic() - began
    return cell
