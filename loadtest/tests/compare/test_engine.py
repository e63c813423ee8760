# SPDX-License-Identifier: MIT
"""The engine with methods that measure nothing: order, failures, marks, and what is left out when time is short."""

import copy
import io
import unittest
from dataclasses import replace
from types import SimpleNamespace
from unittest import mock

from lab import methods
from lab.compare import engine, experiment
from lab.machine import speed
from lab.machine.cpus import Pinning
from lab.methods.outcome import Outcome
from lab.servers.subjects import Subject
from lab.text.errors import CannotStart, CellFailed, LabError, ServerDied, WrongAnswer
from test_experiment import GOOD


def make(name="x", rounds=3, points=(1, 64)):
    data = copy.deepcopy(GOOD)
    data["quick"].update(rounds=rounds, x=list(points), seconds=1.0)
    return experiment.from_table(name, data)


class EngineTest(unittest.TestCase):
    def setUp(self):
        self.now, self.took, self.seen, self.pinnings = 0.0, 1.0, [], []
        self.probes = iter(lambda: 100, None)  # always the same
        self.slow, self.fails = {}, {}  # by point: how many times longer than planned it takes; and by subject and point
        method = SimpleNamespace(WORKLOAD={"path": "/"}, connections=lambda cell: cell.x, length=lambda cell: cell.seconds,
                                 measure=self.measure)
        self.methods = {"closed": method, "at once": SimpleNamespace(**vars(method), AT_ONCE=True)}
        patch = mock.patch.object(methods, "known", lambda: self.methods)
        patch.start()
        self.addCleanup(patch.stop)

    def measure(self, cell, lab):
        self.pinnings.append((lab.pinning.server, lab.pinning.client))
        self.seen.append((cell.round, cell.x, cell.subject.name, cell.seconds))
        self.now += self.took * self.slow.get(cell.x, 1) * cell.seconds
        if error := self.fails.get((cell.subject.name, cell.x)):
            raise error
        return Outcome({"rps": 100.0, "p99_us": 5.0}, ("disturbed",), asked_rate=7, achieved_rate=6,
                       samples={"rps": 2000, "p99_us": 2000})

    def trial(self, name="x", subjects=("thread", "event"), **changes):
        found = make(name, **changes)
        subjects = [Subject(subject, (), ceiling=f"ceiling-{subject}") for subject in subjects]
        return engine.Trial(found, subjects, engine.plan(found, subjects, found.efforts["quick"], found.efforts["quick"].x))

    def run_trials(self, *trials, budget=None, most=1000):
        stream = io.StringIO()
        lab = engine.Lab(Pinning(frozenset([0, 1]), frozenset([2, 3]), ""), frozenset(range(4)), None, most)
        watch = speed.Watch(0, lambda cpu: next(self.probes))
        running = engine.Engine(list(trials), lab, budget, stream, clock=lambda: self.now, watch=watch)
        running.run(lambda _: None)
        return running, stream.getvalue()

    def test_rounds_are_interleaved_and_begin_with_another_subject(self):
        self.run_trials(self.trial(rounds=2))
        self.assertEqual([seen[:3] for seen in self.seen],
                         [(1, 1, "thread"), (1, 1, "event"), (1, 64, "thread"), (1, 64, "event"),
                          (2, 1, "event"), (2, 1, "thread"), (2, 64, "event"), (2, 64, "thread")])

    def test_server_and_client_on_one_cpu(self):
        for one_cpu, kind, server, client in ((False, "mode", {0, 1}, {2, 3}), (True, "mode", {0}, {0}), (True, "target", {0, 1}, {2, 3})):
            trial = self.trial(rounds=1, points=(1,), subjects=("event",))
            cells = [replace(cell, experiment=replace(cell.experiment, one_cpu=one_cpu), subject=replace(cell.subject, kind=kind))
                     for cell in trial.cells]
            self.run_trials(replace(trial, cells=cells))
            self.assertEqual(self.pinnings[-1], (server, client))

    def test_a_cpu_that_is_slow_before_or_after_a_measurement_marks_it(self):
        self.probes = iter([100, 100, 130, 100, 100, 130, 100, 100])
        trial = self.trial(rounds=2, points=(1,))
        self.run_trials(trial)
        self.assertEqual(["slowed" in entry["marks"] for entry in trial.measurements], [False, True, True, False])
        self.assertEqual(trial.measurements[1]["details"]["probes_us"], [130, 100])

    def test_results(self):
        trial = self.trial()
        running, _ = self.run_trials(trial)
        found = trial.results("./dev compare --only x")
        self.assertEqual((found["ended"], found["skipped"], running.faults), (None, None, 0))
        self.assertEqual(len(found["measurements"]), 12)
        self.assertEqual(found["measurements"][0], {
            "subject": "thread", "kind": "mode", "x": 1, "round": 1, "failure": None, "asked_rate": 7, "achieved_rate": 6,
            "errors": None, "figures": {"rps": 100.0, "p99_us": 5.0}, "samples": {"rps": 2000, "p99_us": 2000}, "histograms": {},
            "series": {}, "marks": ["disturbed"], "details": {"probes_us": [100, 100]}})
        self.assertEqual(len(found["summary"]), 4)

    def test_failures_are_told_by_kind_and_not_tried_again(self):
        cases = ((CellFailed("5 of 9", "refused", {"read": 1}), "refused", 0), (CellFailed("at most 3", "limit"), "limit", 0),
                 (ServerDied("event: it died"), "died", 1), (WrongAnswer("event: 404"), "wrong", 1),
                 (CannotStart("event: no"), "refused", 0), (LabError("event: odd"), "other", 1), (CellFailed("late"), "other", 1))
        for error, kind, faults in cases:
            with self.subTest(kind=kind, error=str(error)):
                self.seen, self.fails = [], {("event", 64): error}
                trial = self.trial()
                running, said = self.run_trials(trial)
                found = trial.results("")
                failed = [entry for entry in found["measurements"] if entry["failure"]]
                self.assertEqual([(entry["subject"], entry["x"], entry["failure"]["kind"]) for entry in failed],
                                 [("event", 64, kind)] * 3)
                self.assertEqual(sum(seen[1:3] == (64, "event") for seen in self.seen), 1)
                self.assertEqual([entry["figures"] for entry in failed], [{}] * 3)
                self.assertEqual(running.faults, faults)
                self.assertIn(f"compare: x: event, connections 64: {kind}: {str(error).removeprefix('event: ')}\n", said)
                self.assertEqual(len(found["measurements"]), 12)

    def test_more_connections_than_the_client_may_hold(self):
        trial = self.trial()
        self.run_trials(trial, most=32)
        kinds = {entry["x"]: entry["failure"] and entry["failure"]["kind"] for entry in trial.results("")["measurements"]}
        self.assertEqual(kinds, {1: None, 64: "limit"})

    def test_the_rounds_of_a_trial_are_spread_over_the_run(self):
        self.run_trials(self.trial(rounds=3, points=(1,), subjects=("event",)),
                        self.trial("y", rounds=2, points=(2,), subjects=("event",)))
        self.assertEqual([seen[:2] for seen in self.seen], [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1)])

    def test_what_is_to_be_measured_at_once_comes_first(self):
        first = self.trial(rounds=2, points=(1,), subjects=("event",))
        first.experiment = replace(first.experiment, method="at once")
        self.run_trials(self.trial("y", rounds=2, points=(2,), subjects=("event",)), first)
        self.assertEqual([seen[:2] for seen in self.seen], [(1, 1), (2, 1), (1, 2), (2, 2)])

    def test_where_time_is_short_the_rounds_that_no_verdict_needs_are_left_out(self):
        for budget, rounds in ((36, [5, 4]), (28, [4, 3]), (1, [3, 3])):
            with self.subTest(budget):
                self.now, self.seen = 0.0, []
                trials = [self.trial(rounds=5), self.trial("y", rounds=5)]
                _, said = self.run_trials(*trials, budget=budget)
                found = [trial.results("") for trial in trials]
                self.assertEqual([max(entry["round"] for entry in part["measurements"]) for part in found], rounds)
                for part in found:
                    made = len(part["measurements"])
                    self.assertEqual(part["ended"], None if made == 20 else
                                     f"{made} of 20 measurements were made: time was short")

    def test_one_trial_that_is_slower_than_planned_takes_no_rounds_from_the_others(self):
        trials = [self.trial(rounds=9, points=(64,)), self.trial("y", rounds=9, points=(1,))]
        self.slow = {64: 10}
        self.run_trials(*trials, budget=80)
        found = [max(entry["round"] for entry in trial.results("")["measurements"]) for trial in trials]
        self.assertEqual(found, [3, 9])
        self.assertLessEqual(self.now, 80)

    def test_a_machine_slower_than_thought(self):
        self.took = 3.0
        self.run_trials(self.trial(rounds=9), self.trial("y", rounds=9), budget=90)
        self.assertLessEqual(self.now, 90)
        self.assertEqual({seen[0] for seen in self.seen} >= {1, 2, 3}, True)

    def test_no_measurement_is_shortened(self):
        for budget in (None, 1):
            self.took, self.seen = 100.0, []
            self.run_trials(self.trial(), budget=budget)
            self.assertEqual({seen[3] for seen in self.seen}, {1.0})

    def test_what_was_not_run(self):
        found = engine.Trial(make(), [], [], "wrk is missing").results("")
        self.assertEqual((found["skipped"], found["measurements"]), ("wrk is missing", []))
