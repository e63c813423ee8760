# SPDX-License-Identifier: MIT
"""Lanes: what each request, thread and CPU did, as blocks over time, from the clients' run, the server's trace and the schedule.

A block's kind says what it was: KINDS of lab/report/timelines.py has them all, with their looks.
"""

import bisect
from dataclasses import dataclass, field

from ..text import units
from . import trace as traces

_OVERDUE = 2000  # µs: what takes longer than it has to by more than this is shown
_NEAR = 150  # µs: blocks of one kind as near as this to each other are drawn as one


@dataclass(frozen=True)
class Block:
    start: float  # µs
    end: float
    kind: str
    title: str  # what it was, in words
    label: str = ""  # stands in the block if there is room


@dataclass
class Lane:
    name: str
    blocks: list
    strip: list = field(default_factory=list)  # blocks of a narrow line below: on a CPU, or ready and waiting for one


@dataclass
class Group:
    title: str
    lanes: list


def groups(run):
    """All lanes of a mode."""
    found = [Group("requests, as their clients see them", _request_lanes(run))]
    dedicated = [thread for thread in _threads(run) if thread.kind == traces.DEDICATED]
    others = [thread for thread in _threads(run) if thread.kind != traces.DEDICATED]
    found.append(Group("threads", [_thread_lane(run, thread) for thread in others]))
    if dedicated:
        what = dedicated[0].name.partition(" ")[0]
        plural = "processes" if what == "process" else "threads"
        found.append(Group(f"{plural}: one for each connection", [_thread_lane(run, thread) for thread in dedicated]))
    if run.trace.fibers:
        found.append(Group("fibers, which take turns on the loop: one for each connection", _fiber_lanes(run)))
    if run.schedule:
        found.append(Group("CPUs", _cpu_lanes(run)))
    return found


def merged(blocks, near=_NEAR):
    """The blocks in order, those of one kind that are near to each other as one. A block with a label stays as it is."""
    found = []
    for block in sorted(blocks, key=lambda one: (one.start, one.end)):
        last = found[-1] if found else None
        if last and last[-1].kind == block.kind and not block.label and not last[-1].label and block.start - last[-1].end <= near:
            last.append(block)
        else:
            found.append([block])
    return [_joined(parts) for parts in found]


def _joined(parts):
    if len(parts) == 1:
        return parts[0]
    titles = list(dict.fromkeys(part.title for part in parts))
    title = titles[0] if len(titles) == 1 else "; ".join(titles[:6]) + (f"; and {len(titles) - 6} more" if len(titles) > 6 else "")
    return Block(parts[0].start, max(part.end for part in parts), parts[0].kind, title)


# ---- requests

def _request_lanes(run):
    """A lane for each client, with whatever connections it had."""
    return [Lane(client.name, [block for one in run.requests if one.asked.client == client for block in _of_request(run, one)])
            for client in run.script]


def described(run, one):
    """A request in words: when it was sent, read and answered."""
    answered = f", answered at {run.time(one.asked.answered)}" if one.asked.answered else ", not all of its answer was read"
    again = f", sent again on a new connection {one.asked.sent_again} times" if one.asked.sent_again else ""
    return (f"{one.asked.client.text} of {one.asked.client.name} (connection {one.asked.connection}): sent at "
            f"{run.time(one.asked.sent)}{again}, read {units.microseconds(one.unread)} later{answered}")


def _of_request(run, one):
    """Not read; then waiting, queued or at work, and answered in between."""
    title = described(run, one)
    start, states = one.served.start, _states(one, title)
    unread = [Block(one.asked.sent, start, "unread", f"Not read yet: {title}")] if one.unread > 0 else []
    slices = [Block(max(own.start, start), own.end, "answering", title) for own in _slices(run, one)
              if own.name not in ("work", "writable")]  # a thread that has found its client's buffer full may stay in a write
    known = states + _without(slices, states)
    return merged(unread + known + _without(_rest(run, one, known, title), known))


def _rest(run, one, known, title):
    """What is left of a request's time: until the server has answered, and until its client has the answer. A little of it is nothing
    to be seen; more is somebody's delay."""
    start, end = one.served.start, one.served.end or run.end
    last = max(end, one.asked.answered or run.end)
    if one.asked.client.slow:
        return [Block(start, last, "sending", title)]
    gaps = [Block(gap.start, gap.end, "overdue" if gap.end - gap.start > _OVERDUE else "answering", title)
            for gap in _without([Block(start, end, "answering", title)], known)]
    taking = "sending" if last - end > _OVERDUE else "answering"
    return (gaps if one.served.states else [Block(start, end, "answering", title)]) + [Block(end, last, taking, title)]


def _states(one, title, names=("wait", "queue", "work")):
    """The blocks of what a request waited for, or worked."""
    found = []
    for start, end, name in one.served.states:
        if name not in names:
            continue
        due = start + one.asked.client.waits * 1000 if name == "wait" and one.asked.client.waits else end
        if due + _OVERDUE < end:
            found.append(Block(due, end, "overdue", f"Its delay is over, but no thread has resumed the request yet: {title}"))
            end = due
        kind = {"wait": "waiting", "queue": "queued"}.get(name) or one.asked.client.kind
        found.append(Block(start, end, kind, title, label(one) if name == "work" else ""))
    return found


def label(one):
    """What stands in a block: the path, without a number that says nothing."""
    return "/compute" if one.asked.client.kind == "computing" else one.asked.client.path


def _slices(run, one):
    """The slices of threads that were for this request."""
    end = one.served.end or float("inf")
    return [part for part in run.slices.get(one.asked.connection, ()) if part.end >= one.served.start and part.start <= end]


def _without(blocks, holes):
    """The blocks' parts that no hole covers."""
    holes = sorted(holes, key=lambda one: one.start)
    found = []
    for block in blocks:
        start = block.start
        for hole in holes:
            if hole.end <= start or hole.start >= block.end:
                continue
            if hole.start > start:
                found.append(Block(start, hole.start, block.kind, block.title))
            start = max(start, hole.end)
        if start < block.end:
            found.append(Block(start, block.end, block.kind, block.title))
    return found


# ---- threads

_ORDER = (traces.ACCEPTOR, traces.LOOP, traces.WORKER, traces.DEDICATED)


def _threads(run):
    return sorted(run.trace.threads.values(), key=lambda one: (_ORDER.index(one.kind), one.number))


def _thread_lane(run, thread):
    blocks = [_of_slice(run, part) for part in thread.slices]
    if run.is_blocking(thread):
        blocks += _without(_waits(run, thread), blocks)
    name = run.client_of(thread.number) if thread.kind == traces.DEDICATED else thread.name
    return Lane(name, merged(blocks), _strip(run, thread.tid))


def _of_slice(run, part):
    if part.name == "accept":
        return Block(part.start, part.end, "answering", f"accepts {run.client_of(part.connection)} at {run.time(part.start)}")
    one = run.at(part.connection, part.start)
    took = units.microseconds(part.end - part.start)
    if one is None:
        return Block(part.start, part.end, "answering", f"{part.name} at {run.time(part.start)}, {took}")
    text = f"{one.asked.client.text} of {one.asked.client.name}"
    if part.name == "work":
        return Block(part.start, part.end, one.asked.client.kind, f"{text}: {took} from {run.time(part.start)} on", label(one))
    kind = "sending" if part.name == "writable" else "answering"
    return Block(part.start, part.end, kind, f"{text}: {part.name} at {run.time(part.start)}, {took}")


def _waits(run, thread):
    """When a thread that blocks waited for a request's delay, or for its client to read."""
    found = []
    for part, following in zip(thread.slices, [*thread.slices[1:], None]):
        one = run.at(part.connection, part.start)
        if one is None:
            continue
        found += [block for block in _states(one, f"{described(run, one)}: the thread sleeps", ("wait",)) if block.start >= part.end - 1]
        if one.asked.client.slow and following and following.connection == part.connection and following.name == "writable":
            found.append(Block(part.end, following.start, "sending", f"{described(run, one)}: the thread waits for its client to read"))
    return found


def _strip(run, tid):
    if not run.schedule:
        return []
    running, ready = run.of_thread(tid)
    return merged([Block(one.start, one.end, "running", f"on CPU {one.cpu}") for one in running], 50) + \
        merged([Block(one.start, one.end, "ready", f"ready, but waits {units.microseconds(one.end - one.start)} for a CPU")
                for one in ready if one.end - one.start > _NEAR], 0)


# ---- fibers

def _fiber_lanes(run):
    found = []
    for number in sorted(run.trace.fibers):
        own = [part for part in run.slices.get(number, ()) if part.name != "accept"]
        blocks = [_of_slice(run, part) for part in own]
        for one in run.requests_of(number):
            blocks += _without(_states(one, f"{described(run, one)}: the fiber is suspended", ("wait", "queue")), blocks)
            if one.asked.client.slow and one.served.end:
                blocks += _without([Block(one.served.start, one.served.end, "sending", f"{described(run, one)}: the fiber is suspended")],
                                   blocks)
        found.append(Lane(run.client_of(number), merged(blocks)))
    return found


# ---- CPUs

def _cpu_lanes(run):
    return [Lane(f"CPU {cpu}", merged([_of_cpu(run, one) for one in run.schedule.running if one.cpu == cpu], 60))
            for cpu in run.schedule.cpus]


def _of_cpu(run, one):
    """A thread's time on a CPU, with the kind of what the thread did then."""
    took = units.microseconds(one.end - one.start)
    thread = run.trace.threads.get(one.tid)
    if thread:
        kind, text = _doing(run, thread, one)
        name = run.client_of(thread.number) if thread.kind == traces.DEDICATED else thread.name
        return Block(one.start, one.end, kind, f"{name}{text}: {took}")
    if one.tid == run.client:
        return Block(one.start, one.end, "client", f"the clients: {took}")
    return Block(one.start, one.end, "other", f"other programs ({one.name}): {took}")


def _doing(run, thread, one):
    """(kind, words) of the slice that fills most of that time."""
    starts = [part.start for part in thread.slices]
    around = thread.slices[max(0, bisect.bisect_right(starts, one.start) - 1):bisect.bisect_left(starts, one.end)]
    best = max(around, key=lambda part: min(part.end, one.end) - max(part.start, one.start), default=None)
    if best is None or min(best.end, one.end) <= max(best.start, one.start):
        return "answering", ""
    block = _of_slice(run, best)
    return block.kind, f", {block.title.partition(':')[0]}"
