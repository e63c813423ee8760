# SPDX-License-Identifier: MIT
"""Whole runs against a stand-in for the server: files, refusals, faults, and an end at any moment."""

import contextlib
import json
import os
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from lab.machine.process import Child
from lab.report import advice
from lab.results import schema, view
from paths import LOADTEST, TESTS

FAKE = TESTS / "fake_server.py"
SHORT = ["--rounds", "1", "--seconds", "0.4", "--connections", "2", "--only", "scaling"]


def command(output, *flags, server=FAKE):
    words = ["--server", str(server)] if server else []
    return [sys.executable, str(LOADTEST / "compare.py"), *words, "--output", str(output), *SHORT, *flags]


@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class CompareTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.output = Path(folder.name)

    def run_compare(self, *flags, fault="", env=None, server=FAKE):
        env = {**os.environ, "FAKE_FAULT": fault, **(env or {})}
        return subprocess.run(command(self.output, *flags, server=server), capture_output=True, text=True, env=env, timeout=240, check=False)

    def results(self):
        return json.loads((self.output / "results.json").read_text(encoding="utf-8"))

    def assert_one_line(self, done, status, pattern, lines_in_all=1):
        lines = [line for line in done.stderr.splitlines() if not line.startswith(("[", "waiting for other programs"))]
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(len(lines), lines_in_all, done.stderr)
        self.assertRegex(lines[0], pattern)

    def test_measurements_rows_and_verdicts(self):
        done = self.run_compare("--only", "scaling,bytes")
        self.assertEqual(done.returncode, 0, done.stderr)
        results = schema.load(self.output / "results.json")
        self.assertEqual([line["when"] for line in results["advice"]], [line["when"] for line in advice.load()])
        self.assertEqual((results["format"], results["version"], results["complete"]), ("echod-compare", 3, True))
        self.assertEqual(results["parameters"]["modes"], ["thread", "event"])
        self.assertEqual([experiment["name"] for experiment in results["experiments"]], ["scaling", "bytes"])
        for experiment in results["experiments"]:
            names = {figure["name"] for figure in experiment["figures"]}
            for claim in experiment["claims"]:
                for verdict in claim["verdicts"]:
                    self.assertIn(verdict["outcome"], view.OUTCOMES)
            for entry in experiment["measurements"]:
                self.assertIsNone(entry["failure"])
                # This server need not keep up with the fixed rate: then it has no cost at it.
                self.assertEqual(set(entry["figures"]) & names | {"cpu_us_at_rate"}, names | {"cpu_us_at_rate"})
                self.assertEqual(sum(entry["errors"].values()), 0)
                self.assertGreater(entry["figures"]["p50_us"], 0)
                self.assertLessEqual(entry["figures"]["p50_us"], entry["figures"]["p99_us"])
                # The window's figure and that of the whole life, start-up and the checked warm-up included, are of one size.
                life = entry["details"]["lifetime"]
                self.assertLess(entry["figures"]["cpu_us_per_request"], 1e6 * life["cpu_s"] / life["requests"] * 1.5)
            self.assertIn(f"{experiment['name']}:", done.stdout)

    def test_ceilings_stand_beside_the_modes(self):
        self.assertEqual(self.run_compare("--only", "switch-cost", "--full").returncode, 0)
        rows = {row["subject"]: row for row in self.results()["experiments"][0]["summary"]}
        self.assertEqual(set(rows), {"thread", "event", "ceiling-threads", "ceiling-epoll"})
        cpu = [rows[name]["figures"]["cpu_us_per_request"]["median"] for name in ("event", "ceiling-epoll")]
        self.assertAlmostEqual(rows["event"]["to_ceiling"]["cpu_us_per_request"], cpu[0] / cpu[1])
        self.assertEqual(rows["ceiling-epoll"]["to_ceiling"], {})

    def test_refusals(self):
        cases = (
            (["--modes", "hybrid"], 2, "does not offer --mode hybrid"),
            (["--modes", "fast"], 2, "--modes: 'fast' is none of thread"),
            (["--only", "nothing"], 2, "--only: 'nothing' is none of memory, scaling"),
            (["--connections", "0"], 2, "--connections: '0' is no whole number"),
            (["--rounds", "many"], 2, "--rounds: 'many' is no whole number"),
            (["--seconds", "0"], 2, "--seconds: '0' is no number of seconds"),
            (["--server", "/nowhere"], 1, "no server at /nowhere"),
            (["--connections", "900000"], 1, "need 900064 file descriptors"),
            (["--faster"], 2, "unrecognized arguments: --faster"),
            (["--quick", "--full"], 2, "--full: not allowed with argument --quick"),
            (["--also", "nginx"], 2, "--also: 'nginx' is not NAME=COMMAND"),
            (["--also", "x=nginx"], 2, "--also: the command of x has no {port}"),
            (["--also", "event=nginx {port}"], 2, "--also: the name 'event' is taken"),
            (["--target", ""], 2, "--target: nothing is named"),
            (["--modes", ","], 2, "--modes: nothing is named"),
            (["--only", ""], 2, "--only: nothing is named"),
            (["--output", ""], 2, "--output: nothing is named"),
            (["--server", ""], 2, "--server: nothing is named"),
            (["--rounds", "٣"], 2, "--rounds: '٣' is no whole number"),
            (["--target", "http://127.0.0.1:1"], 2, "--target: nothing else is measured then"),
        )
        for flags, status, pattern in cases:
            with self.subTest(flags):
                self.assert_one_line(self.run_compare(*flags), status, pattern)

    def test_missing_wrk(self):
        (self.output / "python3").symlink_to(sys.executable)
        self.assert_one_line(self.run_compare(env={"PATH": str(self.output)}), 1, "wrk is missing")

    def test_a_server_that_cannot_start_ends_the_run(self):
        self.assert_one_line(self.run_compare(fault="start"), 1, "thread: cannot start: exited with status 1: fake: no")
        self.assertFalse((self.output / "results.json").exists())

    def test_faults_give_no_figure(self):
        cases = (
            ("status", "wrong", "GET /plaintext answered 404, not 200"),
            ("body", "wrong", "GET /plaintext answered a wrong body"),
            ("die", "died", "the server died: was ended by SIGABRT"),
            ("later", "errors", r"\d+ status errors$"),
        )
        for fault, kind, pattern in cases:
            with self.subTest(fault):
                done = self.run_compare("--modes", "event", "--seconds", "1", fault=fault)
                # One for the mode and one for its twin.
                self.assert_one_line(done, 1, f"compare: scaling: event, connections 2: {kind}: {pattern}", 2)
                entry = self.results()["experiments"][0]["measurements"][0]
                self.assertEqual((entry["failure"]["kind"], entry["figures"]), (kind, {}))
                self.assertRegex(entry["failure"]["reason"], pattern)
                self.assertEqual(self.results()["experiments"][0]["summary"][0]["figures"], {})

    def test_another_server_beside_ours(self):
        also = f"other={sys.executable} {FAKE} --mode event --port {{port}}"
        done = self.run_compare("--modes", "event", "--also", also)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = {row["subject"]: row for row in self.results()["experiments"][0]["summary"]}
        self.assertEqual(rows["other"]["kind"], "also")
        self.assertGreater(rows["other"]["figures"]["cpu_us_per_request"]["median"], 0)

    def test_another_server_that_does_not_start(self):
        done = self.run_compare("--modes", "event", "--also", "gone=sh -c 'exit 3' {port}")
        self.assert_one_line(done, 1, "gone, connections 2: other: cannot start: exited with status 3")
        rows = {row["subject"]: row for row in self.results()["experiments"][0]["summary"]}
        self.assertEqual((rows["gone"]["failure"]["kind"], rows["gone"]["figures"]), ("other", {}))
        self.assertGreater(rows["event"]["figures"]["cpu_us_per_request"]["median"], 0)

    def test_a_server_elsewhere_is_loaded_and_not_touched(self):
        with Child([sys.executable, str(FAKE), "--mode", "event"]) as server:
            port = int(server.stdout.readline().split(b":")[1])
            flags = ["--target", f"http://127.0.0.1:{port}", "--only", "scaling,memory"]
            done = self.run_compare(*flags, server=None)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertFalse(server.ended())
        found = {experiment["name"]: experiment for experiment in self.results()["experiments"]}
        scaling, others = found.pop("scaling"), list(found.values())
        self.assertEqual([row["subject"] for row in scaling["summary"]], ["target"])
        self.assertRegex(self.results()["pinning"]["note"], "^client pinned to CPU [0-9,]+; the server runs elsewhere$")
        figures = scaling["summary"][0]["figures"]
        self.assertGreater(figures["rps"]["median"], 0)
        self.assertNotIn("cpu_us_per_request", figures)
        self.assertEqual(len(others), 1)
        for other in others:
            self.assertIn("which runs elsewhere", other["skipped"])

    def test_a_server_elsewhere_that_is_not_there(self):
        """Or no more: what could not be measured is no result."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        done = self.run_compare("--target", f"http://127.0.0.1:{port}", "--only", "scaling", server=None)
        self.assert_one_line(done, 1, f"other: cannot connect to http://127.0.0.1:{port}: Connection refused$")

    def test_requirements_are_judged(self):
        flags = ["--modes", "event", "--require", "event.threads == 1"]
        self.assert_one_line(self.run_compare(*flags), 2, "--require: 'event.threads == 1'")
        flags[-1] = "event.threads >= 2"
        self.assert_one_line(self.run_compare(*flags), 99, "required event.threads >= 2: not met in scaling at 2")

    def test_the_command_that_repeats_an_experiment(self):
        other = "other=sh -c 'exit 3' {port}"
        self.assertEqual(self.run_compare("--modes", "event", "--also", other).returncode, 1)
        self.assertEqual(shlex.split(self.results()["experiments"][0]["command"]),
                         ["./dev", "compare", "--only", "scaling", "--modes", "event", "--server", str(FAKE), "--rounds", "1",
                          "--seconds", "0.4", "--connections", "2", "--also", other])

    def test_ctrl_c_keeps_what_was_measured_and_leaves_no_process(self):
        with Child(command(self.output, "--rounds", "9", "--seconds", "1")) as child:
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
        self.assertGreaterEqual(len(results["experiments"][0]["measurements"]), 1)
        self.assertRegex(results["experiments"][0]["ended"], r"^\d+ of 27 measurements were made$")

    def test_a_signal_to_the_whole_group_in_the_first_measurement(self):
        """As from a terminal that is closed, while the ceilings are built or anything is started: nothing to keep, nothing left."""
        for number in (signal.SIGHUP, signal.SIGTERM):
            with self.subTest(number), Child(command(self.output, "--rounds", "9", "--seconds", "9")) as child:
                pids = self.wait_for_children(child)
                os.killpg(child.pid, number)
                self.assertTrue(child.ended(20))
                self.assertEqual([pid for pid in pids if "lab" in _command(pid) or "fake" in _command(pid)], [])
                self.assertEqual(child.reap(), 128 + number)
                self.assertRegex(child.error_line(), f"stopped by {signal.Signals(number).name}")
                self.assertFalse((self.output / "results.json").exists())

    def wait_for_children(self, child):
        """The children at work once wrk runs for the first time."""
        while True:
            self.assertFalse(child.ended(0.02), child.error_line())
            with open(f"/proc/{child.pid}/task/{child.pid}/children", encoding="ascii") as file:
                pids = [int(word) for word in file.read().split()]
            if any("gate=" in _command(pid) for pid in pids):
                return pids

    def wait_for_second_measurement(self, child):
        """Handles of the two children at work when a third wrk runs or has run: the first two were the first measurement's."""
        seen = set()
        while True:
            self.assertFalse(child.ended(0.02), child.error_line())
            with open(f"/proc/{child.pid}/task/{child.pid}/children", encoding="ascii") as file:
                pids = [int(word) for word in file.read().split()]
            seen.update(pid for pid in pids if "gate=" in _command(pid))
            handles = _handles(pids) if len(seen) >= 3 else []
            if len(handles) == 2:
                return handles
            for handle in handles:
                os.close(handle)


def _handles(pids):
    """Of those that have not ended meanwhile."""
    found = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            found.append(os.pidfd_open(pid))
    return found


def _command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):  # it has ended: before it was opened, or before it was read
        return ""


def _wait(handle, seconds):
    poller = select.poll()
    poller.register(handle, select.POLLIN)
    return poller.poll(seconds * 1000)
