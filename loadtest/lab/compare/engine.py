# SPDX-License-Identifier: MIT
"""Runs experiments: rounds interleaved over the subjects, every failure kept as what it is, a row for each subject and point."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import methods
from ..machine import cpus, speed
from ..machine.cpus import Pinning
from ..methods.outcome import Outcome
from ..results import aggregate
from ..servers.subjects import Subject
from ..text.errors import CannotConnect, CannotStart, CellFailed, LabError, ServerDied, WrongAnswer
from ..text.progress import Progress
from .experiment import Experiment
from .judge import ROUNDS

_PATIENCE = 0.02  # of the budget: how long a run may wait for CPUs that are slow, in all
_RESULTS = ("refused", "limit")  # failures that are answers to the question; the others are faults
_KINDS = {ServerDied: "died", WrongAnswer: "wrong", CannotStart: "refused", CannotConnect: "refused"}


@dataclass(frozen=True)
class Lab:
    """What a measurement may need besides its cell."""

    pinning: Pinning
    cpus: frozenset  # all that may be used
    server: Path | None  # the binary whose modes are measured
    most: int  # connections that a client may hold: its descriptors

    def of(self, cell):
        """The lab for one measurement: server and client share a CPU if its experiment wants that. A server elsewhere has its own CPUs."""
        share = cell.experiment.one_cpu and cell.subject.kind != "target"
        return replace(self, pinning=cpus.shared(self.pinning)) if share else self


@dataclass(frozen=True)
class Cell:
    """One measurement to make."""

    experiment: Experiment
    subject: Subject
    x: int | None
    round: int
    seconds: float
    workload: dict

    @property
    def title(self):
        point = "" if self.x is None else f", {self.experiment.axis.title} {self.x:,}"
        return f"{self.experiment.name}: {self.subject.name}{point}"


def _length(cells):
    """About how many seconds they take."""
    return sum(methods.of(cell.experiment).length(cell) for cell in cells)


@dataclass
class Trial:
    """An experiment that is to be run, and what came of it."""

    experiment: Experiment
    subjects: list
    cells: list
    skipped: str | None = None
    measurements: list = field(default_factory=list)
    short_of_time: bool = False
    timelines: list = field(default_factory=list)

    def _ended(self):
        """Why there are fewer measurements than were planned, if so."""
        if len(self.measurements) >= len(self.cells):
            return None
        why = ": time was short" if self.short_of_time else ""
        return f"{len(self.measurements)} of {len(self.cells)} measurements were made{why}"

    def _limits(self):
        """What each server said of how many connections it serves at most."""
        said = {entry["subject"]: entry["details"]["limit"] for entry in self.measurements if entry["details"].get("limit")}
        return {subject: {"connections": limit[0], "by": limit[1]} for subject, limit in said.items()}

    def results(self, command):
        """Its part of results.json, but for the claims."""
        ceilings = {subject.name: subject.ceiling for subject in self.subjects if subject.ceiling}
        found = {**self.experiment.as_dict(), "command": command, "skipped": self.skipped, "ended": self._ended(),
                 "measurements": self.measurements,
                 "summary": aggregate.rows(self.measurements, self.experiment.chart["figure"], ceilings)}
        if limits := self._limits():
            found["limits"] = limits
        if self.timelines:
            found["timelines"] = self.timelines
        return found


def plan(experiment, subjects, effort, points):
    """The cells of an experiment: every one once a round; the subjects follow each other, each round begins with another."""
    workload = {**methods.of(experiment).WORKLOAD, **effort.workload}
    cells = []
    for number in range(effort.rounds):
        first = number % len(subjects) if subjects else 0
        cells += [Cell(experiment, subject.at(x), x, number + 1, effort.seconds, workload)
                  for x in points for subject in subjects[first:] + subjects[:first]]
    return cells


def _entry(cell):
    return {"subject": cell.subject.name, "kind": cell.subject.kind, "x": cell.x, "round": cell.round, "failure": None,
            "asked_rate": None, "achieved_rate": None, "errors": None, "figures": {}, "samples": {}, "histograms": {}, "series": {},
            "marks": [], "details": {}}


def _kind(error, subject):
    """If our own server cannot start, it has met a limit. If another server is not there, that is a mistake, or it has gone meanwhile."""
    if isinstance(error, CannotStart) and subject.kind in ("also", "target"):
        return "other"
    return _KINDS.get(type(error), "other")


def _measured(cell, lab):
    """The measurement, or why there is none."""
    entry = _entry(cell)
    method = methods.of(cell.experiment)
    try:
        if method.connections(cell) > lab.most:
            raise CellFailed(f"the client may hold at most {lab.most:,}: descriptors (ulimit -n)", "limit")
        outcome: Outcome = method.measure(cell, lab.of(cell))
        entry.update(asked_rate=outcome.asked_rate, achieved_rate=outcome.achieved_rate, errors=outcome.errors,
                     figures=outcome.figures, samples=outcome.samples, histograms=outcome.histograms, series=outcome.series,
                     marks=list(outcome.marks), details=outcome.details)
    except CellFailed as failure:
        entry.update(failure={"kind": failure.kind, "reason": str(failure)}, errors=failure.errors)
    except LabError as error:
        reason = str(error).removeprefix(f"{cell.subject.name}: ")
        entry.update(failure={"kind": _kind(error, cell.subject), "reason": reason})
    return entry


def _portions(trials):
    """(trial, cells) in the order in which they are measured: the first round of each trial, the second of each, and so on. So a
    trial's rounds are spread over the whole run: what slows the machine down for minutes meets one or two of them. And what is left
    out where time is short is shared by all. What a method wants measured AT_ONCE comes first, with all its rounds."""
    spread = [trial for trial in trials if not getattr(methods.of(trial.experiment), "AT_ONCE", False)]
    for trial in trials:
        if trial not in spread and trial.cells:
            yield trial, trial.cells
    last = max((cell.round for trial in spread for cell in trial.cells), default=0)
    for number in range(1, last + 1):
        for trial in spread:
            if cells := [cell for cell in trial.cells if cell.round == number]:
                yield trial, cells


class Engine:
    """Runs trials and shows how far it is.

    With a budget the rounds that no verdict needs are left out where time is short: those after the third. No measurement is
    shortened: it would have too few requests for a verdict.
    """

    def __init__(self, trials, lab, budget=None, stream=None, clock=time.monotonic, watch=None):
        self._portions = list(_portions(trials))
        self._watch = watch or speed.Watch(_PATIENCE * (budget or 0))
        self._lab = lab
        self._budget = budget  # seconds that all may take; None: as long as it takes
        self._clock = clock
        self._began = clock()
        self._took = {}  # of each trial by name: (seconds that it has taken, seconds that were planned for it)
        self._failed = {}  # by trial's name, subject and point: why it has no figure
        cells = [cell for _, cells in self._portions for cell in cells]
        lengths = [_length([cell]) for cell in cells]
        self._progress = Progress(len(cells), 1, stream, clock, lengths, budget)
        self.faults = 0

    def _has_time(self, trial, cells):
        """Whether there is time for a further round, if things take as much longer than was planned as in the rounds before."""
        if self._budget is None or cells[0].round <= ROUNDS:
            return True
        took, planned = self._took[trial.experiment.name]
        left = self._budget - (self._clock() - self._began)
        return _length(cells) * (took / planned if planned else 1) <= left

    def run(self, ended):
        """Every trial; `ended` is called after each round of one."""
        try:
            for trial, cells in self._portions:
                if self._has_time(trial, cells):
                    self._run_portion(trial, cells)
                    ended(trial)
                else:
                    trial.short_of_time = True
                    self._progress.step(len(cells))
        finally:
            self._progress.close()

    def _run_portion(self, trial, cells):
        began = self._clock()
        for cell in cells:
            self._run_cell(trial, cell)
            self._progress.step()
        took, planned = self._took.get(trial.experiment.name, (0, 0))
        self._took[trial.experiment.name] = took + self._clock() - began, planned + _length(cells)

    def _run_cell(self, trial, cell):
        """Makes a measurement. A subject that has failed at a point is not measured there again, and has no figure there."""
        key = (cell.experiment.name, cell.subject.name, cell.x)
        if key in self._failed:
            trial.measurements.append({**_entry(cell), "failure": self._failed[key]})
            return
        self._progress.show(f"{cell.title}, round {cell.round}")
        entry = self._watched(cell)
        if entry["failure"]:
            self._failed[key] = entry["failure"]
            self._report(cell, entry["failure"])
        trial.measurements.append(entry)

    def _watched(self, cell):
        """The measurement, marked if the server's CPU was slow before or after it. Of a server elsewhere nothing is known."""
        if cell.subject.kind == "target":
            return _measured(cell, self._lab)
        cpu = min(self._lab.of(cell).pinning.server)
        before, was_slow = self._watch.wait(cpu)
        entry = _measured(cell, self._lab)
        after, is_slow = self._watch.look(cpu)
        entry["details"] = {**entry["details"], "probes_us": [before, after]}
        entry["marks"] += ["slowed"] if was_slow or is_slow else []
        return entry

    def _report(self, cell, failure):
        self.faults += failure["kind"] not in _RESULTS
        self._progress.note(f"compare: {cell.title}: {failure['kind']}: {failure['reason']}")
