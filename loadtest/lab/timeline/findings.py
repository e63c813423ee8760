# SPDX-License-Identifier: MIT
"""What a mode's run shows, in figures and in a sentence or two that are made from them."""

import statistics

from ..text import units
from . import trace as traces

LATE = 5000  # µs: a request that was not read for longer than this waited
_SAME_STRETCH = 1000  # µs between two pieces of work of a thread that did nothing else in between
_BLOCKING, _COMPUTING, _WAITING = "blocking", "computing", "waiting"


def figures(run):
    """Figures of a run by name; those of CPUs only with a schedule."""
    cheap = [one for one in run.requests if one.is_cheap]
    late = [one for one in cheap if one.unread > LATE]
    longest = max(stretches(run), key=lambda one: one["end"] - one["start"], default=None)
    found = {
        "cheap": len(cheap), "late": len(late), "unread_us_max": max((one.unread for one in cheap), default=0),
        "unread_us_median": statistics.median([one.unread for one in cheap]) if cheap else 0,
        "threads": len(run.trace.threads), "again": sum(one.asked.sent_again for one in run.requests),
        "loop_us_max": longest["end"] - longest["start"] if longest else None, "lost": run.trace.lost,
    }
    if run.schedule:
        ours = run.trace.threads
        found["cpu_us"] = sum(_within(run, one) for one in run.schedule.running if one.tid in ours)
        found["ready_us"] = sum(_within(run, one) for one in run.schedule.ready if one.tid in ours)
        found["others_us"] = sum(_within(run, one) for one in run.schedule.running if one.tid not in ours and one.tid != run.client)
        found["of_cpus_us"] = (run.end - run.begin) * len(run.schedule.cpus)
    return found


def _within(run, one):
    return max(0.0, min(one.end, run.end) - max(one.start, run.begin))


def stretches(run):
    """How long a loop did nothing but the work of requests: {thread, start, end, requests, waiting}, in order. `waiting`: the
    requests of others that were sent before its end and read after it began."""
    found = []
    for thread in run.threads(traces.LOOP):
        current = None
        for part in thread.slices:
            if part.name == "work":
                if current and part.start - current["end"] < _SAME_STRETCH:
                    current["end"] = part.end
                else:
                    current = {"thread": thread.name, "start": part.start, "end": part.end, "requests": []}
                    found.append(current)
                if (one := run.at(part.connection, part.start)):
                    current["requests"].append(one)
            elif current and part.end - part.start > _SAME_STRETCH:
                current = None
    for one in found:
        one["waiting"] = [other for other in run.requests if other.asked.sent < one["end"] and other.served.start > one["start"]
                          and other.served.start - other.asked.sent > _SAME_STRETCH and other not in one["requests"]]
    return sorted(found, key=lambda one: one["start"])


def sentences(run):
    """What to look at, the plainest first."""
    found = [*(sentence(run, kind) for kind in (_BLOCKING, _COMPUTING, _WAITING)), _closed(run), _cpu(run)]
    return [text for text in found if text]


def sentence(run, kind):
    """What the requests that block, compute or wait did to the others, or did without; empty if there were none."""
    state = "wait" if kind == _WAITING else "work"
    ones = [one for one in run.requests if one.asked.client.kind == kind and any(name == state for _, _, name in one.served.states)]
    if not ones:
        return ""
    return _of_waiting(run, ones) if kind == _WAITING else _of_work(run, ones)


def _of_waiting(run, ones):
    """Who waited with a request that only waits."""
    spans = [(start, end) for one in ones for start, end, name in one.served.states if name == "wait"]
    begin, end = min(start for start, _ in spans), max(end for _, end in spans)
    tids = {part.tid for one in ones for part in run.slices.get(one.asked.connection, ()) if part.name != "accept"}
    threads = [run.trace.threads[tid] for tid in sorted(tids)]
    blocked = [thread for thread in threads if run.is_blocking(thread)]
    if blocked:
        return f"{len(ones)} × {ones[0].asked.client.text} waited: {_named(blocked)} slept meanwhile."
    beside = [one for one in run.requests if one.is_cheap and begin <= one.served.start <= end]
    return (f"{len(ones)} × {ones[0].asked.client.text} waited, and no thread waited with them: {_named(threads)} read {len(beside)} requests for "
            "/plaintext meanwhile.")


def _of_work(run, working):
    """What requests that block or compute did to the others."""
    path = working[0].asked.client.text
    ours = [one for one in stretches(run) if any(other in working for other in one["requests"])]
    if ours:
        return _of_loop(run, path, max(ours, key=lambda one: one["end"] - one["start"]))
    spans = [(start, end) for one in working for start, end, name in one.served.states if name == "work"]
    begin, end = min(start for start, _ in spans), max(end for _, end in spans)
    beside = [one for one in run.requests if one.is_cheap and one.asked.sent < end and one.served.start > begin]
    return f"{path} ran on {_places(run, working)}. {_beside(beside)}".strip()


def _of_loop(run, path, stretch):
    waiting = stretch["waiting"]
    took = units.microseconds(stretch["end"] - stretch["start"])
    count = len(stretch["requests"])
    times = f"{count} × " if count > 1 else ""
    if not waiting:
        return f"{stretch['thread']} did nothing but {times}{path} for {took}; no request of another client came meanwhile and waited for its end."
    longest = units.microseconds(max(one.unread for one in waiting))
    return (f"From {run.time(stretch['start'])} on, {stretch['thread']} did nothing but {times}{path} for {took}. "
            f"{len(waiting)} {'request' if len(waiting) == 1 else 'requests'} of other clients had come and {_was(waiting)} not read, "
            f"the longest for {longest}.")


def _was(ones):
    return "was" if len(ones) == 1 else "were"


def _places(run, working):
    """On which threads requests did their work."""
    tids = {part.tid for one in working for part in run.slices.get(one.asked.connection, ()) if part.name == "work"}
    return _named([run.trace.threads[tid] for tid in sorted(tids)])


def _named(threads):
    """Threads as a sentence names them."""
    if all(thread.kind == traces.DEDICATED for thread in threads):
        what = "process" if threads[0].name.startswith("process") else "thread"
        return f"{len(threads)} {what}{'es' if what == 'process' else 's'} of their own" if len(threads) > 1 else f"a {what} of its own"
    return " and ".join(sorted(thread.name for thread in threads))


def _beside(beside):
    if not beside:
        return ""
    late = [one for one in beside if one.unread > LATE]
    typical = f"the median waited {units.microseconds(statistics.median(one.unread for one in beside))} to be read"
    if not late:
        return f"None of the {len(beside)} requests for /plaintext meanwhile had to wait for more than {LATE // 1000} ms; {typical}."
    count = f"All {len(late)}" if len(late) == len(beside) else f"{len(late)} of the {len(beside)}"
    return (f"{count} requests for /plaintext meanwhile waited for more than {LATE // 1000} ms, the longest "
            f"for {units.microseconds(max(one.unread for one in late))}; {typical}.")


def _closed(run):
    again = sum(one.asked.sent_again for one in run.requests)
    if not again:
        return ""
    return (f"{again} times the server closed an idle connection because others were waiting for a thread; the client sent its "
            "request again on a new one.")


def _cpu(run):
    if not run.schedule:
        return ""
    found = figures(run)
    return (f"The server's {found['threads']} threads and processes used {units.microseconds(found['cpu_us'])} of CPU, and were ready without "
            f"getting one for {units.microseconds(found['ready_us'])} in all.")
