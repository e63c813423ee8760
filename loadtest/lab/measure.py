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
from .subjects import Subject
from .wrk import Run, problems

__all__ = ["Subject", "Timing", "measure"]

DISTURBED = 0.15  # of the CPUs in use: other programs that take so much spoil the figures
THROTTLED = 0.05  # of the CPUs in use: so much of them taken away spoils the figures, too
CLIENT_LIMIT = 0.9  # of its CPUs: a client this busy is itself the limit
_SETTLE = 0.1  # seconds after the first request at which the window opens
# Seconds without a further connection accepted, or closed, after which no more will be: where more come at once than the
# queue of listen(2) holds, the kernel tries again after 1, 3, 7, 15 s.
_PATIENCE = 20
_POLL = 0.005  # seconds between two looks, at least
_TAIL = 0.1  # seconds before the end at which it closes; threads and memory are read in them


@dataclass(frozen=True)
class Timing:
    warmup: float  # seconds
    seconds: float


@dataclass(frozen=True)
class Mark:
    written: int | None
    client_cpu: float
    usage: Usage | None  # None of a server elsewhere
    when: float
    busy: float  # seconds that the CPUs in use were busy, with whatever
    lost: float = 0.0  # seconds that they could not be used: taken by the hypervisor, or by the control group's quota


def mark(server, run, pinning):
    usage = server.usage()
    when = usage.when if usage else time.monotonic()
    cpus = pinning.server | pinning.client
    return Mark(run.written(), run.cpu(), usage, when, procfs.busy(cpus), procfs.lost(cpus))


def _wait_for_sockets(server, enough):
    """Looks at the server's sockets until their number is enough, or has not changed for long; gives it."""
    last, changed = None, time.monotonic()
    while True:
        looked = time.monotonic()
        count = server.sockets()
        if count != last:
            last, changed = count, looked
        if count is None or enough(count) or looked - changed > _PATIENCE:
            return count
        server.check_alive()
        # Looking costs the server something: locks it needs for new threads are held meanwhile.
        time.sleep(max(_POLL, 2 * (time.monotonic() - looked)))


def _refuse_wrong(server, figures, answer_length, connections):
    """CellFailed if a run had errors. A full server that refuses connections is a result, and says itself what it is full of."""
    wrong = problems(figures, answer_length, connections)
    if wrong and (full := server.refusing()):
        raise CellFailed(f"it was full, and answered 503: {full}", "refused", figures["errors"])
    if wrong:
        raise CellFailed(wrong, "errors", figures["errors"])


def _start(server, run, before, holds_idle):
    """Lets the requests begin once the server has accepted all connections. `before`: its sockets without them."""
    if before is not None and holds_idle:
        accepted = _wait_for_sockets(server, lambda count: count >= before + run.connections) - before
        run.check_alive()
        if accepted < run.connections:
            raise CellFailed(f"the server accepted {accepted} of {run.connections} connections", "refused")
    run.open_gate()


def _warm_up(server, workload, connections, timing, pinning, before, holds_idle):
    """The discarded run, in which every answer is compared with what it must be; gives the number of its requests."""
    with Run(workload, server.url, connections, timing.warmup, pinning.client, check=True) as run:
        _start(server, run, before, holds_idle)
        run.sleep_until(timing.warmup)
        server.check_alive()
        figures, _ = run.finish()
    _refuse_wrong(server, figures, None, connections)
    if before is not None and (left := _wait_for_sockets(server, lambda count: count <= before) - before) > 0:
        raise CellFailed(f"the server still had {left} connections open after the warm-up")
    return figures["requests"]


def _timed(server, workload, connections, timing, pinning, before, holds_idle):
    """The measured run: (figures, all bytes written, first mark, second mark, memory)."""
    with Run(workload, server.url, connections, timing.seconds, pinning.client) as run:
        _start(server, run, before, holds_idle)
        run.sleep_until(min(_SETTLE, timing.seconds / 4))
        first = mark(server, run, pinning)
        run.sleep_until(max(timing.seconds - _TAIL, timing.seconds / 2))
        second = mark(server, run, pinning)
        memory = server.memory()
        run.sleep_until(timing.seconds)
        server.check_alive()
        figures, written = run.finish()
    return figures, written, first, second, memory


def window_requests(figures, written, first, second):
    """(requests answered between the marks, how that is known)."""
    if written and first.written is not None:
        return figures["requests"] * (second.written - first.written) / written, "bytes written by the client"
    return figures["requests"] * (second.when - first.when) / (figures["duration_us"] / 1e6), "share of the time"


def others_share(first, second, cpus):
    """The part of so many CPUs' time that neither the server nor the client used."""
    ours = second.client_cpu - first.client_cpu
    if second.usage:
        ours += second.usage.cpu - first.usage.cpu
    return max(0, second.busy - first.busy - ours) / (second.when - first.when) / cpus


def _server_costs(before, after, requests):
    """What the window says of the server."""
    cpu = after.cpu - before.cpu
    ticks = (after.user + after.system - before.user - before.system) or 1
    return {
        "cpu_us_per_request": cpu * 1e6 / requests,
        "cpu_user_share": (after.user - before.user) / ticks,
        "voluntary_per_request": (after.voluntary - before.voluntary) / requests,
        "involuntary_per_request": (after.involuntary - before.involuntary) / requests,
        "switches_from": "window",
        "threads": len(after.tasks),
        "tasks_ended_in_window": len(before.tasks - after.tasks),
        "server_cpus_busy": cpu / (after.when - before.when),
    }


def costs(figures, written, first, second, threads):
    """What the window says of the client and, where it runs here, of the server."""
    requests, how = window_requests(figures, written, first, second)
    if requests < 1:
        raise CellFailed("no request was answered while the window was open", "timeout")
    seconds = second.when - first.when
    client = (second.client_cpu - first.client_cpu) / seconds / threads
    return {
        "window": {"seconds": seconds, "requests": requests, "requests_from": how},
        "requests_per_s": requests / seconds,
        "client_cpu_share": client,
        "client_limited": client >= CLIENT_LIMIT,
        **(_server_costs(first.usage, second.usage, requests) if second.usage else {}),
    }


def _switches_of_life(cell, life, requests):
    cell["voluntary_per_request"] = life["voluntary"] / requests
    cell["involuntary_per_request"] = life["involuntary"] / requests
    cell["switches_from"] = "whole life"


def interference(first, second, cpus):
    """What others did to the figures."""
    lost = (second.lost - first.lost) / (second.when - first.when) / cpus
    others = max(0, others_share(first, second, cpus) - lost)
    return {"others_cpu_share": others, "disturbed": others >= DISTURBED, "lost_cpu_share": lost,
            "throttled": lost >= THROTTLED}


def _of_server(cell, life, warm, memory):
    """Completes a cell with what is known of a server that ran here."""
    cell["memory"] = memory
    cell["lifetime"] = {**life, "requests": warm + cell["requests"] + 1}
    if cell["tasks_ended_in_window"]:
        _switches_of_life(cell, life, cell["lifetime"]["requests"])
    cell["switches_per_request"] = cell["voluntary_per_request"] + cell["involuntary_per_request"]


def measure(subject, workload, connections, timing, pinning):
    """The figures of one measurement. CellFailed: no figure for this one; LabError: the server is of no use."""
    began = time.monotonic()
    with subject.start(pinning.server) as server:
        server.wait_ready()
        limit = server.limit()
        if limit and limit[0] < connections:
            raise CellFailed(f"at most {limit[0]:,} connections: {limit[1]}", "limit")
        before = server.sockets()
        answer_length = workload.check(server)
        run = (server, workload, connections, timing, pinning, before, subject.holds_idle)
        warm = _warm_up(*run)
        figures, written, first, second, memory = _timed(*run)
        _refuse_wrong(server, figures, answer_length, connections)
        life = server.stop()
    threads = max(1, min(len(pinning.client), connections))
    cell = {
        "duration_s": figures["duration_us"] / 1e6,
        "requests": figures["requests"],
        "latency_us": figures["latency_us"],
        "errors": figures["errors"],
        "asked_s": timing.seconds,
        "answer_bytes": answer_length,
        "limit": limit,
        **costs(figures, written, first, second, threads),
        **interference(first, second, len(pinning.server | pinning.client)),
    }
    if second.usage:
        _of_server(cell, life, warm, memory)
    cell["took_s"] = time.monotonic() - began
    return cell
