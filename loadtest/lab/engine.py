# SPDX-License-Identifier: MIT
"""Runs experiments: rounds interleaved over the subjects, every failure kept as what it is, a row for each subject and point."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from . import aggregate, methods, verdict
from .cpus import Pinning
from .errors import CannotStart, CellFailed, LabError, ServerDied, WrongAnswer
from .experiment import Experiment
from .methods import Outcome
from .progress import Progress
from .subjects import Subject

SHORTEST = 0.5  # how much of its seconds a measurement keeps where time is short
_RESULTS = ("refused", "limit")  # failures that are answers to the question; the others are faults
_KINDS = {ServerDied: "died", WrongAnswer: "wrong", CannotStart: "refused"}


@dataclass(frozen=True)
class Lab:
    """What a measurement may need besides its cell."""

    pinning: Pinning
    cpus: frozenset  # all that may be used
    server: Path | None  # the binary whose modes are measured
    most: int  # connections that a client may hold: its descriptors


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


@dataclass
class Trial:
    """An experiment that is to be run, and what came of it."""

    experiment: Experiment
    subjects: list
    cells: list
    skipped: str | None = None
    measurements: list = field(default_factory=list)

    @property
    def length(self):
        method = methods.of(self.experiment)
        return sum(method.length(cell) for cell in self.cells)

    def results(self, command):
        """Its part of results.json."""
        ceilings = {subject.name: subject.ceiling for subject in self.subjects if subject.ceiling}
        found = {**self.experiment.as_dict(), "command": command, "skipped": self.skipped,
                 "ended": None if len(self.measurements) >= len(self.cells) else
                 f"{len(self.measurements)} of {len(self.cells)} measurements were made",
                 "measurements": self.measurements,
                 "summary": aggregate.rows(self.measurements, self.experiment.chart["figure"], ceilings)}
        found["verdict"] = verdict.judge(self.experiment.rule, found)
        if self.skipped:
            found["verdict"]["sentence"] = f"Not run: {self.skipped}."
        return found


def plan(experiment, subjects, effort, points):
    """The cells of an experiment: every one once a round; the subjects follow each other, each round begins with another."""
    workload = {**methods.of(experiment).WORKLOAD, **effort.workload}
    cells = []
    for number in range(effort.rounds):
        first = number % len(subjects) if subjects else 0
        cells += [Cell(experiment, subject, x, number + 1, effort.seconds, workload)
                  for x in points for subject in subjects[first:] + subjects[:first]]
    return cells


def _entry(cell):
    return {"subject": cell.subject.name, "kind": cell.subject.kind, "x": cell.x, "round": cell.round, "failure": None,
            "asked_rate": None, "achieved_rate": None, "errors": None, "figures": {}, "marks": [], "details": {}}


def _measured(cell, lab):
    """The measurement, or why there is none."""
    entry = _entry(cell)
    method = methods.of(cell.experiment)
    try:
        if method.connections(cell) > lab.most:
            raise CellFailed(f"the client may hold {lab.most:,} connections (ulimit -n)", "limit")
        outcome: Outcome = method.measure(cell, lab)
        entry.update(asked_rate=outcome.asked_rate, achieved_rate=outcome.achieved_rate, errors=outcome.errors,
                     figures=outcome.figures, marks=list(outcome.marks), details=outcome.details)
    except CellFailed as failure:
        entry.update(failure={"kind": failure.kind, "reason": str(failure)}, errors=failure.errors)
    except LabError as error:
        reason = str(error).removeprefix(f"{cell.subject.name}: ")
        entry.update(failure={"kind": _KINDS.get(type(error), "other"), "reason": reason})
    return entry


class Engine:
    """Runs trials one after the other and shows how far it is."""

    def __init__(self, trials, lab, budget, stream=None):
        self.trials = trials
        self._lab = lab
        self._budget = budget  # seconds that all may take; None: as long as it takes
        self._began = time.monotonic()
        cells = [cell for trial in trials for cell in trial.cells]
        self._progress = Progress(len(cells), 1, stream, lengths=[methods.of(cell.experiment).length(cell) for cell in cells])
        self.faults = 0

    def _share(self, number):
        """How much of their seconds the trials from `number` on may take, so that all end in time."""
        if self._budget is None:
            return 1.0
        left = self._budget - (time.monotonic() - self._began)
        wanted = sum(trial.length for trial in self.trials[number:])
        return min(1.0, max(SHORTEST, left / wanted)) if wanted > 0 else 1.0

    def run(self, ended):
        """Every trial; `ended` is called after each."""
        try:
            for number, trial in enumerate(self.trials):
                self._run_trial(trial, self._share(number))
                ended(trial)
        finally:
            self._progress.close()

    def _run_trial(self, trial, share):
        failed = {}
        for cell in trial.cells:
            key = (cell.subject.name, cell.x)
            if key not in failed:
                self._progress.show(f"{cell.title}, round {cell.round}")
                entry = _measured(Cell(**{**vars(cell), "seconds": cell.seconds * share}), self._lab)
                if entry["failure"]:
                    failed[key] = entry["failure"]
                    self._report(cell, entry["failure"])
            else:  # what failed once has no figure and is not tried again
                entry = {**_entry(cell), "failure": failed[key]}
            trial.measurements.append(entry)
            self._progress.step()

    def _report(self, cell, failure):
        self.faults += failure["kind"] not in _RESULTS
        self._progress.note(f"compare: {cell.title}: {failure['kind']}: {failure['reason']}")
