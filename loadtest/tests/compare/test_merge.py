# SPDX-License-Identifier: MIT
"""--merge: what several machines measured, as one report."""

import math
import random
import unittest

import report_fixture
from lab import report
from lab.compare import merge
from lab.results import histogram
from lab.text.errors import UsageError
from report_fixture import CONNECTIONS, experiment, figure, measurement

RPS = figure("rps", "requests/s", "/s", "higher")
P99 = figure("p99_us", "p99", "µs")
SLOWEST = figure("max_us", "slowest", "µs")
CPU = figure("cpu_us_per_request", "CPU", "µs")


def results(*measurements, complete=True, name="scaling", cpu="A CPU"):
    made = report_fixture.results(1)
    made["experiments"] = [experiment(name, [RPS, P99, SLOWEST, CPU], list(measurements), CONNECTIONS)]
    made["complete"] = complete
    made["machine"]["cpu"] = cpu
    return made


def target(rps, p99, number=1, x=64, buckets=None, **more):
    return measurement("target", x, number, {"rps": rps, "p99_us": p99, "max_us": p99 * 2} if rps else {}, "target",
                       **{"asked_rate": 1000, "achieved_rate": rps, "errors": {"read": 1, "timeout": 0},
                          "histograms": {"us": buckets} if buckets else {}, **more})


def row(merged, subject="target", x=64):
    return next(row for row in merged["experiments"][0]["summary"] if (row["subject"], row["x"]) == (subject, x))


class TargetTest(unittest.TestCase):
    def test_what_was_measured_in_two_ways_is_not_merged(self):
        shared = results(target(900, 50))
        shared["experiments"][0]["one_cpu"] = True
        with self.assertRaisesRegex(UsageError, "shared a CPU in some of the runs only"):
            merge.merge([results(target(900, 50)), shared])

    def test_rates_and_errors_add_up_and_percentiles_are_the_worst(self):
        merged = merge.merge([results(target(900, 50)), results(target(600, 80), cpu="Another"), results(target(500, 60))])
        entry = merged["experiments"][0]["measurements"][0]
        self.assertEqual((entry["figures"], entry["asked_rate"], entry["achieved_rate"], entry["errors"]),
                         ({"rps": 2000, "p99_us": 80, "max_us": 160}, 3000, 2000, {"read": 3, "timeout": 0}))
        self.assertEqual(entry["marks"], ["merged", "worst_of_machines"])
        self.assertEqual(row(merged)["figures"]["rps"]["median"], 2000)
        self.assertEqual([machine["cpu"] for machine in merged["machines"]], ["A CPU", "Another", "A CPU"])
        text = report.terminal(merged, False)
        self.assertIn("machine 2: Another", text)

    def test_percentiles_of_all_requests_where_there_are_histograms(self):
        """A machine with few slow requests does not make the percentile of all slow."""
        fast, slow = [[10.0, 900], [20.0, 99]], [[10.0, 90], [500.0, 10]]
        merged = merge.merge([results(target(900, 20, buckets=fast)), results(target(100, 500, buckets=slow))])
        entry = merged["experiments"][0]["measurements"][0]
        self.assertEqual(entry["figures"]["p99_us"], 20)  # 1088 of 1099 are at most that
        self.assertEqual(entry["figures"]["max_us"], 1000)
        self.assertEqual(entry["marks"], ["merged"])
        self.assertEqual(sum(count for _, count in entry["histograms"]["us"]), 1099)
        self.assertEqual(row(merged)["marks"], ["merged"])

    def test_percentiles_of_the_union(self):
        """Two machines' latencies, drawn, and the percentiles of all of them together, as exactly as a bucket is wide."""
        draw = random.Random(7)
        machines = [[draw.lognormvariate(6, 1) for _ in range(4000)], [draw.lognormvariate(8, 0.5) for _ in range(600)]]
        union = sorted(value for own in machines for value in own)
        for name, per_cent in (("p50_us", 50), ("p99_us", 99), ("p999_us", 99.9)):
            parts = [results(measurement("target", 64, 1, {name: 1.0}, "target", errors={},
                                         histograms={"us": histogram.compact((value, 1) for value in own)})) for own in machines]
            found = merge.merge(parts)["experiments"][0]["measurements"][0]["figures"][name]
            exact = union[math.ceil(len(union) * per_cent / 100) - 1]
            self.assertTrue(exact <= found <= exact * (1 + 1 / histogram.STEPS), (name, exact, found))

    def test_a_phase_has_its_own_histogram(self):
        own = {"alone_us": [[100, 99], [200, 1]], "slow_us": [[1000, 50], [9088, 50]]}
        entry = measurement("target", 64, 1, {"p99_alone_us": 1, "p50_slow_us": 1, "p99_computing_us": 7}, "target", errors={},
                            histograms=own)
        merged = merge.merge([results(entry), results(entry)])["experiments"][0]["measurements"][0]
        self.assertEqual(merged["figures"], {"p99_alone_us": 100, "p50_slow_us": 1000, "p99_computing_us": 7})
        self.assertIn("worst_of_machines", merged["marks"])

    def test_a_failure_on_one_machine_fails_the_measurement(self):
        failed = target(0, 0, failure={"kind": "errors", "reason": "5 read errors"})
        merged = merge.merge([results(target(900, 50)), results(failed)])
        self.assertEqual(row(merged)["failure"], {"kind": "errors", "reason": "on machine 2: 5 read errors"})
        self.assertEqual(row(merged)["figures"], {})

    def test_a_round_that_some_did_not_make_is_left_out_and_said(self):
        merged = merge.merge([results(target(900, 50), target(800, 50, 2)), results(target(600, 80))])
        self.assertEqual(len(merged["experiments"][0]["measurements"]), 1)
        self.assertIn("1 measurements were not made by every machine", merged["experiments"][0]["ended"])
        self.assertIn("were not made by every machine", report.terminal(merged, False))


class OwnServersTest(unittest.TestCase):
    def test_rounds_of_one_machine_follow_those_of_the_other(self):
        def own(value, number):
            return measurement("event", 64, number, {"rps": value, "cpu_us_per_request": value / 100})
        merged = merge.merge([results(own(100, 1), own(110, 2)), results(own(300, 1), own(120, 2))])
        entries = merged["experiments"][0]["measurements"]
        self.assertEqual([(entry["round"], entry["figures"]["rps"]) for entry in entries], [(1, 100), (2, 110), (3, 300), (4, 120)])
        self.assertEqual(row(merged, "event")["figures"]["rps"]["median"], 115)


class WholeTest(unittest.TestCase):
    def test_experiments_of_one_machine_alone_are_kept(self):
        one, other = results(target(900, 50)), results(target(1, 1), name="other")
        merged = merge.merge([one, other])
        self.assertEqual(merged["experiments"], one["experiments"] + other["experiments"])

    def test_incomplete_if_one_is(self):
        merged = merge.merge([results(target(900, 50)), {**results(target(1, 1), complete=False), "ended": "stopped by SIGINT"}])
        self.assertEqual((merged["complete"], merged["ended"]), (False, "machine 2: stopped by SIGINT"))
        self.assertIn("INCOMPLETE", report.terminal(merged, False))

    def test_verdicts_are_made_anew(self):
        merged = merge.merge([results(target(900, 50)), results(target(1, 1))])
        said = [verdict["outcome"] for claim in merged["experiments"][0]["claims"] for verdict in claim["verdicts"]]
        self.assertEqual(set(said), {"not asked"})
        strange = merge.merge([results(target(900, 50), name="strange")] * 2)
        self.assertEqual(strange["experiments"][0]["claims"], [])

    def test_less_than_two(self):
        with self.assertRaises(UsageError):
            merge.merge([results(target(900, 50))])
