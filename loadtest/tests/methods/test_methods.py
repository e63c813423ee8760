# SPDX-License-Identifier: MIT
"""The methods that load with swarm, on a stand-in for it and for the server: figures, and what gives none."""

import os
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from lab import methods
from lab.compare import engine, experiment
from lab.load import callgrind, idle as growth, swarm
from lab.machine import cpus
from lab.methods import burst, idle, mix, overload, price, slices
from lab.servers.subjects import Subject
from lab.text.errors import CannotConnect, CellFailed, LabError, ServerDied
from paths import TESTS


class SwarmTest(unittest.TestCase):
    def setUp(self):
        self.set_environment("ECHOD_SWARM", str(TESTS / "fake_swarm.py"))
        self.lab = SimpleNamespace(pinning=cpus.split(os.sched_getaffinity(0)), most=10_000)

    def set_environment(self, name, value):
        patch = mock.patch.dict(os.environ, {name: value})
        patch.start()
        self.addCleanup(patch.stop)

    def measure(self, method, x, seconds=0.2, holds_idle=True, **workload):
        argv = (sys.executable, str(TESTS / "fake_server.py"), "--mode", "event")
        cell = engine.Cell(None, Subject("event", argv, holds_idle), x, 1, seconds, {**method.WORKLOAD, **workload})
        return method.measure(cell, self.lab)

    def mix(self):
        return self.measure(mix, 30, warmup=0.1, timed={"path": "/plaintext", "rate": 200, "connections": 8},
                            beside={"alone": {}, "slow": {"path": "/plaintext", "connections": "x", "trickle-send": "1:9ms"}})

    def test_mix(self):
        found = self.mix()
        self.assertEqual((found.figures["p99_alone_us"], found.figures["answered_slow"]), (100.0, 100.0))
        self.assertEqual((found.asked_rate, found.achieved_rate), (200, 200))
        self.assertEqual(found.figures["threads"], 1)
        self.assertEqual(found.histograms, {"alone_us": [[90, 180], [100, 20]], "slow_us": [[90, 180], [100, 20]]})
        self.assertEqual([of["name"] for of in found.details["slow"]["swarm"]["classes"]], ["timed", "beside"])

    def test_where_many_are_not_answered_there_is_no_p99(self):
        self.set_environment("FAKE_SWARM", "half")
        figures = self.mix().figures
        self.assertEqual(figures["answered_alone"], 50)
        self.assertIn("p50_alone_us", figures)
        self.assertNotIn("p99_alone_us", figures)

    def test_late_ones_stand_apart(self):
        self.set_environment("FAKE_SWARM", "late")
        found = self.mix()
        self.assertEqual((found.figures["answered_slow"], found.figures["late_slow"]), (75, 25))
        self.assertEqual(found.samples["p99_slow_us"], 200)
        self.assertEqual(found.histograms["late_slow_us"], [[3008, 50]])

    def test_a_loop_that_stalls_is_measured_for_whole_turns_after_one(self):
        workload = {**mix.WORKLOAD, "warmup": 0.25, "beside": {"a": {"turn": 2.0, "stalls": ["event"]}, "b": {"seconds": 7.0}, "c": {}}}
        for subject, phase, seconds, found in (("event", "a", 1.0, (2.25, 2.0)), ("event", "a", 4.0, (2.25, 4.0)),
                                               ("event", "a", 4.5, (2.25, 6.0)), ("thread", "a", 1.0, (0.25, 1.0)),
                                               ("event", "b", 1.0, (0.25, 7.0)), ("event", "c", 1.0, (0.25, 1.0))):
            cell = engine.Cell(None, Subject(subject, ()), None, 1, seconds, workload)
            self.assertEqual(mix.times(phase, cell), found)

    def test_burst(self):
        for holds_idle in (True, False):
            with self.subTest(holds_idle=holds_idle):
                figures = self.measure(burst, 40, holds_idle=holds_idle, delay=0.2).figures
                self.assertEqual((figures["last_answer_s"], figures["answers"]), (1.25, 40))
                self.assertEqual(figures["threads_per_waiter"], 0)
                self.assertGreater(figures["cpu_us_per_waiter"], 0)

    def test_burst_that_is_not_answered_whole(self):
        self.set_environment("FAKE_SWARM", "half")
        with self.assertRaisesRegex(CellFailed, "20 of 40 were answered: 20 unfinished") as raised:
            self.measure(burst, 40, delay=0.2)
        self.assertEqual(raised.exception.kind, "refused")

    def test_overload(self):
        found = self.measure(overload, 200, capacity_seconds=0.1, warmup=0.1)
        self.assertEqual(found.figures["capacity"], 1000)
        self.assertEqual((found.asked_rate, found.figures["goodput"], found.figures["goodput_share"]), (2000, 2000, 200))
        self.assertEqual((found.figures["asked_per_s"], found.figures["offered_per_s"]), (2000, 2000))
        self.assertEqual(found.samples, {"capacity": 1000, **dict.fromkeys(
            ("asked_per_s", "offered_per_s", "goodput", "goodput_share", "late_per_s", "refused_per_s", "failed_per_s", "p50_us", "p99_us"),
            2000)})
        self.assertEqual(found.series["goodput"], [[0.5, 2000], [1.0, 2000]])
        self.assertEqual(found.series["p99_us"], [[0.5, 100.0]])

    def test_late_answers_are_no_goodput(self):
        self.set_environment("FAKE_SWARM", "late")
        found = self.measure(overload, 200, capacity_seconds=0.1, warmup=0.1)
        self.assertEqual((found.figures["goodput"], found.figures["late_per_s"]), (1500, 500))
        self.assertEqual(found.histograms["late_us"], [[3008, 500]])

    def test_a_rate_that_is_not_offered_is_marked(self):
        for fault, marked in (("unoffered", True), ("", False)):
            self.set_environment("FAKE_SWARM", fault)
            found = self.measure(overload, 200, capacity_seconds=0.1, warmup=0.1)
            self.assertEqual("unoffered" in found.marks, marked)

    def test_connections_for_an_overload_follow_from_the_rate(self):
        given = {**overload.WORKLOAD, "timeout": 3.0, "clients": 10}
        self.assertEqual(overload._class(1000, given, 99_999)["connections"], 3310)
        self.assertEqual(overload._class(1000, given, 2000)["connections"], 2000)

    def test_what_gives_no_figure(self):
        for fault, error, pattern in (("wrong", CellFailed, "wrong answers: 3 body errors .first: a body of 3 bytes"),
                                      ("dead", CannotConnect, "swarm ended without a result: it exited with status 1: swarm: no connection"),
                                      ("silent", LabError, "swarm printed no result, but nothing"),
                                      ("cut", LabError, "swarm printed no result, but '{.event.: "),
                                      ("killed", CellFailed, "it was ended by SIGKILL")):
            with self.subTest(fault):
                self.set_environment("FAKE_SWARM", fault)
                with self.assertRaisesRegex(error, pattern):
                    self.mix()

    def test_a_server_that_has_died_meanwhile(self):
        self.set_environment("FAKE_SWARM", "dead")
        with mock.patch("lab.servers.server.Server.wait_ready", lambda server: self.kill(server)), self.assertRaises(ServerDied):
            self.mix()

    @staticmethod
    def kill(server):
        server.address = ("127.0.0.1", 1)
        server.child.send(9)
        server.child.ended(10)

    def test_missing(self):
        self.set_environment("ECHOD_SWARM", "/nowhere/swarm")
        for name in ("burst", "mix", "overload"):
            with self.assertRaisesRegex(LabError, "swarm is missing at /nowhere/swarm"):
                methods.known()[name].find_tools()


class ArgumentsTest(unittest.TestCase):
    def test_flags_of_the_run_and_of_classes(self):
        words = swarm.arguments([{"name": "a", "path": "/x", "rate": 5, "close": True, "gate": False}], {"duration": "1"},
                                "127.0.0.1:9")
        self.assertEqual(words, ["--duration", "1", "--target", "127.0.0.1:9", "--class", "a", "--rate", "5", "--close", "/x"])


class SlicesTest(SwarmTest):
    def test_first_mean_and_last(self):
        found = self.measure(slices, None, requests=8)
        self.assertEqual(found.figures, {"first_answer_s": 1e-4, "mean_answer_s": 1e-4, "last_answer_s": 1e-4})
        self.assertEqual(found.samples["first_answer_s"], 8)

    def test_not_all_answered(self):
        self.set_environment("FAKE_SWARM", "half")
        with self.assertRaisesRegex(CellFailed, "4 of 8 were answered"):
            self.measure(slices, None, requests=8)


class IdleTest(unittest.TestCase):
    def test_of_the_kernel(self):
        grown = {"user": 800.0, "address": 9000.0, "slab": 3000.0, "stacks": -10.0, "tables": 40.0}
        self.assertEqual(idle.figures_of(grown), ({"user_bytes_per_connection": 800.0, "address_bytes_per_connection": 9000.0, "kernel_bytes_per_connection": 3030.0, "bytes_per_connection": 3830.0,
                                                   "stack_bytes_per_connection": 0}, ()))

    def test_counters_that_others_have_moved_give_no_figure(self):
        for moved in ({"slab": -3000.0}, {"slab": 900.0}, {"stacks": -900.0}):
            grown = {"user": 800.0, "address": 9000.0, "slab": 3000.0, "stacks": 0.0, "tables": 40.0, **moved}
            self.assertEqual(idle.figures_of(grown), ({"user_bytes_per_connection": 800.0, "address_bytes_per_connection": 9000.0}, ("unusable",)))

    def test_not_told(self):
        self.assertEqual(idle.figures_of({"user": 800.0, "address": 9000.0}), ({"user_bytes_per_connection": 800.0, "address_bytes_per_connection": 9000.0}, ()))


class GrowthTest(unittest.TestCase):
    """Where a fork takes 5 ms, opening 10,000 connections takes longer than a server lets one be idle: a quarter had gone."""

    def growth(self, held):
        readings = iter(({"user": 0, "slab": 0}, {"user": 5000, "slab": 1000}))
        sockets = iter((None if held is None else 2, held))  # two listen
        server = SimpleNamespace(sockets=lambda: next(sockets))
        with mock.patch.object(growth, "_open"), mock.patch.object(growth, "_reading", lambda _: next(readings)):
            return growth.growth(server, "/plaintext", 100)

    def test_all_connections_are_open(self):
        for held in (166, 167, None):
            self.assertEqual(self.growth(held), {"user": 50, "slab": 10})

    def test_fewer_give_no_figure(self):
        with self.assertRaises(CellFailed) as failure:
            self.growth(165)
        self.assertEqual(str(failure.exception), "1 of 164 connections were closed before the memory was read")


class LinesTest(unittest.TestCase):
    def test_neither_blank_nor_comment(self):
        text = '/* a\n b */\n\nint x; /* c */\n// d\nchar *s = "/* no comment */";\n  /* e */ int y;\n'
        self.assertEqual(price.count_lines(text), 3)


PROFILE = """# callgrind format
positions: line
events: Ir
fl=build/x/../common/session.c
fn=session_feed
10 5
11 7
calls=3 40
12 900
fi=common/base/span.h
3 2
fe=build/x/../common/session.c
13 1
fn=(below main)
fl=???
0 8
"""


class LinesRunTest(unittest.TestCase):
    def test_lines_of_a_profile(self):
        found = callgrind.parse_lines(PROFILE)
        session = "build/x/../common/session.c"
        self.assertEqual(found, {(session, 10): 5, (session, 11): 7, (session, 12): 0, ("common/base/span.h", 3): 2, (session, 13): 1,
                                 ("???", 0): 8})

    def test_a_line_counts_if_each_connection_runs_it(self):
        """What start-up and a timer run is no connection's, and a list by hand is not needed."""
        idle = {("a", 1): 500, ("a", 2): 30, ("b", 9): 4000}
        loaded = {("a", 1): 500, ("a", 2): 60, ("a", 3): 64, ("b", 9): 9000}
        with mock.patch.object(callgrind, "_profile", lambda subject, path, requests, folder: loaded if requests else idle):
            self.assertEqual(callgrind.lines_run(None, "/"), {("a", 3), ("b", 9)})

    def test_by_folder(self):
        root = price.command.ROOT
        places = price.own_lines({(f"{root}/build/x/../../server/main.c", 3), (f"{root}/common/base/span.h", 4), (f"{root}/common/base/span.h", 5),
                                  ("/usr/include/x.h", 1), ("???", 0)})
        found = price.figures_of_lines(places)
        self.assertEqual((found["lines_run"], found["lines_run_server"], found["lines_run_common"]), (3, 1, 2))
        self.assertEqual(found["code_lines"], sum(price.count_lines((root / name).read_text(encoding="utf-8"))
                                                  for name in ("server/main.c", "common/base/span.h")))


class ProgramsTest(unittest.TestCase):
    """The programs of one mode: a copy of one that is here stands for them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, value in (("ROOT", self.folder), ("PROGRAMS", self.folder / "price")):
            patch = mock.patch.object(price.command if name == "ROOT" else price, name, value)
            patch.start()
            self.addCleanup(patch.stop)
        (self.folder / "price").mkdir()
        self.cell = SimpleNamespace(subject=SimpleNamespace(name="event"))

    def test_sizes(self):
        shutil.copy("/bin/sh", self.folder / "price" / "echod-event")
        library = self.folder / "libevent_core.so"
        library.write_bytes(bytes(4321))
        with mock.patch.object(price.program, "library_loaded", lambda path, name: library), \
                mock.patch.object(price.program, "stripped_bytes", lambda path: path.stat().st_size - 1):
            found, details = price._programs(self.cell)
        self.assertEqual(found, {"program_bytes": Path("/bin/sh").stat().st_size - 1, "libevent_bytes": 4321})
        self.assertEqual(details, {"libevent": str(library)})

    def test_libevent_linked_into_it(self):
        shutil.copy("/bin/sh", self.folder / "price" / "echod-event")
        found, details = price._programs(self.cell)
        self.assertNotIn("libevent_bytes", found)
        self.assertEqual(details, {"libevent": "linked into it"})

    def test_not_built(self):
        found, details = price._programs(self.cell)
        self.assertEqual((found, details), ({}, {"program": "not measured: price/echod-event is not built (./dev build modes)"}))

    def test_only_in_full(self):
        efforts = experiment.load(experiment.FOLDER / "price.toml").efforts
        asked = {effort: {**price.WORKLOAD, **efforts[effort].workload}["programs"] for effort in ("quick", "full")}
        self.assertEqual(asked, {"quick": False, "full": True})
