# SPDX-License-Identifier: MIT
"""What the bench holds the modes to, and whether they got there."""

from dataclasses import dataclass

from .workloads import PLAINTEXT

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Verdict:
    figure: str
    found: str
    most: str
    met: bool | None  # None: the median says one thing and the best round another
    note: str = ""

    def as_dict(self):
        return vars(self)


def _ratios(entry, other, workload):
    """(of the medians, of the best rounds), or None."""
    if not other or workload not in entry.timed or workload not in other.timed:
        return None
    one, two = entry.timed[workload].cpu, other.timed[workload].cpu
    return one.median / two.median, one.low / two.low


def _met(values, most):
    met = [value <= most for value in values]
    return met[0] if len(set(met)) == 1 else None


def best_peer(entries, workload):
    """The one with the lowest median, or None."""
    peers = [entry for entry in entries if entry.kind == "peer" and workload in entry.timed]
    return min(peers, key=lambda entry: entry.timed[workload].cpu.median, default=None)


def _instructions(entries, mode):
    """User instructions of a mode per plaintext request, or None."""
    return entries[mode].instructions.get(PLAINTEXT.name) if mode in entries else None


def _by_name(entries):
    return {entry.name: entry for entry in entries}


@dataclass(frozen=True)
class Instructions:
    """At most so many or, with `above`, so many more than that mode."""

    mode: str
    most: int
    above: str = ""

    def judge(self, entries, sizes):
        found, base = _instructions(entries, self.mode), _instructions(entries, self.above) if self.above else 0
        if found and base is not None:
            yield Verdict(f"{self.mode}, plaintext, user instructions per request", f"{found:,.0f}", f"{base + self.most:,.0f}",
                          found <= base + self.most)


@dataclass(frozen=True)
class ToCeiling:
    """CPU per request beside the ceiling of the same model, or beside `ceiling`, and, where wanted, below every peer."""

    mode: str
    workload: str
    most: float
    peers: bool = False
    ceiling: str = ""

    def judge(self, entries, sizes):
        entry = entries.get(self.mode)
        ratios = entry and _ratios(entry, entries.get(f"ceiling: {self.ceiling or entry.ceiling}"), self.workload)
        if not ratios:
            return
        what = f"{self.mode}, {self.workload}, server CPU per request"
        which = f"the ceiling {self.ceiling}" if self.ceiling else "the ceiling"
        yield Verdict(f"{what}, to {which}", "{:.2f} (best {:.2f})".format(*ratios), f"{self.most:.2f}", _met(ratios, self.most))
        peer = best_peer(entries.values(), self.workload) if self.peers else None
        if peer:
            ratios = _ratios(entry, peer, self.workload)
            yield Verdict(f"{what}, to the best peer", "{:.2f} (best {:.2f})".format(*ratios), "1.00", _met(ratios, 1),
                          peer.name)


@dataclass(frozen=True)
class Idle:
    mode: str
    most: int | None = None
    to_ceiling: float | None = None

    def judge(self, entries, sizes):
        entry = entries.get(self.mode)
        if not entry or entry.idle_bytes is None:
            return
        most = self.most
        if self.to_ceiling:
            ceiling = entries.get(f"ceiling: {entry.ceiling}")
            if not ceiling or ceiling.idle_bytes is None:
                return
            most = self.to_ceiling * ceiling.idle_bytes
        yield Verdict(f"{self.mode}, bytes of user memory per idle connection", f"{entry.idle_bytes:,.0f}",
                      f"{most:,.0f}", entry.idle_bytes <= most)


@dataclass(frozen=True)
class Start:
    most: float

    def judge(self, entries, sizes):
        for entry in entries.values():
            if entry.kind == "mode" and entry.start_ms:
                values = (entry.start_ms.median, entry.start_ms.low)
                yield Verdict(f"{entry.name}, start to first answer", "{:.1f} ms (best {:.1f})".format(*values),
                              f"{self.most:g} ms", _met(values, self.most))


@dataclass(frozen=True)
class Size:
    what: str
    key: str
    most: int

    def judge(self, entries, sizes):
        found = sizes.get(self.key)
        if found:
            yield Verdict(self.what, f"{found / KIB:,.1f} KiB", f"{self.most / KIB:,.0f} KiB", found <= self.most)


TARGETS = (
    Instructions("event", 2200),
    Instructions("thread", 2000),
    ToCeiling("event", "plaintext", 1.08, peers=True),
    ToCeiling("event", "plaintext-1024", 1.08, peers=True),
    ToCeiling("thread", "plaintext", 1.08),
    Instructions("fiber", 120, above="event"),
    ToCeiling("fiber", "plaintext", 1.08),
    ToCeiling("fiber", "plaintext-1024", 1.08),
    ToCeiling("fiber", "plaintext", 1.12, ceiling="epoll"),
    ToCeiling("fiber", "plaintext-1024", 1.12, ceiling="epoll"),
    ToCeiling("uring", "plaintext", 1.08),
    ToCeiling("uring", "plaintext-1024", 1.08),
    ToCeiling("uring", "plaintext", 0.97, peers=True, ceiling="epoll"),
    ToCeiling("uring", "plaintext-1024", 0.97, peers=True, ceiling="epoll"),
    ToCeiling("uring", "pipelined", 1.3),
    ToCeiling("event", "pipelined", 2.0, peers=True),
    ToCeiling("event", "echo-64k", 1.15),
    ToCeiling("thread", "echo-64k", 1.15),
    Idle("event", most=400),
    Idle("thread", to_ceiling=1.3),
    Idle("fiber", most=5 * KIB),
    Idle("uring", most=450),
    Start(5),
    Size("program, stripped, without libraries", "own_bytes", 120 * KIB),
    Size("program, static, with libraries", "static_bytes", 3 * MIB // 2),
)


def judge(entries, sizes):
    """A verdict for each target of which the figures are there."""
    by_name = _by_name(entries)
    return [verdict for target in TARGETS for verdict in target.judge(by_name, sizes)]
