# SPDX-License-Identifier: MIT
"""What a request costs: computed from made-up readings, and measured of servers whose rate, CPU and switches are known."""

import os
import shutil
import signal
import sys
import threading
import time
import unittest
from unittest import mock

import pytest
from lab.load import measure
from lab.load.workloads import WORKLOADS
from lab.machine import cpus, procfs
from lab.machine.procfs import Spent, Usage
from lab.results import histogram
from lab.servers.subjects import Subject
from lab.text.errors import CellFailed
from paths import TESTS

FAKE = TESTS / "fake_server.py"


def mark(when, cpu=0.0, client=0.0, busy=0.0, runner=0.0, lost=0.0):
    return measure.Mark(when, client, Spent(when, cpu, cpu / 4, cpu * 3 / 4, 3), busy, lost, runner)


def usage(cpu, switches, tasks=(1, 2)):
    return Usage(0, cpu, cpu / 4, cpu * 3 / 4, len(tasks), switches, switches * 2, frozenset(tasks))


def timed(first, second, before, after, written=None, requests=1000, elapsed=2.0, depth=1, buckets=None):
    figures = {"requests": requests, "elapsed_us": elapsed * 1e6, "depth": depth, "burst_bytes": 50 * depth,
               "latency_us": {"buckets": buckets} if buckets else {}}
    return measure.Timed(figures, written, first, second, before, after, None)


class RequestsTest(unittest.TestCase):
    REST = (mark(0), mark(2), usage(0, 0), usage(1, 1))

    def test_what_was_sent_is_known_by_its_bytes(self):
        for depth in (1, 16):
            self.assertEqual(measure.requests_sent(timed(*self.REST, written=50_500, depth=depth)), (1010, "bytes written by the client"))

    def test_answers_where_bytes_are_not_counted(self):
        self.assertEqual(measure.requests_sent(timed(*self.REST)), (1000, "answers counted by the client"))


class InterferenceTest(unittest.TestCase):
    def test_what_neither_server_nor_client_used(self):
        first, second = mark(10, cpu=1.0, client=2.0, busy=50.0), mark(12, cpu=2.0, client=2.5, busy=53.5)
        found = measure.interference(first, second, 2)
        self.assertAlmostEqual(found["others_cpu_share"], 0.5)
        self.assertEqual((found["disturbed"], found["runner"]), (True, False))
        self.assertEqual(measure.others_share(first, mark(12, cpu=9.0, busy=50.0), 2), 0)

    def test_the_lab_s_own_cpu_is_the_lab_s(self):
        """It was called that of other programs."""
        found = measure.interference(mark(10, cpu=1.0, busy=50.0), mark(12, cpu=2.0, busy=53.0, runner=1.9), 2)
        self.assertEqual((found["disturbed"], found["runner"]), (False, True))
        self.assertAlmostEqual(found["runner_cpu_share"], 1.9 / 4)


class CostsTest(unittest.TestCase):
    def test_per_request(self):
        given = timed(mark(10, cpu=1.0), mark(11, cpu=1.5, client=0.95), usage(1.0, 100), usage(1.5, 600, tasks=(2, 3, 4)), written=25_000)
        costs = measure.costs(given, threads=1, connections=64)
        self.assertAlmostEqual(costs["requests_per_s"], 500)
        self.assertAlmostEqual(costs["cpu_us_per_request"], 1000)
        self.assertAlmostEqual(costs["cpu_user_share"], 0.25)
        self.assertAlmostEqual(costs["voluntary_per_request"], 1)
        self.assertAlmostEqual(costs["involuntary_per_request"], 2)
        self.assertAlmostEqual(costs["server_cpus_busy"], 0.5)
        self.assertEqual((costs["threads"], costs["tasks_ended_meanwhile"], costs["client_limited"]), (3, 1, True))

    def test_a_client_of_two_threads_is_not_at_its_limit_with_one(self):
        given = timed(mark(0), mark(1, client=1.0), usage(0, 0), usage(1, 1), written=25_000)
        self.assertFalse(measure.costs(given, threads=2, connections=64)["client_limited"])

    def test_nothing_answered(self):
        with self.assertRaises(CellFailed):
            measure.costs(timed(mark(0), mark(1), usage(0, 0), usage(1, 1), requests=0), threads=1, connections=64)


class LongEnoughTest(unittest.TestCase):
    """A verdict on a rate or a cost needs 1,000 requests a window: of a process for each request a machine may serve 500/s."""

    def seconds(self, rate, connections=0):
        return measure.long_enough(measure.Timing(0.5, 2.0), rate, connections).seconds

    def test_a_slow_server_is_measured_longer(self):
        self.assertAlmostEqual(self.seconds(500), 2.4)
        self.assertAlmostEqual(self.seconds(500, connections=300), 3.0)  # each has one in flight at the end

    def test_a_fast_one_as_long_as_asked(self):
        self.assertEqual(self.seconds(100_000), 2.0)

    def test_the_connections_of_before_the_run_promise_no_rate(self):
        figures = {"requests": 140, "elapsed_us": 200_000}
        self.assertAlmostEqual(measure.steady_rate(figures, closes=False, connections=32), 700)
        self.assertAlmostEqual(measure.steady_rate(figures, closes=True, connections=32), 540)
        self.assertAlmostEqual(measure.steady_rate(figures, closes=True, connections=256), 350)

    def test_a_very_slow_one_not_for_ever(self):
        self.assertEqual(self.seconds(10), 8.0)
        self.assertEqual(self.seconds(0), 8.0)


class LittleTest(unittest.TestCase):
    """Rate times latency is what was in flight."""

    def marked(self, rate, latency_us, client=0.1, connections=64, closes=False, depth=1, shared=False):
        given = timed(mark(0), mark(2, client=2 * client), usage(0, 0), usage(1, 1), requests=2 * rate, depth=depth,
                      buckets=[[latency_us, 2 * rate / depth]])
        return measure.costs(given, 1, connections, closes, shared)["implausible"]

    def test_a_rate_that_does_not_fit(self):
        for rate, marked in ((64_000, False), (70_000, False), (25_000, True), (150_000, True)):
            self.assertEqual(self.marked(rate, 1000), marked)

    def test_a_client_at_its_limit_holds_requests_up_itself(self):
        self.assertFalse(self.marked(40_000, 1000, client=1.0))
        self.assertTrue(self.marked(40_000, 1000, client=0.2))
        self.assertTrue(self.marked(20_000, 1000, client=1.0))

    def test_on_the_servers_cpu_half_of_its_cycle_is_the_clients_whatever_it_uses(self):
        self.assertFalse(self.marked(34_000, 1000, client=0.5, shared=True))
        self.assertTrue(self.marked(34_000, 1000, client=0.5))
        self.assertTrue(self.marked(20_000, 1000, client=0.5, shared=True))

    def test_a_client_on_the_servers_cpu_is_part_of_rate_and_latency_unless_it_uses_little(self):
        for client, shared, marks in ((0.5, True, (True, False)), (0.05, True, (False, False)), (0.95, True, (True, False)),
                                      (0.95, False, (False, True))):
            given = timed(mark(0), mark(2, client=2 * client), usage(0, 0), usage(1, 1), requests=1000)
            found = measure.costs(given, 1, 64, shared=shared)
            self.assertEqual((found["shared"], found["client_limited"]), marks)

    def test_what_a_request_costs_the_client(self):
        given = timed(mark(0), mark(2, client=1.0), usage(0, 0), usage(1, 1), requests=1000)
        found = measure.costs(given, 1, 64)
        self.assertAlmostEqual(found["client_us_per_request"], 0.5e6 * given.figures["elapsed_us"] / 1e6 / 1000)

    def test_of_bursts(self):
        self.assertFalse(self.marked(64_000 * 16, 1000, depth=16))

    def test_not_where_connecting_is_part_of_it(self):
        self.assertFalse(self.marked(20_000, 1000, closes=True))

    def test_those_in_flight_at_the_end_count(self):
        # Each of 64 connections is answered after exactly 0.8 s: twice in 2 s, and has waited 0.4 s at the end.
        given = timed(mark(0), mark(2), usage(0, 0), usage(1, 1), requests=128, buckets=[[800_000, 128]])
        self.assertAlmostEqual(measure.in_flight(given.figures, 64), 64, delta=1)


class HistogramTest(unittest.TestCase):
    def test_mean(self):
        for values in ((5, 5, 5), (63, 64, 65), (1000, 2000, 9000)):
            buckets = histogram.compact([value, 1] for value in values)
            self.assertAlmostEqual(histogram.mean(buckets), sum(values) / 3, delta=sum(values) / 3 * 0.01)


@pytest.mark.alone
@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class KnownServerTest(unittest.TestCase):
    """Each request takes so long, computes so long, switches so often: that must come out, however much else runs here."""

    def measure(self, connections, seconds=1.0, **environment):
        env = {f"FAKE_{name}": str(value) for name, value in environment.items()}
        with mock.patch.dict(os.environ, env):
            subject = Subject("event", (sys.executable, str(FAKE), "--mode", "event"))
            return measure.measure(subject, WORKLOADS[0], connections, measure.Timing(0.2, seconds), cpus.split(os.sched_getaffinity(0)))

    def test_the_rate_although_reading_the_server_stops_it(self):
        """Two files are read for each thread; that took 37 to 90 ms of a window of 77 to 200 ms, and delayed the server."""
        reading = procfs.usage

        def stopping(pid):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.3)
            os.kill(pid, signal.SIGCONT)
            return reading(pid)
        with mock.patch.object(procfs, "usage", stopping):
            found = self.measure(32, DELAY_MS=100)
        # 32 connections, each answered after 100 ms and as much as a busy machine adds; a window with the stop in it has 30 % less.
        self.assertGreater(found["requests_per_s"], 0.85 * 320 * 100e3 / found["latency_us"]["p50"])
        self.assertLess(found["requests_per_s"], 1.05 * 320)
        self.assertLess(found["latency_us"]["max"], 100e3 + 290e3)
        self.assertFalse(found["implausible"])

    def test_cpu_of_a_request(self):
        found = self.measure(4, CPU_US=3000)
        self.assertGreater(found["cpu_us_per_request"], 3000)
        self.assertLess(found["cpu_us_per_request"], 3000 * 1.15)

    def test_switches_of_a_request(self):
        found = self.measure(1, SWITCHES=20)
        self.assertGreater(found["voluntary_per_request"], 19.9)
        self.assertLess(found["voluntary_per_request"], 22.5)  # and one or two for waiting

    def test_a_runner_that_wastes_cpu_is_told_from_other_programs(self):
        ended = threading.Event()

        def waste():
            while not ended.is_set():
                pass
        runner = threading.Thread(target=waste)
        runner.start()
        try:
            found = self.measure(2, DELAY_MS=20)
        finally:
            ended.set()
            runner.join()
        self.assertGreater(found["runner_cpu_share"], 0.02)  # of a machine that may have more to do
        window = found["runner_cpu_share"] + found["others_cpu_share"] + found["lost_cpu_share"]
        self.assertLessEqual(window, 1.05)
        self.assertEqual(found["runner"], found["runner_cpu_share"] >= measure.DISTURBED)
