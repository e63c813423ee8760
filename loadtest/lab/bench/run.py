# SPDX-License-Identifier: MIT
"""One run of the bench: who is measured, what of them, in which order."""

from collections import Counter
from dataclasses import dataclass

from ..load import callgrind, idle, plan
from ..load.measure import Timing, measure
from ..machine import command, cpus, interrupts, system
from ..servers import modes, peers
from ..text.errors import CellFailed, LabError, UsageError
from ..text.progress import Progress
from . import calls, entries, price, workloads

FIGURES = ("cpu", "instructions", "calls", "idle", "start", "size")
_FEWEST_IDLE = 500
_FAILURES_MOST = 2  # rounds of one figure
_BETWEEN = 0.5  # seconds that a measurement takes besides its two runs


@dataclass(frozen=True)
class Effort:
    few: int  # requests of the shorter and the longer run under callgrind
    many: int
    idle: int  # connections
    rounds: int
    seconds: float
    starts: int


QUICK = Effort(few=1000, many=2000, idle=1000, rounds=3, seconds=0.4, starts=3)
NORMAL = Effort(few=2000, many=6000, idle=5000, rounds=3, seconds=0.5, starts=5)
FULL = Effort(few=2000, many=6000, idle=5000, rounds=7, seconds=0.8, starts=11)


def figures_asked(asked):
    names = [name.strip() for name in asked.split(",") if name.strip()] if asked else list(FIGURES)
    for name in names:
        if name not in FIGURES:
            raise UsageError(f"--figures: {name!r} is none of {', '.join(FIGURES)}")
    return names


class Bench:
    """One run."""

    def __init__(self, options):
        self.options = options
        self.figures = figures_asked(options.figures)
        self.effort = QUICK if options.quick else FULL if options.full else NORMAL
        self.rounds = options.rounds or self.effort.rounds
        quick_only = "plaintext" if options.quick and not options.only else options.only
        self.workloads = workloads.choose(quick_only, options.full)
        self.server = command.server_path(options.server)
        self.pinning = cpus.pinning()
        self.sizes, self.absent, self.ended = {}, [], None
        self.entries = self._entries()

    def _entries(self):
        """The modes, the ceilings they need, and the peers."""
        chosen = modes.choose(self.server, self.options.modes)
        found = [entries.of_mode(mode, self.server, self.options.flags) for mode in chosen]
        known = {workload.name: workload for workload in [workloads.PLAINTEXT, *self.workloads]}.values()
        lengths = entries.answer_lengths(found[0].start(None), known)
        for name in dict.fromkeys(mode.ceiling for mode in chosen):
            ceiling = entries.of_ceiling(name, command.ROOT / "build" / "ceilings", lengths)
            entries.check_ceiling(ceiling, known, lengths)
            found.append(ceiling)
        installed, self.absent = peers.find(self.options.peers, self.options.output / "peers")
        return found + [entries.of_peer(peer) for peer in installed]

    def _meets(self, entry, workload):
        """Peers are asked less in a run that is not full, unless a workload is named."""
        usual = self.options.full or self.options.only or entry.kind != "peer" or workload.usual == "all"
        return usual and entry.meets(workload)

    def _counts(self, entry, workload):
        """Counting takes long: in a run that is not full only for plaintext, in a quick one not for peers."""
        if not self._meets(entry, workload) or workload.h2load is None:
            return False
        quick_peer = self.options.quick and entry.kind == "peer"
        return self.options.full or workload is workloads.PLAINTEXT and not quick_peer

    def _cells(self):
        cells = []
        for cell in plan.cells(self.rounds, self.workloads, [0], self.entries):
            if self._meets(cell.subject, cell.workload):
                cells.append((cell.round, cell.subject, cell.workload))
        return cells

    def _fixed(self):
        """(what is shown, what is done) for each figure that needs no rounds."""
        steps = []
        for entry in self.entries:
            for workload in self.workloads:
                if not self._counts(entry, workload):
                    continue
                if "instructions" in self.figures and entry.counted:
                    steps.append((entry, f"{workload.name}: instructions", self._count_instructions, workload))
                if "calls" in self.figures and calls.available():
                    steps.append((entry, f"{workload.name}: system calls", self._count_calls, workload))
            if entry.kind == "peer" and not self.options.full:
                continue
            if "start" in self.figures and entry.kind != "ceiling":
                steps.append((entry, "start to first answer", self._time_starts, None))
            if "idle" in self.figures and entry.holds_idle:
                steps.append((entry, "memory of idle connections", self._measure_idle, None))
        return steps

    def _count_instructions(self, entry, workload):
        keep = None
        if self.options.profiles:
            keep = self.options.output / "profiles" / workload.name / entry.name.replace("ceiling: ", "ceiling-")
        entry.instructions[workload.name] = callgrind.instructions_per_request(
            entry.start(workload), workload.path, self.effort.few, self.effort.many, keep=keep, flags=workload.h2load)

    @staticmethod
    def _count_calls(entry, workload):
        entry.calls[workload.name] = calls.per_request(entry.start(workload), workload)

    def _time_starts(self, entry, _):
        entry.start_ms = price.start_ms(entry.start(None), self.effort.starts, entry.kind == "mode")

    def _measure_idle(self, entry, _):
        with entry.start(workloads.PLAINTEXT).start() as server:
            server.wait_ready()
            entry.idle_bytes = idle.bytes_per_connection(server, workloads.PLAINTEXT.path, self.connections)
            server.stop()

    def run(self):
        """Measures everything; an entry that fails says why, and the others go on. A signal ends it early: what was
        measured stays, and `ended` is the signal."""
        descriptors = system.raise_descriptor_limit(_FEWEST_IDLE)
        self.connections = min(self.effort.idle, descriptors - 500) if descriptors > 0 else self.effort.idle
        fixed, cells = self._fixed(), self._cells() if "cpu" in self.figures else []
        timing = Timing(plan.warmup_for(self.effort.seconds), self.effort.seconds)
        took = timing.warmup + timing.seconds + _BETWEEN
        progress = Progress(len(fixed) + len(cells), took, lengths=[2.0] * len(fixed) + [took] * len(cells))
        try:
            self._measure_fixed(fixed, progress)
            cpus.stay_off(self.pinning)
            self._measure_cpu(cells, timing, progress)
        except interrupts.Interrupted as signal:
            self.ended = signal
        finally:
            progress.close()
        if "size" in self.figures:
            self.sizes = price.sizes(self.server)

    @staticmethod
    def _measure_fixed(steps, progress):
        for entry, what, measure_it, workload in steps:
            progress.show(f"{entry.name}: {what}")
            try:
                measure_it(entry, workload)
            except LabError as error:
                entry.failures[what] = str(error)
            progress.step()

    def faults(self):
        """Whether a mode or a ceiling has no figure because it failed. A peer is none of ours."""
        return any(what not in entry.timed for entry in self.entries if entry.kind != "peer" for what in entry.failures)

    def _measure_cpu(self, cells, timing, progress):
        found, failed = {}, Counter()
        try:
            self._time_cells(cells, timing, progress, found, failed)
        finally:
            for (entry, workload), measured in found.items():
                if failed[entry, workload] < _FAILURES_MOST:
                    entry.timed[workload.name] = entries.Timed.of(measured)

    def _time_cells(self, cells, timing, progress, found, failed):
        """A round that fails is said; where several do there is no figure."""
        for number, entry, workload in cells:
            progress.show(f"round {number}: {entry.name}: {workload.name}")
            progress.step()
            if failed[entry, workload] == _FAILURES_MOST:
                continue
            try:
                cell = measure(entry.start(workload), workload, workload.connections, timing, self.pinning)
                found.setdefault((entry, workload), []).append(cell)
            except (CellFailed, LabError) as failure:
                failed[entry, workload] += 1
                entry.failures[workload.name] = str(failure)
