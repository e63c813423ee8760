# SPDX-License-Identifier: MIT
"""What was found, for a terminal."""

from ..text.tables import plain
from ..text.units import significant, with_spread
from . import targets

TIMED = ["server", "CPU/request: median", "best", "user", "system", "switches", "requests/s", "to its ceiling: median",
         "best", "to the best peer"]
FIXED = ["server", "bytes/idle connection", "start: median", "best"]
COUNTED = ["server", "instructions/request", "calls/request", "which"]
TARGETS = ["target", "found", "at most", ""]
_WORDS = {True: "met", False: "missed", None: "unclear"}


def _microseconds(value, digits=3):
    return f"{significant(value, digits)} µs"


def _ratio(sample, other, pick):
    return f"{pick(sample) / pick(other):.2f}" if other else "-"


def _median(sample):
    return sample.median


def timed_rows(entries, workload):
    """The servers that met a workload."""
    by_ceiling = {entry.ceiling: entry.timed[workload].cpu
                  for entry in entries if entry.kind == "ceiling" and workload in entry.timed}
    peer = targets.best_peer(entries, workload)
    rows = []
    for entry in entries:
        timed = entry.timed.get(workload)
        if not timed:
            if workload in entry.failures:
                rows.append([entry.name, entry.failures[workload], *[""] * (len(TIMED) - 2)])
            continue
        ceiling = by_ceiling.get(entry.ceiling)
        rows.append([
            entry.name,
            with_spread(_microseconds(timed.cpu.median), timed.cpu),
            _microseconds(timed.cpu.low),
            _microseconds(timed.user.median, 2),
            _microseconds(timed.system.median),
            significant(timed.switches.median, 2),
            f"{timed.rate.median:,.0f}",
            _ratio(timed.cpu, ceiling, _median),
            _ratio(timed.cpu, ceiling, lambda sample: sample.low),
            _ratio(timed.cpu, peer.timed[workload].cpu if peer else None, _median),
        ])
    return rows


def _which(calls):
    return ", ".join(f"{name} {count:.2f}" for name, count in calls.items() if name != "all")


def counted_rows(entries, workload):
    rows = []
    for entry in entries:
        instructions, calls = entry.instructions.get(workload), entry.calls.get(workload)
        if instructions is not None or calls:
            rows.append([entry.name, "-" if instructions is None else f"{instructions:,.0f}",
                         f"{calls['all']:.2f}" if calls else "-", _which(calls or {})])
    return rows


def fixed_rows(entries):
    return [[entry.name,
             "-" if entry.idle_bytes is None else f"{entry.idle_bytes:,.0f}",
             f"{entry.start_ms.median:.1f} ms" if entry.start_ms else "-",
             f"{entry.start_ms.low:.1f} ms" if entry.start_ms else "-"]
            for entry in entries if entry.idle_bytes is not None or entry.start_ms]


def target_rows(verdicts):
    return [[verdict.figure + (f" ({verdict.note})" if verdict.note else ""), verdict.found, verdict.most,
             _WORDS[verdict.met]] for verdict in verdicts]


def render(entries, workloads, verdicts):
    """All tables that have a row."""
    parts = []
    for workload in workloads:
        rows = timed_rows(entries, workload.name)
        if rows:
            parts.append(f"{workload.title}, {workload.connections:,} connections\n{plain(TIMED, rows)}")
    for workload in workloads:
        rows = counted_rows(entries, workload.name)
        if rows:
            parts.append(f"{workload.title}: user instructions and system calls\n{plain(COUNTED, rows)}")
    if rows := fixed_rows(entries):
        parts.append(plain(FIXED, rows))
    if verdicts:
        parts.append(plain(TARGETS, target_rows(verdicts)))
    return "\n\n".join(parts)
