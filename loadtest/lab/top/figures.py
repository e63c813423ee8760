# SPDX-License-Identifier: MIT
"""What two pages of one server say together: rates, percentiles, and what the later one says alone."""

import math
from dataclasses import dataclass

CLASSES = ("2xx", "3xx", "4xx", "5xx")
SWITCHES = ("voluntary", "involuntary")
STATES = ("idle", "reading", "sending", "waiting", "working")  # of connections
_DURATION = "echod_request_duration_seconds"


@dataclass(frozen=True)
class Between:
    """A duration in seconds, as exactly as a histogram knows it: more than one bound, at most the other (None: none)."""

    above_s: float
    at_most_s: float | None


@dataclass(frozen=True)
class Figures:
    """None: the page does not say so, or there is no earlier page that it could be compared with."""

    mode: str | None
    version: str | None
    restarted: bool  # since the earlier page
    interval_s: float | None  # between the pages
    scrape_s: float  # from asking for the later page to its last byte
    requests_per_s: float | None
    answers_per_s: dict  # by class of the status
    p50: Between | None
    p99: Between | None
    connections: dict  # open; and among them those that are queued, those that linger, and those in each of STATES
    connections_per_s: float | None  # accepted
    threads: int | None
    memory_bytes: int | None
    switches_per_s: dict  # voluntary, involuntary
    cpu: float | None  # CPUs in use: 1 is one CPU all the time

    @property
    def switches(self):
        """Both kinds together."""
        counts = self.switches_per_s.values()
        return None if None in counts else sum(counts)


def percentile(buckets, per_cent):
    """Between which bounds that share of the values ends, by nearest rank; None if there is no value."""
    rank = max(1, math.ceil(sum(buckets.values()) * per_cent / 100))
    above = 0.0
    for end, count in sorted(buckets.items()):
        rank -= count
        if rank <= 0:
            return Between(above, None if math.isinf(end) else end)
        above = end
    return None


def _grown(before, after):
    """Of two histograms, what came in between. A request is in the first bucket from the start of its answer until its end tells
    where it belongs: so a bucket may also have lost."""
    return {end: max(0, count - before.get(end, 0)) for end, count in after.items()}


def _has_restarted(before, after):
    """Whether another process wrote the later page: its counters began at 0 again, or its mode is another one."""
    def fell(name):
        return (after.total(name) or 0) < (before.total(name) or 0)

    return (fell("echod_requests_total") or fell("echod_connections_total")
            or before.label("echod_info", "mode") != after.label("echod_info", "mode"))


def _whole(value):
    return None if value is None else int(value)


def between(before, after):
    """The figures of the later page, with rates since the earlier one, which may be None."""
    restarted = before is not None and _has_restarted(before, after)
    if restarted:
        before = None
    seconds = after.at - before.at if before else None

    def rate(name, **labels):
        """None also for what fell, so that it is no count: a CPU time of which a part could not be read, say."""
        if not before or not seconds:
            return None
        earlier, later = before.total(name, **labels), after.total(name, **labels)
        return (later - earlier) / seconds if None not in (earlier, later) and later >= earlier else None

    durations = _grown(before.buckets(_DURATION), after.buckets(_DURATION)) if before else {}
    return Figures(
        mode=after.label("echod_info", "mode"),
        version=after.label("echod_info", "version"),
        restarted=restarted,
        interval_s=seconds,
        scrape_s=after.took,
        requests_per_s=rate("echod_requests_total"),
        answers_per_s={code: rate("echod_requests_total", code=code) for code in CLASSES},
        p50=percentile(durations, 50),
        p99=percentile(durations, 99),
        connections={"open": _whole(after.total("echod_connections_open")), "queued": _whole(after.total("echod_queue_depth")),
                     "lingering": _whole(after.total("echod_connections_lingering")),
                     **{state: _whole(after.total("echod_connections", state=state)) for state in STATES}},
        connections_per_s=rate("echod_connections_total"),
        threads=_whole(after.total("echod_threads")),
        memory_bytes=_whole(after.total("process_resident_memory_bytes")),
        switches_per_s={kind: rate("echod_context_switches_total", kind=kind) for kind in SWITCHES},
        cpu=rate("process_cpu_seconds_total"),
    )
