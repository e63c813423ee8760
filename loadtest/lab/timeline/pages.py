# SPDX-License-Identifier: MIT
"""The timeline's page, and the picture for a README, from the runs of all modes."""

from ..machine import system
from ..report import page, timelines
from ..results import view
from ..text import units
from . import clients, findings, record, value

_DISTURBED = 0.1  # of the CPUs' time that other programs may take before the page warns
_PICTURED = ("event", "hybrid")  # the blocked loop, and what mends it


def report(runs, about, window):
    """report.html. `about`: machine, started, models, why there is no schedule if so."""
    values = [value.of(run, window) for run in runs]
    shown = [{"mode": run.mode, "model": about["models"].get(run.mode, ""), "flags": " ".join(("--mode", run.mode, *record.flags(run.mode))),
              "sentences": findings.sentences(run)} for run in runs]
    headings, rows = _table(runs)
    return page.closed("timeline.html", {
        "pictured": shown, "drawings": [timelines.draw(one) for one in values], "kinds": timelines.kinds(values),
        "window": f"{window[0]:g} to {window[1]:g} ms", "length": clients.LENGTH, "late": findings.LATE // 1000,
        "started": about["started"], "machine": [view.words(system.summary(about["machine"]))], "method": about["place"],
        "warnings": _warnings(runs, about), "headings": headings, "rows": rows, "script": clients.described(about["script"]),
        "how": _how(runs, about), "files": [f"{run.mode}.json" for run in runs],
    })


def picture(runs, about):
    """The page that --picture draws: the first two modes of those that say most, if they were run."""
    chosen = [run for run in runs if run.mode in _PICTURED] or runs[:2]
    values = [value.of(run) for run in chosen]
    return page.drawn_page("timeline_picture.html", {
        "pictured": [{"mode": run.mode, "sentences": findings.sentences(run)} for run in chosen],
        "drawings": [timelines.draw(one) for one in values], "kinds": timelines.kinds(values),
        "started": about["started"][:10], "machine": _general(about["machine"]),
    })


def _general(machine):
    """The machine as generally as strangers need it."""
    kernel = ".".join(machine["kernel"].split(".")[:2])
    return [f"{len(machine['cpus_usable'])} CPUs, {machine['system']}, {kernel}", *([f"commit {machine['commit']}"] if machine["commit"] else [])]


def _warnings(runs, about):
    found = [f"The CPUs are not shown: {about['no_schedule']}. The lanes of threads are from the server's trace alone."] if about["no_schedule"] else []
    lost = [run.mode for run in runs if run.trace.lost]
    if lost:
        found.append(f"The trace has lost records in {', '.join(lost)}: some blocks are missing there.")
    busy = [run for run in runs if run.schedule and _others(run) > _DISTURBED]
    if busy:
        told = ", ".join(f"{100 * _others(run):.0f} % in {run.mode}" for run in busy)
        found.append(f"Other programs used the server's CPUs meanwhile ({told}): requests that compute, and threads that are ready, may have taken longer for it.")
    return found


def _others(run):
    found = findings.figures(run)
    return found["others_us"] / found["of_cpus_us"]


def _table(runs):
    """(headings, rows), a row for each mode."""
    with_cpus = all(run.schedule for run in runs)
    headings = ["mode", "longest time that a loop did one client's work", "requests for /plaintext", "of these late", "longest wait to be read",
                "median wait to be read", "threads and processes", *(["CPU used", "ready, without a CPU"] if with_cpus else [])]
    rows = []
    for run in runs:
        found = findings.figures(run)
        loop = found["loop_us_max"]
        cells = [run.mode, units.microseconds(loop) if loop else "–", found["cheap"], found["late"], units.microseconds(found["unread_us_max"]),
                 units.microseconds(found["unread_us_median"]), found["threads"]]
        rows.append(cells + ([units.microseconds(found["cpu_us"]), units.microseconds(found["ready_us"])] if with_cpus else []))
    return headings, rows


def _how(runs, about):
    """The method, a sentence or two each."""
    lines = ["What threads and requests did is from the server's trace (--trace). When a request was sent and answered is from the clients. Both read "
             "CLOCK_MONOTONIC.",
             "A request counts as read when the server takes it from its socket. “Not read yet” is the time before that, from when the client sent it.",
             f"{about['place']}. A server has one loop and two workers, so that the lanes are few; pool has four workers, which are all its threads.",
             "/compute does as many rounds as take about "
             f"{clients.COMPUTING} ms here when nothing else runs; that was tried before the first mode.",
             "This is one run of each mode, made to be looked at. For figures with their spread use ./dev compare.",
             "Tracing costs a little: a record for each step of the server, and with perf a record for each change of a CPU's thread."]
    if about["no_schedule"]:
        lines.append(f"No CPUs, and no state of threads: {about['no_schedule']}.")
    else:
        lines.append("Which thread was on a CPU, and which was ready and had none, is from the kernel's sched_switch and sched_wakeup, recorded by perf.")
    return lines
