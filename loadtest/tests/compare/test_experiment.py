# SPDX-License-Identifier: MIT
"""The files of the experiments, and what is refused in one."""

import copy
import tomllib
import unittest

from lab import methods
from lab.compare import experiment, sentences
from lab.servers import modes
from lab.text.errors import LabError, UsageError
from lab.timeline import clients
from paths import LOADTEST

GOOD = tomllib.loads("""
title = "T"
about = "A"
method = "closed"
figures = ["rps", "p99_us"]
chart = { figure = "rps", type = "line" }
[flags]
event = ["--loops", "1"]
[[variants]]
name = "event-two"
mode = "event"
flags = ["--loops", "2"]
[timeline]
modes = ["event"]
window = [100, 300]
shows = "blocking"
[x]
name = "connections"
title = "connections"
[workload]
path = "/plaintext"
[quick]
x = [1, "most"]
rounds = 3
seconds = 0.5
[full]
x = [1]
rounds = 5
seconds = 2
path = "/echo"
[[claims]]
name = "faster"
claim = "C"
source = "S"
conditions = ["event.rps / thread.rps >= 0.9"]
sentence = "{event.rps} and {thread.rps / event.rps}."
reverse = "R"
""")


def changed(path, value):
    """The good file with one value changed, or taken out (None)."""
    data = copy.deepcopy(GOOD)
    *folders, last = path.split(".")
    place = data
    for name in folders:
        place = place[int(name) if name.isdecimal() else name]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return data


class FileTest(unittest.TestCase):
    def test_good(self):
        found = experiment.from_table("x", GOOD)
        self.assertEqual(found.efforts["quick"].x, (1, "most"))
        self.assertEqual(found.efforts["quick"].workload, {"path": "/plaintext"})
        self.assertEqual(found.efforts["full"].workload, {"path": "/echo"})
        self.assertEqual(found.flags["event"], ("--loops", "1"))
        self.assertEqual(found.variants[0], experiment.Variant("event-two", "event", ("--loops", "2")))
        self.assertEqual(found.timeline, experiment.Timeline(("event",), (100, 300), "blocking", 2))
        described = found.as_dict()
        self.assertEqual([figure["name"] for figure in described["figures"]], ["rps", "p99_us"])
        self.assertEqual(described["about"], "A")

    def test_bad(self):
        cases = (
            ("titel", "T"), ("title", None), ("ceilings", "some"), ("figures", ["speed"]), ("chart.figure", "p50_us"), ("chart.type", "pie"),
            ("quick.x", [-1]), ("quick.x", ["all"]), ("quick.x", []), ("quick.rounds", 0), ("quick.seconds", None),
            ("timeline.window", [300, 100]), ("timeline.window", [1]), ("timeline.shows", "work"), ("timeline.cpus", 0), ("timeline.modes", None),
            ("claims.0.conditions", ["event.rps"]), ("claims.0.sentence", "{event rps}"), ("claims.0.sentence", None),
            ("claims.0.conditions", ["event.rps >= thread.rps"]), ("claims.0.conditions", []), ("claims.0.reverse", None),
            ("claims.0.sentence", "{7}"), ("claims.0.says", "S"), ("claims", []), ("claims", [GOOD["claims"][0]] * 2),
        )
        for path, value in cases:
            with self.subTest(path=path, value=value):
                with self.assertRaises((KeyError, TypeError, ValueError, UsageError)):
                    experiment.from_table("x", changed(path, value))

    def test_a_workload_that_its_method_does_not_know(self):
        for path, value in (("method", "magic"), ("workload.speed", 9)):
            with self.subTest(path), self.assertRaises(LabError):
                methods.of(experiment.from_table("x", changed(path, value)))


class AllTest(unittest.TestCase):
    """Every file in loadtest/experiments."""

    def setUp(self):
        self.all = experiment.load_all()

    def test_each_is_whole(self):
        self.assertEqual([item.name for item in self.all], list(experiment.ORDER))
        known = {mode.name for mode in modes.MODES}
        for item in self.all:
            with self.subTest(item.name):
                method = methods.of(item)
                for name in ("WORKLOAD", "find_tools", "connections", "length", "measure"):
                    self.assertTrue(hasattr(method, name), name)
                names = {*item.modes, *item.flags, *(variant.mode for variant in item.variants)}
                self.assertLessEqual(names, known)
                self.assertLessEqual(set(item.efforts), set(experiment.EFFORTS))
                if item.timeline:
                    self.assertLessEqual(set(item.timeline.modes), set(item.modes))
                    self.assertLessEqual(item.timeline.window[1], clients.LENGTH)
                for effort in item.efforts.values():
                    self.assertEqual(item.axis is None, effort.x == (None,))
                    self.assertGreaterEqual(effort.rounds, 1)

    def test_a_claim_speaks_of_figures_and_subjects_that_are_measured(self):
        known = {mode.name for mode in modes.MODES}
        for item in self.all:
            subjects = set(item.modes or known) | {variant.name for variant in item.variants}
            subjects |= {program.name for program in item.programs}
            for claim in item.claims:
                for mode in claim.modes or (None,):
                    spoken = [figure for condition in claim.conditions_of(mode) for figure in condition.figures]
                    for expression in sentences.placeholders(claim.sentence_of(mode)):
                        spoken += expression.figures()
                    for figure in spoken:
                        with self.subTest(item.name, claim=claim.name, figure=str(figure)):
                            self.assertIn(figure.subject, subjects)
                            self.assertIn(figure.name, item.figures)

    def test_choosing(self):
        self.assertEqual([item.name for item in experiment.choose(self.all, "waiting, memory")], ["memory", "waiting"])
        for asked in ("nothing", ","):
            with self.subTest(asked), self.assertRaises(UsageError):
                experiment.choose(self.all, asked)

    def test_the_folder_holds_nothing_else(self):
        found = sorted(path.name for path in (LOADTEST / "experiments").iterdir())
        self.assertEqual(found, sorted(f"{name}.toml" for name in experiment.ORDER))
