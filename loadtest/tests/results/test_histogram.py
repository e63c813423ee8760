# SPDX-License-Identifier: MIT
"""The histograms of results.json."""

import unittest

from lab.results import histogram


class HistogramTest(unittest.TestCase):
    def test_buckets_are_narrow_and_the_same_for_all(self):
        for value in (0.3, 1, 1.5, 63.9, 64, 64.1, 127.9, 129, 4096, 4096.001, 999_999.3, 4e12):
            [[end, count]] = histogram.compact([[value, 3]])
            self.assertEqual((count, histogram.compact([[end, 3]])), (3, [[end, 3]]))
            self.assertTrue(value <= end <= max(value + 1, value * (1 + 1 / histogram.STEPS)), (value, end))

    def test_nothing_is_lost(self):
        fine = [[value / 7, 1 + value % 3] for value in range(100_000)]
        coarse = histogram.compact(fine)
        self.assertEqual(sum(count for _, count in coarse), sum(count for _, count in fine))
        self.assertEqual(coarse, sorted(coarse))
        self.assertLess(len(coarse), 700)

    def test_nearest_rank(self):
        buckets = [(1, 50), (2, 49), (3, 1)]
        for per_cent, value in ((50, 1), (50.5, 2), (99, 2), (99.9, 3), (100, 3)):
            self.assertEqual(histogram.percentile(buckets, per_cent), value)

    def test_behind_a_figure(self):
        cases = {"p50_us": ("us", 50), "p999_us": ("us", 99.9), "p99_slow_us": ("slow_us", 99), "max_us": None, "rps": None,
                 "pss_bytes": None, "p50_ms": None}
        for name, found in cases.items():
            self.assertEqual(histogram.of_figure(name), found, name)
