# SPDX-License-Identifier: MIT
"""From two marks to what a request costs."""

import unittest

import context  # noqa: F401
from lab import measure
from lab.errors import CellFailed
from lab.procfs import Usage

FIGURES = {"requests": 1000, "duration_us": 2_000_000}


def mark(when, written, cpu, switches, tasks=(1, 2), client=0.0, busy=0.0):
    usage = Usage(when, cpu, cpu / 4, cpu * 3 / 4, switches, switches * 2, frozenset(tasks))
    return measure.Mark(written, client, usage, when, busy)


class WindowTest(unittest.TestCase):
    def test_share_of_the_bytes(self):
        requests, how = measure.window_requests(FIGURES, 50_000, mark(0, 5_000, 0, 0), mark(1, 30_000, 0, 0))
        self.assertEqual((requests, how), (500, "bytes written by the client"))

    def test_share_of_the_time_where_bytes_are_not_counted(self):
        requests, how = measure.window_requests(FIGURES, None, mark(3, None, 0, 0), mark(4, None, 0, 0))
        self.assertEqual((requests, how), (500, "share of the time"))


class OthersTest(unittest.TestCase):
    def test_what_neither_server_nor_client_used(self):
        first, second = mark(10, 0, 1.0, 0, client=2.0, busy=50.0), mark(12, 0, 2.0, 0, client=2.5, busy=53.5)
        self.assertAlmostEqual(measure.others_share(first, second, 2), 0.5)
        self.assertEqual(measure.others_share(first, mark(12, 0, 9.0, 0, busy=50.0), 2), 0)


class CostsTest(unittest.TestCase):
    def test_per_request(self):
        first, second = mark(10, 5_000, 1.0, 100), mark(11, 30_000, 1.5, 600, tasks=(2, 3, 4), client=0.95)
        costs = measure.costs(FIGURES, 50_000, first, second, threads=1)
        self.assertAlmostEqual(costs["requests_per_s"], 500)
        self.assertAlmostEqual(costs["cpu_us_per_request"], 1000)
        self.assertAlmostEqual(costs["cpu_user_share"], 0.25)
        self.assertAlmostEqual(costs["voluntary_per_request"], 1)
        self.assertAlmostEqual(costs["involuntary_per_request"], 2)
        self.assertAlmostEqual(costs["server_cpus_busy"], 0.5)
        self.assertEqual((costs["threads"], costs["tasks_ended_in_window"], costs["client_limited"]), (3, 1, True))

    def test_a_client_of_two_threads_is_not_at_its_limit_with_one(self):
        costs = measure.costs(FIGURES, 50_000, mark(0, 0, 0, 0), mark(1, 30_000, 1, 1, client=1.0), threads=2)
        self.assertFalse(costs["client_limited"])

    def test_nothing_answered(self):
        with self.assertRaises(CellFailed):
            measure.costs(FIGURES, 50_000, mark(0, 100, 0, 0), mark(1, 100, 1, 1), threads=1)


if __name__ == "__main__":
    unittest.main()
