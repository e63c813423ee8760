# SPDX-License-Identifier: MIT
"""The bench's parsing and its table."""

import unittest

import context  # noqa: F401
from lab import bench, callgrind
from lab.errors import LabError
from lab.measure import Subject
from lab.modes import MODES
from lab.stats import Sample

GOOD = ("requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout\n"
        "status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx\n")


class CallgrindTest(unittest.TestCase):
    def test_total(self):
        self.assertEqual(callgrind.parse_total("events: Ir\nfn=(1)\n1 2\nsummary: 12345\n\ntotals: 999\n"), 12345)
        with self.assertRaises(LabError):
            callgrind.parse_total("events: Ir\n")

    def test_load(self):
        callgrind.check_load(GOOD, 2000)
        for name, output in (("too few", GOOD.replace("2000 succ", "1999 succ")), ("a 503", GOOD.replace("2000 2xx", "1999 2xx")),
                             ("nothing", "")):
            with self.subTest(name), self.assertRaises(LabError):
                callgrind.check_load(output, 2000)


class TableTest(unittest.TestCase):
    def entries(self, idle):
        event = next(mode for mode in MODES if mode.name == "event")
        return [bench.Entry(Subject("event", ()), event, "epoll", 1912.4, idle, Sample((6.0, 7.0, 8.0)), Sample((0.5,))),
                bench.Entry(Subject("ceiling: epoll", ()), None, "epoll", 261.0, 0.0, Sample((5.0, 5.0, 5.0)), Sample((0.2,)))]

    def test_rows(self):
        self.assertEqual(bench.rows(self.entries(300)), [
            ["event", "1,912 <= 2,800", "300 <= 512", "7.00 µs ±14%", "6.00 µs", "0.50 µs", "1.40", "1.20"],
            ["ceiling: epoll", "261", "0", "5.00 µs ±0%", "5.00 µs", "0.20 µs", "1.00", "1.00"]])
        self.assertEqual(bench.missed(self.entries(300)), [])

    def test_a_missed_target(self):
        self.assertEqual(bench.rows(self.entries(600))[0][2], "600 > ! 512")
        self.assertEqual(bench.missed(self.entries(600)), ["event: 600 bytes per idle connection, the target is 512"])


if __name__ == "__main__":
    unittest.main()
