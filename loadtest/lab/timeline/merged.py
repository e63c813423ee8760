# SPDX-License-Identifier: MIT
"""The merged trace: the server's, with the clients' requests and the kernel's schedule as further tracks. Perfetto opens it."""

from . import trace as traces

CLIENTS, CPUS, STATES = traces.CONNECTIONS + 1, traces.CONNECTIONS + 2, traces.CONNECTIONS + 3  # pids that no process has


def merged(run):
    """The value of the file."""
    value = dict(run.trace.value)
    value["traceEvents"] = [*value["traceEvents"], *_clients(run), *(_schedule(run) if run.schedule else ())]
    return value


def _named(pid, process, threads):
    """The names of a track's process and threads; `threads`: (number, name)."""
    yield {"ph": "M", "ts": 0, "pid": pid, "tid": 0, "name": "process_name", "args": {"name": process}}
    for tid, name in threads:
        yield {"ph": "M", "ts": 0, "pid": pid, "tid": tid, "name": "thread_name", "args": {"name": name}}


def _slice(pid, tid, start, end, name, **arguments):
    return {"ph": "X", "ts": round(start, 3), "dur": round(end - start, 3), "pid": pid, "tid": tid, "name": name, "args": arguments}


def _clients(run):
    names = list(dict.fromkeys(one.asked.client.name for one in run.requests))
    yield from _named(CLIENTS, "clients", enumerate(names, 1))
    for one in run.requests:
        end = one.asked.answered or run.end
        yield _slice(CLIENTS, names.index(one.asked.client.name) + 1, one.asked.sent, end, one.asked.client.text,
                     connection=one.asked.connection, unread_us=round(one.unread, 1))


def _schedule(run):
    """Who was on each CPU; and of each thread of the server, whether it ran or was ready. It sleeps where it has neither."""
    names = {one.tid: one.name for one in run.schedule.running}
    names.update({tid: thread.name for tid, thread in run.trace.threads.items()})
    names[run.client] = "the clients"
    yield from _named(CPUS, "CPUs", ((cpu + 1, f"CPU {cpu}") for cpu in run.schedule.cpus))
    yield from _named(STATES, "threads of the server by state", ((tid, thread.name) for tid, thread in run.trace.threads.items()))
    for one in run.schedule.running:
        yield _slice(CPUS, one.cpu + 1, one.start, one.end, names[one.tid], thread=one.tid)
        if one.tid in run.trace.threads:
            yield _slice(STATES, one.tid, one.start, one.end, "running", cpu=one.cpu)
    for one in run.schedule.ready:
        if one.tid in run.trace.threads:
            yield _slice(STATES, one.tid, one.start, one.end, "ready")
