# SPDX-License-Identifier: MIT
"""The command as it is typed: its page, its traces, its refusals."""

import html
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import pytest
from lab.timeline import clients, trace
from paths import LOADTEST

# The stage of the tests names the build that it has made by its load client.
SERVER = Path(os.environ.get("SWARM", LOADTEST.parent / "build" / "release" / "swarm")).with_name("echod")


def run(*flags):
    return subprocess.run([sys.executable, str(LOADTEST / "timeline.py"), *map(str, flags)], capture_output=True, text=True, timeout=120, check=False)


class RefusalTest(unittest.TestCase):
    def test_flags(self):
        for flags, text in ((("--modes", "evnt"), "'evnt' is none of"), (("--modes", ","), "nothing is named"), (("--window", "9"), "is no part of"),
                            (("--window", "300-200"), "is no part of"), (("--window", "0-501"), "is no part of"), (("--wat",), "unrecognized")):
            with self.subTest(flags=flags), tempfile.TemporaryDirectory() as folder:
                done = run("--server", SERVER if SERVER.exists() else sys.executable, "--no-perf", "-o", folder, *flags)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(text, done.stderr)

    def test_no_server(self):
        done = run("--server", "/nonexistent/echod")
        self.assertEqual((done.returncode, done.stderr), (1, "timeline: no server at /nonexistent/echod\n"))


@pytest.mark.alone  # a loop that gets no CPU for 80 ms reads nothing meanwhile, whatever its mode
@unittest.skipUnless(SERVER.exists(), "echod is not built")
class TwoModesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.done = run("--server", SERVER, "--modes", "event,hybrid", "--no-perf", "-o", cls.folder)

    def setUp(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        self.page = html.unescape((self.folder / "report.html").read_text(encoding="utf-8"))

    def test_the_page_names_every_request(self):
        for client in clients.SCRIPT:
            with self.subTest(client=client.name):
                text = re.escape(client.text).replace(re.escape("{rounds}"), r"\d+")
                for mode in ("event", "hybrid"):
                    self.assertRegex(self.section(mode), rf"<title>(Not read yet: )?{text} of {client.name} \(connection \d+\): sent at ")

    def section(self, mode):
        [found] = re.findall(rf'<section id="mode-{mode}".*?</section>', self.page, re.DOTALL)
        return found

    def test_the_page_says_its_window_and_what_it_does_not_show(self):
        self.assertIn("Shown: 0 to 500 ms", self.page)
        self.assertIn("The CPUs are not shown: --no-perf was given.", self.page)
        self.assertNotIn("CPU 0</text>", self.page)

    def test_the_page_needs_nothing_else(self):
        self.assertEqual(re.findall(r"<script|<link(?! rel=\"icon\" href=\"data:,\")|\ssrc=|url\((?!#)|@import", self.page), [])

    def test_blocking_work_fills_the_loop_of_event_and_not_that_of_hybrid(self):
        self.assertIn("loop 0 did nothing but", self.section("event"))
        self.assertRegex(self.section("hybrid"), r"GET /block/80ms ran on worker \d")
        for mode, kind in (("event", trace.LOOP), ("hybrid", trace.WORKER)):
            with self.subTest(mode=mode):
                read = trace.load(self.folder / f"{mode}.json")
                blocking = self.blocking(read)
                self.assertEqual({read.threads[part.tid].kind for part in blocking}, {kind})
                inside = [part for part in blocking for one in self.cheap(read) if part.start < one.start < part.end]
                self.assertEqual(bool(inside), mode == "hybrid")

    @staticmethod
    def blocking(read):
        """The slices of threads that are work of a request that blocks."""
        ours = {number for number, requests in read.requests.items() if "/block/" in requests[0].text}
        return [part for part in read.slices if part.name == "work" and part.connection in ours]

    @staticmethod
    def cheap(read):
        return [one for requests in read.requests.values() for one in requests if one.text == "GET /plaintext"]

    def test_a_request_that_came_while_the_loop_was_blocked_is_read_after_that(self):
        events = json.loads((self.folder / "event.json").read_text(encoding="utf-8"))["traceEvents"]
        sent = [event["ts"] for event in events if event["ph"] == "X" and event["name"] == "GET /plaintext"]
        behind = [when for when in sent for part in self.blocking(trace.load(self.folder / "event.json")) if part.start < when < part.end]
        self.assertTrue(behind)
