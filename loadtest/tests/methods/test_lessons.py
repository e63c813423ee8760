# SPDX-License-Identifier: MIT
"""The lessons: what the small programs do, and what the tools say of them."""

import os
import shutil
import unittest
from types import SimpleNamespace
from unittest import mock

import pytest
from lab.methods import deadlock, races, thread_safety
from lab.servers import compiler, lessons
from lab.text.errors import CellFailed, LabError

LAB = SimpleNamespace(cpus=frozenset(os.sched_getaffinity(0)))
needs_clang = unittest.skipUnless(shutil.which("clang"), "clang is not installed")


def cell(name, x=None, seconds=0.05, **workload):
    return SimpleNamespace(subject=SimpleNamespace(argv=(name,)), x=x, seconds=seconds, workload=workload)


class RacesTest(unittest.TestCase):
    def measure(self, cure, threads, seconds=0.05):
        return races.measure(cell(cure, threads, seconds), LAB).figures

    def test_cures_lose_nothing(self):
        for cure in ("atomic", "mutex", "own"):
            with self.subTest(cure):
                self.assertEqual(self.measure(cure, 8)["lost_updates"], 0)

    def test_one_thread_loses_nothing(self):
        self.assertEqual(self.measure("plain", 1)["lost_updates"], 0)

    def test_eight_threads_lose_updates(self):
        """On one CPU as well, where a thread is interrupted between its load and its store: so for longer, until it is seen."""
        for _ in range(20):
            if self.measure("plain", 8, 0.3)["lost_updates"] > 0:
                return
        self.fail("no update was lost")

    @pytest.mark.alone  # the run takes 100 ms where nothing else does
    def test_time_per_update(self):
        found = races.measure(cell("mutex", 2, 0.1), LAB)
        self.assertAlmostEqual(found.figures["ns_per_update"] * found.details["updates"], 0.1e9, delta=0.1e9)

    def test_refuses_what_it_does_not_know(self):
        for arguments in (("other", 1, 10), ("plain", 0, 10), ("plain", 65, 10), ("plain", 1, "soon")):
            with self.subTest(arguments), self.assertRaises(CellFailed) as failure:
                lessons.run(lessons.program("races"), arguments)
            self.assertIn("usage: races", str(failure.exception))


class SwitchTest(unittest.TestCase):
    def test_each_way_goes_there_and_back(self):
        for way in ("boost", "ucontext", "longjmp", "threads"):
            with self.subTest(way):
                found = lessons.run(lessons.program("switch"), (way, "1001"))
                self.assertEqual((found["way"], found["switches"]), (way, 1000))
                self.assertGreater(found["ns_per_switch"], 0)

    def test_refuses_what_it_does_not_know(self):
        for arguments in (("other", "10"), ("boost", "0"), ("boost", "many"), ("boost",)):
            with self.subTest(arguments), self.assertRaises(CellFailed) as failure:
                lessons.run(lessons.program("switch"), arguments)
            self.assertIn("usage: switch", str(failure.exception))


@pytest.mark.alone  # within the 100 ms of a run both threads must have been at work
@needs_clang
class DeadlockTest(unittest.TestCase):
    def measure(self, way):
        return deadlock.measure(cell(way, seconds=0.1, runs=2), LAB)

    def test_two_orders(self):
        found = self.measure("two-orders")
        self.assertEqual((found.figures["refused"], found.figures["found"]), (1, 1))
        self.assertIn("must be acquired before", found.details["refusal"])
        self.assertIn("lock-order-inversion", found.details["warning"])

    def test_two_orders_stop(self):
        for _ in range(50):
            if lessons.run(lessons.program("deadlock"), ("two-orders", 100))["stopped"]:
                return
        self.fail("no run stopped")

    def test_cures(self):
        for way in ("one-order", "timeout"):
            with self.subTest(way):
                self.assertEqual(self.measure(way).figures, {"runs": 2, "stopped_runs": 0, "refused": 0, "found": 0})


@needs_clang
class SharingTest(unittest.TestCase):
    def measure(self, tool):
        return thread_safety.measure(cell(tool), LAB)

    def test_the_analysis_refuses_every_fault_and_no_sound_program(self):
        found = self.measure("analysis")
        self.assertEqual(found.figures["faults_found"], found.figures["faults"], found.details["said"])
        self.assertEqual(found.figures["false_alarms"], 0)
        self.assertGreaterEqual(found.figures["faults"], 9)

    def test_the_sanitizer_finds_what_a_run_does(self):
        found = self.measure("sanitizer")
        said = found.details["said"]
        self.assertIsNone(said["rare_path"])
        self.assertEqual(said["write_without_lock"], "data race")
        self.assertEqual(found.figures["false_alarms"], 0)

    def test_usual_warnings_know_nothing_of_locks(self):
        self.assertEqual(self.measure("warnings").figures["faults_found"], 0)

    def test_a_program_that_does_not_compile_for_another_reason_is_no_refusal(self):
        clang = compiler.find_clang()
        with self.assertRaises(CellFailed):
            lessons.refused_by_analysis(clang, lessons.SOURCES / "missing.c", True)


class WithoutClangTest(unittest.TestCase):
    def test_it_says_so(self):
        with mock.patch.object(shutil, "which", return_value=None):
            for method in (deadlock, thread_safety):
                with self.assertRaisesRegex(LabError, "clang is not installed"):
                    method.find_tools()
