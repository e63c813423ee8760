# SPDX-License-Identifier: MIT
"""The comparison: chooses experiments and subjects, has the engine run them, writes the results whatever ends the run."""

import os
import shutil
import sys
import time
from dataclasses import replace
from datetime import datetime, timezone

from .. import methods, report
from ..load.workloads import Workload
from ..machine import command, cpus, settle, system
from ..machine.interrupts import Interrupted, shield
from ..report import advice, picture
from ..results import baseline, output, schema
from ..results.figures import OF_PROCESS
from ..servers import modes, subjects
from ..text import streams
from ..text.errors import LabError, UsageError
from . import conditions, experiment, merge, options, requirements, timelines, verdicts
from .engine import Engine, Lab, Trial, plan

CEILINGS = command.ROOT / "build" / "ceilings"
BUDGET = {"quick": 174, "full": 3450}  # seconds after which a run makes only the rounds that a verdict needs
_MODES, _EACH_MORE = 5, 450  # a full run of that many modes; seconds that each more may take
KEEP_EVERY = 60  # seconds between two times at which what was measured so far is judged and written
_SPARE, _SPARE_EACH = 128, 8  # descriptors that are no connections, of a client or a server; of each of a server's loops
_GREETING = Workload("plaintext", "GET /plaintext", "GET", "/plaintext")


class Comparison:
    """What is to be measured, what has been measured, and how it ended."""

    def __init__(self, chosen, given, argv, old=None):
        descriptors = system.raise_descriptor_limit(max(given.connections or [0]))
        self.given = given
        self.old = old  # the results of --baseline
        self.effort = "full" if given.full else "quick"
        server = None if given.target else command.server_path(given.server)
        output.prepare(given.output)
        described = system.describe(command.ROOT, server)
        usable = frozenset(os.sched_getaffinity(0))
        pinning = cpus.pinning()
        cpus.stay_off(pinning)
        if given.target:
            pinning = replace(pinning, note=f"client pinned to CPU {cpus.show(pinning.client)}; the server runs elsewhere")
        elif not pinning.is_shared and (sharing := [item.name for item in chosen if item.one_cpu]):
            pinning = replace(pinning, note=f"{pinning.note}; in {', '.join(sharing)}: {cpus.shared(pinning).note}")
        self.modes = [] if given.target else modes.choose(server, given.modes)
        self.others = subjects.parse_also(given.also, [mode.name for mode in modes.MODES])
        self.others += [subjects.parse_target(given.target)] if given.target else []
        self.most = max(1, descriptors - _SPARE - _SPARE_EACH * len(usable)) if descriptors > 0 else 60_000
        self.lab = Lab(pinning, usable, server, self.most)
        self.missing = 0  # experiments whose programs are not there
        self.trials = self._trials(chosen)
        if not any(trial.cells for trial in self.trials):
            raise LabError(self.trials[0].skipped)
        self.began = self.kept = time.monotonic()
        changed = [f"--{name}" for name in ("rounds", "seconds", "connections") if getattr(given, name)]
        self.results = {
            "format": schema.FORMAT, "version": schema.VERSION, "complete": False, "ended": "it was ended by force",
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"), "took_s": 0.0,
            "machine": described, "pinning": pinning.as_dict(),
            "parameters": {"arguments": argv, "effort": self.effort, "changed": changed, "server": server and str(server),
                           "modes": [mode.name for mode in self.modes], "also": given.also, "target": given.target,
                           "rounds": max((cell.round for trial in self.trials for cell in trial.cells), default=0),
                           "seconds": given.seconds, "connections": given.connections},
            "experiments": [],
        }

    def _trials(self, chosen):
        trials = []
        for item in chosen:
            missing = _missing_tool(item)
            self.missing += missing is not None
            if skipped := self._cannot(item) or missing:
                trials.append(Trial(item, [], [], skipped))
                continue
            found = subjects.of_programs(item) or subjects.of_modes(item, self.modes, self.lab.server, self.effort) + self.others
            if self.effort in item.ceilings and found and self.modes:
                found += _ceilings(item, found, self.effort)
            effort = self._effort(item)
            cells = plan(item, found, effort, self._points(effort))
            trials.append(Trial(item, found, cells, None if found else "none of its modes was chosen"))
        return trials

    def _cannot(self, item):
        """Why an experiment cannot be run here, if so."""
        if self.effort not in item.efforts:
            return "it needs --full"
        if self.given.target and OF_PROCESS.issuperset(item.figures):
            return "all its figures are of the server's process, which runs elsewhere"
        if self.given.target and item.programs:
            return "it is about programs of this machine, not about a server"
        if self.given.target and item.axis and item.axis.name == "cpus":
            return "the server's CPUs cannot be chosen from here"
        return None

    def _effort(self, item):
        effort, given = item.efforts[self.effort], self.given
        if given.connections and item.axis and item.axis.name == "connections":
            effort = replace(effort, x=tuple(given.connections))
        return replace(effort, rounds=given.rounds or effort.rounds, seconds=given.seconds or effort.seconds)

    def _points(self, effort):
        """The points with what their symbols stand for here."""
        # wrk connects from one address, and the ports of its warm-up may still be taken when it measures.
        symbols = {"most": min(self.most, system.local_ports() // 2), "cpus": len(self.lab.cpus)}
        points = [symbols.get(x, x) for x in effort.x]
        return sorted(set(points)) if points != [None] else points

    def run(self):
        """All experiments. What there is, is kept whatever ends it."""
        budget = None if self.given.seconds else self._budget()
        try:
            settle.wait(self.lab.cpus)
            engine = Engine(self.trials, self.lab, budget)
            engine.run(lambda _: self._keep_now_and_then())
            timelines.take(self.trials, self.modes, self.lab)
            self.results["complete"], self.results["ended"] = True, "all were made"
        except LabError as error:
            self.results["ended"] = str(error)
            raise
        except Interrupted as signal:
            self.results["ended"] = f"stopped by {signal}"
            raise
        finally:
            with shield():
                self._finish()
        return engine.faults + self.missing

    def _budget(self):
        more = max(0, len(self.modes) - _MODES) if self.effort == "full" else 0
        pictures = len(timelines.wanted(self.trials, self.modes)) * timelines.EACH
        return BUDGET[self.effort] + more * _EACH_MORE - pictures

    def _keep_now_and_then(self):
        """A run that is killed loses no more than its last minute; to judge and write takes time."""
        if time.monotonic() - self.kept > KEEP_EVERY:
            self._keep()
            self.kept = time.monotonic()

    def _keep(self):
        """Writes what there is."""
        self.results["took_s"] = time.monotonic() - self.began
        self.results["experiments"] = [trial.results(options.repeat(self.given, trial.experiment.name))
                                       for trial in self.trials if trial.measurements or trial.skipped]
        verdicts.fill_verdicts(self.results, {trial.experiment.name: trial.experiment.claims for trial in self.trials})
        self.results["advice"] = advice.of(self.results)
        output.write_json(self.given.output / "results.json", self.results)

    def _finish(self):
        if not any(trial.measurements for trial in self.trials):
            return
        try:
            self._keep()
            if self.old:
                self.results["baseline"] = baseline.value(self.results, self.old)
                self._keep()
        finally:
            show(self.results, self.given.output)


def _missing_tool(item):
    """What an experiment needs and is not there, in words."""
    try:
        methods.of(item).find_tools()
    except LabError as error:
        return str(error)
    return None


def _ceilings(item, found, effort):
    """The ceilings beside an experiment's modes, with answers as long as theirs. None where those are wrong: their own
    measurements will say so."""
    method = methods.of(item)
    workload = method.workload_of(item.name, item.efforts[effort].workload) if item.method == "closed" else _GREETING
    try:
        with found[0].start() as server:
            server.wait_ready()
            length = workload.check(server)
            server.stop()
    except LabError:
        return []
    return subjects.of_ceilings(found, CEILINGS, (str(length), *workload.ceiling))


def show(results, folder, old=None, raw=None):
    """The results on the terminal and in the report's files, and what changed since the old ones; says where those are. `raw`: the
    file they are from, if not from that folder."""
    if old:
        results = {**results, "baseline": baseline.value(results, old)}
    width = max(80, min(shutil.get_terminal_size((report.COLUMNS, 24)).columns, 160))
    try:
        report.write(results, folder)  # first: a terminal that has gone takes no text
    finally:  # a disk that is full is no reason not to tell
        streams.say(report.terminal(results, report.has_colours(sys.stdout), width))
    paths = [*(folder / name for name in report.FILES), raw or folder / "results.json"]
    streams.say("\n" + ", ".join(str(command.shown(path)) for path in paths))


def main(argv):
    given = options.parse(argv)
    for text in given.require:
        conditions.parse(text)
    old = schema.load(given.baseline) if given.baseline else None
    if given.picture:
        picture.prepare(given.picture)
    known = experiment.load_all()
    chosen = experiment.choose(known, given.only)
    if given.list:
        streams.say("\n".join(f"{item.name:<16} {item.title}" for item in chosen))
        return 0
    if given.source or given.merge:
        results = schema.load(given.source) if given.source else merge.merge(_load_parts(given.merge))
        faults = 0
        output.prepare(given.output)
        if given.merge:
            output.write_json(given.output / "results.json", results)
        show(results, given.output, old, given.source)
    else:
        comparison = Comparison(chosen, given, argv, old)
        faults = comparison.run()
        results = comparison.results
    if given.picture:
        picture.take(results, given.picture)
    failed = requirements.check(results, given.require)
    for line in failed:
        streams.note(f"compare: {line}")
    return requirements.STATUS if failed else command.FAILED if faults else 0


def _load_parts(paths):
    """The results to merge. UsageError for the same ones twice, whose rates would count twice."""
    parts = []
    for path in paths:
        part = schema.load(path)
        if part in parts:
            raise UsageError(f"--merge: {path} holds the same results as {paths[parts.index(part)]}")
        parts.append(part)
    return parts
