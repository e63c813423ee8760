# SPDX-License-Identifier: MIT
"""What gdb shows of requests that wait: counted in its output, and seen on echod itself."""

import os
import unittest
from types import SimpleNamespace

from lab.compare import engine
from lab.machine import cpus
from lab.machine.command import ROOT
from lab.methods import debugging
from lab.servers.subjects import Subject
from lab.text.errors import CellFailed

SERVER = ROOT / "build" / "asan" / "echod"


class DebuggingTest(unittest.TestCase):
    def test_each_target_counts_once(self):
        targets = [f"/delay/9s?{number}" for number in range(12)]
        text = "request 1 /delay/9s?1\nrequest 2 /delay/9s?11\nrequest 3 /delay/9s?11\nrequest 4 /delay/9s?111\n"
        self.assertEqual(debugging.named(text, targets), 2)

    def test_a_thread_is_led_to_its_request_and_a_loop_only_by_the_script(self):
        lab = SimpleNamespace(pinning=cpus.split(os.sched_getaffinity(0)))
        for mode, by_frames in (("thread", 3), ("event", 0)):
            with self.subTest(mode):
                subject = Subject(mode, (str(SERVER), "--mode", mode, "--listen", "127.0.0.1:0", "-v"))
                found = debugging.measure(engine.Cell(None, subject, 3, 1, 1.0, debugging.WORKLOAD), lab)
                self.assertEqual(found.figures, {"requests_by_frames": by_frames, "requests_by_script": 3})

    def test_what_runs_elsewhere_cannot_be_attached_to(self):
        target = Subject("target", (), kind="target", url="http://127.0.0.1:1")
        with self.assertRaisesRegex(CellFailed, "cannot be attached"):
            debugging.measure(engine.Cell(None, target, 3, 1, 1.0, debugging.WORKLOAD), None)
