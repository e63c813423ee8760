# SPDX-License-Identifier: MIT
"""One measurement: one server process, one workload, one number of connections.

wrk opens its connections and sends nothing until the server has accepted them all. Otherwise some connections would wait for
seconds, because under full load an accepting thread rarely gets its turn, and the figures would be those of fewer connections.
After the last request wrk keeps the connections open until the server's use of resources has been read. So the resources that the
server uses between two moments of rest are divided by exactly the number of requests that it was sent in between: the kernel counts
the bytes that wrk writes, and all its requests are equally long. Opening and closing connections is not included, and reading /proc
of a thousand threads delays nothing that is measured. While requests are in flight only /proc/PID/stat of the server is read, twice.

The rate is that of all answers from the first request to the end.

Context switches are summed over the living threads. If a thread has ended meanwhile, its count is lost, and the figure is taken over
the whole life of the process instead: the resources that wait4(2) reports, which include those of ended threads and reaped children,
divided by all requests that the process has answered.
"""

import os
import time
from dataclasses import dataclass, replace

from ..machine import procfs
from ..machine.procfs import Spent
from ..results import histogram
from ..results.figures import REQUESTS
from ..text.errors import CellFailed
from .wrk import Run, problems

DISTURBED = 0.15  # of the CPUs in use: if other programs, or the lab itself, take this share, they spoil the figures
THROTTLED = 0.05  # of the CPUs in use: if this share is taken away, that spoils the figures, too
CLIENT_SHARE = 0.1  # of a CPU that it shares with the server: a client that takes this share is part of rate and latency
CLIENT_LIMIT = 0.9  # of its CPUs: a client this busy is itself the limit
IMPLAUSIBLE = 0.15  # how far rate times latency may differ from the number in flight (Little's law)
# If no other connection is accepted, or closed, for this many seconds, none is expected any more: if more connections come at once
# than the queue of listen(2) holds, the kernel tries again after 1, 3, 7, 15 s.
_PATIENCE = 20
_LONGER = 4  # the factor by which a run may be prolonged to get the requests that a verdict needs,
_SPARE = 1.2  # and the factor by which it plans for more requests, because the warm-up tells the rate only roughly
_POLL = 0.005  # seconds between two looks, at least
_RESTING = 0.01  # seconds between two looks at a server that comes to rest, and the share of a CPU that it may still use
_RESTLESS = 2  # seconds after which the server is read even if it is not at rest


@dataclass(frozen=True)
class Timing:
    warmup: float  # seconds
    seconds: float


@dataclass(frozen=True)
class Mark:
    """What is read while requests are in flight."""

    when: float
    client_cpu: float
    spent: Spent | None  # None of a server elsewhere
    busy: float  # seconds that the CPUs in use were busy, with whatever
    lost: float = 0.0  # seconds that they could not be used: taken by the hypervisor, or by the control group's quota
    runner: float = 0.0  # seconds of these CPUs that this process has used


def mark(server, run, pinning):
    spent = server.spent()
    cpus = pinning.server | pinning.client
    runner = time.process_time() if cpus & os.sched_getaffinity(0) else 0.0
    return Mark(spent.when if spent else time.monotonic(), run.cpu(), spent, procfs.busy(cpus), procfs.lost(cpus), runner)


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


def _accepted(server, run, before, holds_idle):
    """Waits until the server has accepted all connections. `before`: its sockets without them."""
    if before is not None and holds_idle:
        accepted = _wait_for_sockets(server, lambda count: count >= before + run.connections) - before
        run.check_alive()
        if accepted < run.connections:
            raise CellFailed(f"the server accepted {accepted} of {run.connections} connections", "refused")


def _at_rest(server):
    """Reads what the server has used, once it uses nothing more."""
    deadline = time.monotonic() + _RESTLESS
    last = server.spent()
    while last and time.monotonic() < deadline:
        time.sleep(_RESTING)
        now = server.spent()
        if now.cpu - last.cpu < _RESTING * (now.when - last.when):
            break
        last = now
    return server.usage()


def _closed(server, before, what):
    """Waits until the server has closed its connections: what comes next counts its own."""
    if before is not None and (left := _wait_for_sockets(server, lambda count: count <= before) - before) > 0:
        raise CellFailed(f"the server still had {left} connections open after {what}")


def _warm_up(server, workload, connections, timing, pinning, before, holds_idle):
    """The discarded run, in which every answer is compared with what it must be; (its requests, their rate)."""
    with Run(workload, server.url, connections, timing.warmup, pinning.client, check=True) as run:
        _accepted(server, run, before, holds_idle)
        run.open_gate()
        run.sleep_until(timing.warmup)
        server.check_alive()
        figures, _ = run.finish()
    _refuse_wrong(server, figures, None, connections)
    _closed(server, before, "the warm-up")
    return figures["requests"], steady_rate(figures, workload.close, connections)


def steady_rate(figures, closes, connections):
    """Requests a second of a run. Where each has a connection of its own, the first ones have theirs from before the run: they come
    cheaper than all others."""
    steady = figures["requests"] - min(connections if closes else 0, figures["requests"] // 2)
    return steady * 1e6 / max(figures["elapsed_us"], 1)


@dataclass(frozen=True)
class Timed:
    """What the measured run gave."""

    figures: dict  # of wrk
    written: int | None  # bytes that its requests had, where the kernel tells
    first: Mark  # while requests are in flight
    second: Mark
    before: procfs.Usage | None  # at rest
    after: procfs.Usage | None
    memory: dict | None


def _timed(server, workload, connections, timing, pinning, before, holds_idle):
    """The measured run."""
    with Run(workload, server.url, connections, timing.seconds, pinning.client, hold=True) as run:
        _accepted(server, run, before, holds_idle)
        resting, unwritten = _at_rest(server), run.written()
        run.open_gate()
        first = mark(server, run, pinning)
        run.sleep_until(timing.seconds)
        second = mark(server, run, pinning)
        server.check_alive()
        run.end()
        after, memory = _at_rest(server), server.memory()
        figures, written = run.finish()
    return Timed(figures, None if written is None or unwritten is None else written - unwritten, first, second, resting, after, memory)


def requests_sent(timed):
    """(how many requests the server had to answer, how that is known). Those in flight at the end are not among wrk's."""
    figures = timed.figures
    if timed.written:
        return timed.written * figures["depth"] / figures["burst_bytes"], "bytes written by the client"
    return figures["requests"], "answers counted by the client"


def others_share(first, second, cpus):
    """The part of so many CPUs' time that neither the server nor the client nor the lab used."""
    ours = second.client_cpu - first.client_cpu + second.runner - first.runner
    if second.spent:
        ours += second.spent.cpu - first.spent.cpu
    return max(0, second.busy - first.busy - ours) / (second.when - first.when) / cpus


def _server_costs(timed, requests):
    """What the server spent between two moments of rest."""
    before, after = timed.before, timed.after
    cpu = after.cpu - before.cpu
    ticks = (after.user + after.system - before.user - before.system) or 1
    first, second = timed.first, timed.second
    return {
        "cpu_us_per_request": cpu * 1e6 / requests,
        "cpu_user_share": (after.user - before.user) / ticks,
        "voluntary_per_request": (after.voluntary - before.voluntary) / requests,
        "involuntary_per_request": (after.involuntary - before.involuntary) / requests,
        "switches_from": "the run",
        "threads": after.threads,
        "tasks_ended_meanwhile": len(before.tasks - after.tasks),
        "server_cpus_busy": (second.spent.cpu - first.spent.cpu) / (second.when - first.when),
    }


def in_flight(figures, connections):
    """The average number of bursts in flight according to rate and latency (Little's law); None if latencies are not known. The
    bursts in flight at the end have no latency: their age is that of a renewal process."""
    buckets = figures["latency_us"].get("buckets")
    if not buckets or not figures["elapsed_us"]:
        return None
    mean, square = histogram.mean(buckets), histogram.mean_square(buckets)
    bursts = figures["requests"] / figures["depth"]
    return (bursts * mean + connections * square / (2 * mean)) / figures["elapsed_us"]


def is_implausible(found, connections, busy):
    """Whether `found`, the number in flight according to Little's law, does not fit the number of connections. `busy`: the share of
    the time for which the client's CPUs are busy. For up to half of it the client may hold up each connection between an answer and
    the next request: wrk reads all answers that have arrived before it sends, and reading is half of its cycle."""
    return not (1 - IMPLAUSIBLE - min(busy, 1) / 2) * connections <= found <= (1 + IMPLAUSIBLE) * connections


def costs(timed, threads, connections, closes=False, shared=False):
    """What the run says of the client and, where it runs here, of the server. `threads`: of the client; `shared`: its CPU is the
    server's, too."""
    figures, first, second = timed.figures, timed.first, timed.second
    requests, how = requests_sent(timed)
    if requests < 1:
        raise CellFailed("no request was answered", "timeout")
    seconds = second.when - first.when
    client = (second.client_cpu - first.client_cpu) / seconds / threads
    # A connection for each request is opened before wrk's clock starts: there the law says nothing.
    held = None if closes else in_flight(figures, connections)
    return {
        "window": {"seconds": figures["elapsed_us"] / 1e6, "requests": requests, "requests_from": how},
        "requests_per_s": figures["requests"] / (figures["elapsed_us"] / 1e6),
        "in_flight": held,
        "implausible": held is not None and is_implausible(held, connections, 1 if shared else client),
        "client_cpu_share": client,
        "client_us_per_request": client * threads * 1e6 * figures["elapsed_us"] / 1e6 / figures["requests"],
        "client_limited": client >= CLIENT_LIMIT and not shared,
        "shared": shared and client >= CLIENT_SHARE,
        **(_server_costs(timed, requests) if timed.after else {}),
    }


def _switches_of_life(cell, life, requests):
    cell["voluntary_per_request"] = life["voluntary"] / requests
    cell["involuntary_per_request"] = life["involuntary"] / requests
    cell["switches_from"] = "whole life"


def interference(first, second, cpus):
    """What others did to the figures, and the lab itself."""
    seconds = (second.when - first.when) * cpus
    lost, runner = (second.lost - first.lost) / seconds, (second.runner - first.runner) / seconds
    others = max(0, others_share(first, second, cpus) - lost)
    return {"others_cpu_share": others, "disturbed": others >= DISTURBED, "lost_cpu_share": lost,
            "throttled": lost >= THROTTLED, "runner_cpu_share": runner, "runner": runner >= DISTURBED}


def _of_server(cell, life, warm, memory):
    """Completes a cell with what is known of a server that ran here."""
    cell["memory"] = memory
    cell["lifetime"] = {**life, "requests": warm + cell["requests"] + 1}
    if cell["tasks_ended_meanwhile"]:
        _switches_of_life(cell, life, cell["lifetime"]["requests"])
    cell["switches_per_request"] = cell["voluntary_per_request"] + cell["involuntary_per_request"]


def long_enough(timing, rate, connections):
    """The timing with as many seconds as a verdict's requests take at the rate of the warm-up, within bounds. At the end a request on
    each of `connections` has no answer yet."""
    needed = (_SPARE * REQUESTS + connections) / max(rate, 1)
    return replace(timing, seconds=min(max(timing.seconds, needed), _LONGER * timing.seconds))


def measure(subject, workload, connections, timing, pinning, then=None):
    """The figures of one measurement. CellFailed: no figure for this one; LabError: the server is of no use. `then`: what else is
    done with the server before it is stopped."""
    began = time.monotonic()
    with subject.start(pinning.server) as server:
        server.wait_ready()
        limit = server.limit()
        if limit and limit[0] < connections:
            raise CellFailed(f"at most {limit[0]:,} connections: {limit[1]}", "limit")
        before = server.sockets()
        answer_length = workload.check(server)
        warm, rate = _warm_up(server, workload, connections, timing, pinning, before, subject.holds_idle)
        timing = long_enough(timing, rate, connections)
        timed = _timed(server, workload, connections, timing, pinning, before, subject.holds_idle)
        _refuse_wrong(server, timed.figures, answer_length, connections)
        if then:
            _closed(server, before, "the run")
            then(server)
        life = server.stop()
    threads = max(1, min(len(pinning.client), connections))
    figures = timed.figures
    cell = {
        "duration_s": figures["elapsed_us"] / 1e6,
        "requests": figures["requests"],
        "latency_us": figures["latency_us"],
        "errors": figures["errors"],
        "asked_s": timing.seconds,
        "answer_bytes": answer_length,
        "limit": limit,
        **costs(timed, threads, connections, workload.close, pinning.is_shared),
        **interference(timed.first, timed.second, len(pinning.server | pinning.client)),
    }
    if timed.after:
        _of_server(cell, life, warm, timed.memory)
    cell["took_s"] = time.monotonic() - began
    return cell
