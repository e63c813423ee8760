# SPDX-License-Identifier: MIT
"""Medians, spread, and what counts as a difference."""

import unittest

import context  # noqa: F401
from lab.results.stats import Sample, differ


class SampleTest(unittest.TestCase):
    def test_median_and_spread(self):
        sample = Sample((10, 12, 9))
        self.assertEqual((sample.median, sample.low, sample.high), (10, 9, 12))
        self.assertAlmostEqual(sample.spread, 0.15)
        self.assertEqual(sample.as_dict(), {"median": 10, "min": 9, "max": 12, "values": [10, 12, 9]})

    def test_spread_of_nothing_but_zeros(self):
        self.assertEqual(Sample((0, 0)).spread, 0)


class DifferTest(unittest.TestCase):
    CASES = (
        ("apart", (100, 101, 102), (110, 111, 112), True),
        ("ranges overlap", (100, 101, 111), (110, 112, 113), False),
        ("ranges touch", (100, 101, 110), (110, 120, 130), False),
        ("apart, but by less than is worth a word", (100, 100, 100), (104, 104, 104), False),
        ("too few rounds", (100, 100), (200, 200), False),
        ("equal", (100, 100, 100), (100, 100, 100), False),
        ("from nothing to something", (0, 0, 0), (1, 1, 1), True),
    )

    def test_cases(self):
        for name, one, other, expected in self.CASES:
            with self.subTest(name):
                self.assertEqual(differ(Sample(one), Sample(other)), expected)
                self.assertEqual(differ(Sample(other), Sample(one)), expected)


if __name__ == "__main__":
    unittest.main()
