# SPDX-License-Identifier: MIT
"""The whole comparison against a stand-in for the server: files, refusals, faults, and an end at any moment."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import context
from lab.process import Child

FAKE = context.LOADTEST / "tests" / "fake_server.py"
SHORT = ["--rounds", "1", "--seconds", "0.4", "--connections", "2"]


def command(output, *flags):
    return [sys.executable, str(context.LOADTEST / "compare.py"), "--server", str(FAKE), "--output", str(output), *SHORT, *flags]


@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class CompareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.output = Path(folder.name)

    def run_compare(self, *flags, fault="", env=None):
        env = {**os.environ, "FAKE_FAULT": fault, **(env or {})}
        return subprocess.run(command(self.output, *flags), capture_output=True, text=True, env=env, timeout=60, check=False)

    def results(self):
        return json.loads((self.output / "results.json").read_text(encoding="utf-8"))

    def assert_one_line(self, done, status, pattern):
        lines = [line for line in done.stderr.splitlines() if not line.startswith("[")]
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(len(lines), 1, done.stderr)
        self.assertRegex(lines[0], pattern)

    def test_all_workloads(self):
        done = self.run_compare()
        self.assertEqual(done.returncode, 0, done.stderr)
        results = self.results()
        self.assertEqual((results["format"], results["version"], results["complete"]), ("echod-compare", 1, True))
        self.assertEqual(results["parameters"]["modes"], ["thread", "event"])
        self.assertEqual(len(results["measurements"]), 6)
        for entry in results["measurements"]:
            self.assertIsNone(entry["failure"])
            self.assertEqual(entry["threads"], 1)
            self.assertFalse(entry["latency_us"]["corrected"])
            self.assertGreater(entry["latency_us"]["p50"], 0)
            self.assertLessEqual(entry["latency_us"]["p50"], entry["latency_us"]["p99"])
            # The window's figure and that of the whole life, start-up and the checked warm-up included, are of one size.
            life = entry["lifetime"]
            self.assertLess(entry["cpu_us_per_request"], 1e6 * life["cpu_s"] / life["requests"] * 1.5)
        for name in ("plaintext", "echo", "pipeline"):
            self.assertIn(f"{name}:", done.stdout)
            self.assertIn(name, (self.output / "report.md").read_text(encoding="utf-8"))

    def test_refusals(self):
        cases = (
            (["--modes", "hybrid"], 2, "does not offer --mode hybrid"),
            (["--modes", "fast"], 2, "--modes: 'fast' is none of thread"),
            (["--only", "nothing"], 2, "--only: 'nothing' is none of plaintext"),
            (["--connections", "0"], 2, "--connections: '0' is no whole number"),
            (["--rounds", "many"], 2, "--rounds: 'many' is no whole number"),
            (["--seconds", "0"], 2, "--seconds: '0' is no number of seconds"),
            (["--server", "/nowhere"], 1, "no server at /nowhere"),
            (["--connections", "900000"], 1, "need 900064 file descriptors"),
            (["--faster"], 2, "unrecognized arguments: --faster"),
        )
        for flags, status, pattern in cases:
            with self.subTest(flags):
                self.assert_one_line(self.run_compare(*flags), status, pattern)

    def test_missing_wrk(self):
        self.assert_one_line(self.run_compare(env={"PATH": str(self.output)}), 1, "wrk is missing")

    def test_faults_that_end_the_run(self):
        cases = (
            ("start", "thread: cannot start: exited with status 1: fake: no"),
            ("status", "thread: GET /plaintext answered 404, not 200"),
            ("body", "thread: GET /plaintext answered a wrong body"),
            ("die", "thread: the server died: was ended by SIGABRT"),
        )
        for fault, pattern in cases:
            with self.subTest(fault):
                self.assert_one_line(self.run_compare("--seconds", "2", fault=fault), 1, pattern)
                self.assertFalse((self.output / "results.json").exists())

    def test_answers_that_turn_wrong_give_no_figure(self):
        done = self.run_compare("--only", "plaintext", "--modes", "event", fault="later")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"event at 2 connections: no figure: \d+ status errors")
        self.assertRegex(self.results()["measurements"][0]["failure"], "status errors")

    def test_ctrl_c_keeps_what_was_measured_and_leaves_no_process(self):
        with Child(command(self.output, "--rounds", "9", "--seconds", "1", "--only", "plaintext")) as child:
            children = self.wait_for_second_measurement(child)
            child.send(signal.SIGINT)
            self.assertTrue(child.ended(20))
            for handle in children:
                self.assertNotEqual(_wait(handle, 0), [])
                os.close(handle)
            self.assertEqual(child.reap(), 128 + signal.SIGINT)
            self.assertRegex(child.error_line(), "stopped by SIGINT")
            self.assertIn("INCOMPLETE", child.read_output())
        results = self.results()
        self.assertFalse(results["complete"])
        self.assertEqual(results["ended"], "stopped by SIGINT")
        self.assertGreaterEqual(len(results["measurements"]), 1)

    def wait_for_second_measurement(self, child):
        """Handles of the children at work when a third wrk runs: the first two were the first measurement's."""
        seen = set()
        while len(seen) < 3:
            self.assertFalse(child.ended(0.02), child.error_line())
            with open(f"/proc/{child.pid}/task/{child.pid}/children", encoding="ascii") as file:
                pids = [int(word) for word in file.read().split()]
            seen.update(pid for pid in pids if "gate=" in _command(pid))
        self.assertEqual(len(pids), 2)
        return [os.pidfd_open(pid) for pid in pids]


def _command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _wait(handle, seconds):
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return poller.poll(seconds * 1000)


if __name__ == "__main__":
    unittest.main()
