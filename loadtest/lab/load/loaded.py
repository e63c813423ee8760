# SPDX-License-Identifier: MIT
"""A server under swarm: what swarm says, and what was read of the server and of the machine meanwhile."""

import time
from dataclasses import dataclass

from ..machine import procfs
from ..results import histogram
from ..text.errors import CellFailed
from . import swarm
from .measure import CLIENT_LIMIT, Mark, interference, mark

_TAIL = 0.1  # seconds before the end at which the second reading is made
_ACCEPTED, _POLL = 20, 0.01  # seconds until all connections are accepted; between two looks
_OFFERED = 0.98  # of a rate asked for, at least: what is offered less is no constant rate


@dataclass(frozen=True)
class Loaded:
    result: dict
    first: Mark
    second: Mark
    memory: dict | None
    kernel: dict  # bytes of kernel memory of the whole system, by kind
    cpus: int  # in use

    def of(self, name):
        """The figures of a class."""
        return next(found for found in self.result["classes"] if found["name"] == name)

    def marks(self):
        """What spoils the figures."""
        found = interference(self.first, self.second, self.cpus)
        limited = self.result["client_cpu_share"] >= CLIENT_LIMIT
        unoffered = any(of["asked_rate"] and of["offered_rate"] < _OFFERED * of["asked_rate"] for of in self.result["classes"])
        return [mark for mark, true in (("client_limited", limited), ("disturbed", found["disturbed"]),
                                        ("throttled", found["throttled"]), ("runner", found["runner"]),
                                        ("unoffered", unoffered)) if true]

    def of_server(self):
        """Figures of the server's process, if it runs here."""
        if not self.second.spent:
            return {}
        figures = {"threads": self.second.spent.threads}
        if self.memory and self.memory["pss"] is not None:
            figures["pss_bytes"] = self.memory["pss"]
        return figures

    def histogram(self, name, which="latency_us"):
        """The latencies of a class, or with `late_us` those of its late answers, as results.json keeps them."""
        return histogram.compact(self.of(name)[which]["buckets"])

    def series(self, name):
        """What happened to a class over time: by figure, [seconds from the window's beginning, value] for each interval."""
        rows = self.of(name).get("series", [])
        names = [figure for figure in rows[0] if figure != "end_s"] if rows else []
        return {figure: [[row["end_s"], row[figure]] for row in rows if row[figure] is not None] for figure in names}

    def details(self):
        found = interference(self.first, self.second, self.cpus)
        classes = [{name: _without_buckets(value) for name, value in of.items() if name != "series"}
                   for of in self.result["classes"]]
        return {"swarm": {**self.result, "classes": classes}, "others_cpu_share": found["others_cpu_share"],
                "lost_cpu_share": found["lost_cpu_share"]}


def _without_buckets(value):
    """A member of a class; of a histogram, what is left of it."""
    return {name: found for name, found in value.items() if name != "buckets"} if isinstance(value, dict) else value


def wait_until_accepted(server, before, count, deadline):
    """Waits until the server has `count` more sockets than `before`, but not beyond `deadline`, a time of the monotonic clock. Does not
    wait if the server's sockets cannot be seen."""
    while before is not None and time.monotonic() < deadline:
        looked = time.monotonic()
        sockets = server.sockets()
        if sockets is None or sockets >= before + count:
            return
        server.check_alive()
        # Looking costs the server something: locks it needs for new threads are held meanwhile.
        time.sleep(max(_POLL, 2 * (time.monotonic() - looked)))


def load(server, classes, pinning, seconds, warmup=0.0, gate=True, of_run=None, looked=None):
    """Loads it for so long. `looked`: seconds after the first request at which the second reading is made, if not at the end."""
    length = warmup + seconds
    flags = {"warmup": f"{warmup:g}", "grace": swarm.GRACE, "buckets": True, **(of_run or {})}
    before = server.sockets() if gate else None
    with swarm.Run(classes, flags, server, pinning.client, gate) as run:
        if gate:
            open_gate(run, server, before)
        run.sleep_until(warmup)
        first = mark(server, run, pinning)
        run.sleep_until(length - _TAIL if looked is None else looked)
        second = mark(server, run, pinning)
        memory, kernel = server.memory(), procfs.kernel_memory()
        result = run.finish(length)
        server.check_alive()
    return Loaded(result, first, second, memory, kernel, len(pinning.server | pinning.client))


def open_gate(run, server, before):
    """Lets the requests of a swarm begin once the server has accepted its connections. `before`: its sockets without them."""
    held = run.held()
    if held["open"] < held["asked"]:
        raise CellFailed(f"{held['open']:,} of {held['asked']:,} connections were opened", "refused")
    wait_until_accepted(server, before, held["open"], time.monotonic() + _ACCEPTED)
    run.open_gate()


def failed(found):
    """How many requests of a class got no whole answer, or a wrong one, or were never sent."""
    return sum(found["errors"].values()) + found["unsent"] + found["unfinished"]


def missed(found):
    """In words, what came of the requests of a class that got no right answer in time."""
    words = [f"{found[name]:,} {how}" for name, how in (("late", "late"), ("refused", "refused with 503")) if found[name]]
    words += [f"{count:,} {kind} errors" for kind, count in found["errors"].items() if count]
    words += [f"{found[name]:,} {name}" for name in ("unsent", "unfinished") if found[name]]
    first = f" (first: {found['first_error']})" if found["first_error"] else ""
    return (", ".join(words) or "nothing was asked") + first


def refuse_wrong(found):
    """CellFailed if a class got answers that are not what they must be."""
    errors = found["errors"]
    if errors["status"] + errors["body"]:
        raise CellFailed(f"wrong answers: {missed(found)}", "wrong", errors)


def add_errors(several):
    """Errors of several runs together, by kind."""
    total = {}
    for errors in several:
        for kind, count in errors.items():
            total[kind] = total.get(kind, 0) + count
    return total
