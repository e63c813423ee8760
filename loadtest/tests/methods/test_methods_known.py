# SPDX-License-Identifier: MIT
"""The methods that load with swarm, or send signals, on servers of which it is known what must be seen.

Delays can only get longer on a busy machine, so that what is at least so long is asserted as it is.
"""

import contextlib
import os
import sys
import unittest
from types import SimpleNamespace
from unittest import mock

import pytest
from known_server import SWARM
from lab.compare import engine
from lab.load import http
from lab.machine import cpus
from lab.methods import burst, isolation, mix, overload, shutdown
from lab.servers.subjects import Subject
from lab.text.errors import CellFailed
from paths import TESTS

FAKE = (sys.executable, str(TESTS / "fake_server.py"), "--mode", "event")
THREADS = (sys.executable, str(TESTS / "threading_server.py"))

pytestmark = pytest.mark.alone


def lab():
    return SimpleNamespace(pinning=cpus.split(os.sched_getaffinity(0)), most=10_000)


def measure(method, argv, x=None, seconds=1.0, environment=None, **workload):
    subject = Subject("event", argv)
    with mock.patch.dict(os.environ, {"ECHOD_SWARM": str(SWARM), **(environment or {})}):
        with mock.patch("lab.servers.server.clean_environment", lambda extra=None: dict(os.environ)):
            return method.measure(engine.Cell(None, subject, x, 1, seconds, {**method.WORKLOAD, **workload}), lab())


@unittest.skipUnless(SWARM.exists(), f"{SWARM} is not built")
class KnownTest(unittest.TestCase):
    def timed(self, seconds=1.0, environment=None, beside=None, **flags):
        of = {"path": "/plaintext", "rate": 100, "connections": 120, **flags}
        return measure(mix, FAKE, None, seconds, environment, timed=of, beside={"slow": beside or {}}, warmup=0.1).figures

    def test_answers_behind_the_deadline_are_not_answered_in_time(self):
        """Each answer comes after 700 ms. A timeout from sending, with time to spare behind the end, finds all of them right."""
        figures = self.timed(environment={"FAKE_DELAY_MS": "700"}, deadline="400ms", timeout="5s")
        self.assertEqual((figures["answered_slow"], figures["late_slow"]), (0, 100))
        self.assertGreaterEqual(figures["p50_slow_us"], 700_000)
        figures = self.timed(environment={"FAKE_DELAY_MS": "700"}, timeout="5s")
        self.assertEqual((figures["answered_slow"], figures["late_slow"]), (100, 0))

    def test_a_loop_that_blocks_is_seen_whole(self):
        """Four clients that block it for 100 ms, one after the other: half of a turn of 400 ms, and more, is what others wait."""
        beside = {"path": "/block/100", "connections": 4, "turn": 0.4, "stalls": ["event"]}
        figures = self.timed(beside=beside)
        self.assertGreaterEqual(figures["p99_slow_us"], 200_000)
        self.assertGreaterEqual(figures["done_slow"], 4)
        self.assertLessEqual(figures["done_slow"], 13)

    def test_an_overload_is_offered_and_its_late_answers_are_no_goodput(self):
        """It blocks for 20 ms with each request: 50 a second at most, whatever is asked; late after a moment."""
        found = measure(overload, FAKE, 400, 2.0, path="/block/20", clients=4, warmup=0.3, capacity_seconds=1.0, deadline=0.2,
                        timeout=1.0)
        figures = found.figures
        self.assertLessEqual(figures["capacity"], 52)
        self.assertGreaterEqual(figures["offered_per_s"], 0.9 * figures["asked_per_s"])
        self.assertLessEqual(figures["goodput_share"], 60)
        self.assertGreater(figures["late_per_s"] + figures["failed_per_s"], figures["goodput"])
        self.assertEqual(len(found.series["offered"]), 4)

    def test_too_few_connections_for_an_overload_are_marked(self):
        with mock.patch.object(overload, "_SPARE", 0.01):
            found = measure(overload, FAKE, 400, 1.0, path="/block/20", clients=1, warmup=0.2, capacity_seconds=0.5, timeout=1.0)
        self.assertIn("unoffered", found.marks)
        self.assertLess(found.figures["offered_per_s"], 0.9 * found.figures["asked_per_s"])

    def test_what_waits_at_once(self):
        found = measure(burst, FAKE, 50, environment={"FAKE_DELAY_MS": "1000"}, path="/delay/1s", delay=1.0).figures
        self.assertEqual((found["answers"], found["threads_per_waiter"]), (50, 0))
        self.assertGreaterEqual(found["last_answer_s"], 1)

    def test_answers_lost_at_an_end(self):
        """It ends at once, and loses what was to be answered later; with nothing to be answered it loses nothing."""
        found = measure(shutdown, FAKE, environment={"FAKE_DELAY_MS": "30000"}, requests=20, signal_after=0.4).figures
        self.assertEqual(found["answers_lost"], 20)
        self.assertNotIn("last_s", found)
        found = measure(shutdown, FAKE, requests=20, signal_after=0.4).figures
        self.assertEqual((found["answers_lost"], found["last_s"]), (0, 0))
        self.assertLess(found["exit_s"], 30)


class IsolationTest(unittest.TestCase):
    def test_a_crash_of_a_thread_and_of_a_process(self):
        for flags, lived_on, serves_on in (((), 0, 0), (("--fork",), 5, 1)):
            with self.subTest(flags):
                found = measure(isolation, (*THREADS, *flags), 6)
                self.assertEqual(found.figures, {"open_before": 6, "lived_on": lived_on, "lived_share": 20 * lived_on,
                                                 "serves_on": serves_on})
                self.assertEqual(found.details["hit"], {"process": "child" if flags else "server", "others": 5})

    def test_it_hits_the_thread_that_serves(self):
        with Subject("event", THREADS).start() as server, contextlib.ExitStack() as stack:
            server.wait_ready()
            connections = [isolation._open(stack, server, "/") for _ in range(8)]
            for connection in connections[::3]:
                connection.sendall(http.request_bytes("GET", "/", "x"))
                own = int(http.receive(connection).body)
                self.assertEqual(isolation.serving_task(server, connection, "/", 40), (server.pid, own))

    def test_what_runs_elsewhere_is_not_signalled(self):
        target = Subject("target", (), kind="target", url="http://127.0.0.1:1")
        for method in (isolation, shutdown):
            with (mock.patch("lab.servers.server.Remote.wait_ready", lambda server: server),
                  self.assertRaisesRegex(CellFailed, "not signalled")):
                method.measure(engine.Cell(None, target, 3, 1, 1.0, method.WORKLOAD), lab())
