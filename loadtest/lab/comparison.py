# SPDX-License-Identifier: MIT
"""The comparison: chooses experiments and subjects, has the engine run them, writes the results whatever ends the run."""

import os
import time
from dataclasses import replace
from datetime import datetime, timezone

from . import command, cpus, experiment, machine, methods, modes, options, output, overview, subjects, wrk
from .engine import Engine, Lab, Trial, plan
from .errors import LabError
from .interrupts import Interrupted, shield
from .workloads import Workload

FORMAT, VERSION = "echod-compare", 2
CEILINGS = command.ROOT / "build" / "ceilings"
BUDGET = {"quick": 105, "full": 2300}  # seconds that the measurements of a whole run may take
_SPARE = 100  # descriptors that are no connections
_GREETING = Workload("plaintext", "GET /plaintext", "GET", "/plaintext")
_REQUIRED = 99  # exit status when a --require is not met


class Comparison:
    """What is to be measured, what has been measured, and how it ended."""

    def __init__(self, chosen, given, argv):
        wrk.find()
        descriptors = machine.raise_descriptor_limit(max(given.connections or [0]))
        self.given = given
        self.effort = "full" if given.full else "quick"
        server = None if given.target else command.server_path(given.server)
        output.prepare(given.output)
        described = machine.describe(command.ROOT, server)
        usable = frozenset(os.sched_getaffinity(0))
        pinning = cpus.pinning()
        cpus.stay_off(pinning)
        self.modes = [] if given.target else modes.choose(server, given.modes)
        self.others = subjects.parse_also(given.also, [mode.name for mode in modes.MODES])
        self.others += [subjects.parse_target(given.target)] if given.target else []
        self.most = max(1, descriptors - _SPARE) if descriptors > 0 else 60_000
        self.lab = Lab(pinning, usable, server, self.most)
        self.trials = self._trials(chosen)
        self.began = time.monotonic()
        custom = given.rounds or given.seconds or given.connections
        self.results = {
            "format": FORMAT, "version": VERSION, "complete": False, "ended": "it was ended by force",
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"), "took_s": 0.0,
            "machine": described, "pinning": pinning.as_dict(),
            "parameters": {"arguments": argv, "effort": "custom" if custom else self.effort, "server": server and str(server),
                           "modes": [mode.name for mode in self.modes], "also": given.also, "target": given.target,
                           "rounds": given.rounds, "seconds": given.seconds, "connections": given.connections},
            "experiments": [],
        }

    def _trials(self, chosen):
        answer_length = None
        trials = []
        for item in chosen:
            if skipped := self._cannot(item):
                trials.append(Trial(item, [], [], skipped))
                continue
            found = subjects.of_modes(item, self.modes, self.lab.server) + self.others
            if item.ceilings and found and self.modes:
                answer_length = answer_length or _answer_length(found[0])
                found += subjects.of_ceilings(found, CEILINGS, answer_length) if answer_length else []
            effort = self._effort(item)
            cells = plan(item, found, effort, self._points(effort))
            trials.append(Trial(item, found, cells, None if found else "none of its modes was chosen"))
        return trials

    def _cannot(self, item):
        """Why an experiment cannot be run here, if so."""
        if self.given.target and getattr(methods.of(item), "NEEDS_PROCESS", False):
            return "it looks at the server's process, which runs elsewhere"
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
        symbols = {"most": self.most, "cpus": len(self.lab.cpus)}
        points = [symbols.get(x, x) for x in effort.x]
        return sorted(set(points)) if points != [None] else points

    def run(self):
        """All experiments. What there is, is kept whatever ends it."""
        budget = None if self.given.seconds else BUDGET[self.effort]
        engine = Engine(self.trials, self.lab, budget)
        try:
            engine.run(lambda _: self._keep())
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
        return engine.faults

    def _keep(self):
        """Writes what there is."""
        self.results["took_s"] = time.monotonic() - self.began
        self.results["experiments"] = [trial.results(options.repeat(self.given, trial.experiment.name))
                                       for trial in self.trials if trial.measurements or trial.skipped]
        output.write_json(self.given.output / "results.json", self.results)

    def _finish(self):
        if not any(trial.measurements for trial in self.trials):
            return
        self._keep()
        print(overview.terminal(self.results), flush=True)
        print(f"\n{command.shown(self.given.output / 'results.json')}", flush=True)


def _answer_length(subject):
    """How long a mode's answer is: the ceilings are to send as much. None where it is wrong: its measurements will say so."""
    try:
        with subject.start() as server:
            server.wait_ready()
            length = _GREETING.check(server)
            server.stop()
        return length
    except LabError:
        return None


def main(argv):
    given = options.parse(argv)
    known = experiment.load_all()
    chosen = experiment.choose(known, given.only)
    if given.list:
        print("\n".join(f"{item.name:<14} {item.statement}" for item in chosen))
        return 0
    comparison = Comparison(chosen, given, argv)
    faults = comparison.run()
    return command.FAILED if faults else 0
