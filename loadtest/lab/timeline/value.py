# SPDX-License-Identifier: MIT
"""A timeline as a value of lists, texts and numbers, which lab/report/timelines.py draws and result files hold. Times are ms."""

from . import clients, findings, lanes

_CHEAP = 3  # clients with cheap requests that a small timeline shows


def of(run, window=(0, clients.LENGTH)):
    """All lanes of a run."""
    return _value(run, window, lanes.groups(run), " ".join(findings.sentences(run)))


def small(run, window, shows):
    """A few lanes of a part of a run, for a page with other things on it. `shows`: the kind of requests that it is about, waiting,
    blocking or computing. Their lanes stay, with those of some cheap requests beside them and of the threads and CPUs that did it."""
    subject = [client.name for client in run.script if client.kind == shows]
    shown = [client.name for client in run.script if client.every][:_CHEAP] + subject
    found = []
    for group in lanes.groups(run):
        kept = [lane for lane in group.lanes if lane.name in shown or lane.name.startswith(("loop", "worker", "CPU"))]
        if kept:
            found.append(lanes.Group(group.title, kept))
    return _value(run, window, found, findings.sentence(run, shows))


def _value(run, window, groups, finding):
    return {"mode": run.mode, "window_ms": list(window), "finding": finding,
            "groups": [{"title": group.title, "lanes": [_lane(run, lane, window) for lane in group.lanes]} for group in groups]}


def _lane(run, lane, window):
    found = {"name": lane.name, "blocks": _blocks(run, lane.blocks, window)}
    if lane.strip:
        found["strip"] = _blocks(run, lane.strip, window)
    return found


def _blocks(run, blocks, window):
    """Those within the window."""
    return [[round(run.relative(one.start), 3), round(run.relative(one.end), 3), one.kind, one.title, one.label] for one in blocks
            if run.relative(one.end) >= window[0] and run.relative(one.start) <= window[1]]
