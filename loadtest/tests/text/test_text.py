# SPDX-License-Identifier: MIT
"""Figures as text, and tables."""

import unittest

from lab.results.stats import Sample
from lab.text import tables, units


class FigureTest(unittest.TestCase):
    def test_significant(self):
        for value, text in ((0, "0"), (0.012345, "0.0123"), (0.5, "0.500"), (1.234, "1.23"), (12.34, "12.3"),
                            (123.4, "123"), (12345.6, "12,346")):
            self.assertEqual(units.significant(value), text)

    def test_microseconds(self):
        for value, text in ((7, "7 µs"), (999, "999 µs"), (1234, "1.23 ms"), (45678, "45.7 ms"), (2.5e6, "2.50 s")):
            self.assertEqual(units.microseconds(value), text)

    def test_size(self):
        for value, text in ((None, "?"), (100, "100 B"), (2048, "2.00 KiB"), (5 << 20, "5.00 MiB"), (3 << 30, "3.00 GiB")):
            self.assertEqual(units.size(value), text)

    def test_spread_only_over_several_rounds(self):
        self.assertEqual(units.with_spread("x", Sample((90, 100, 110))), "x ±10%")
        self.assertEqual(units.with_spread("x", Sample((90,))), "x")


class TableTest(unittest.TestCase):
    HEADINGS = ["mode", "figure"]
    ROWS = [["event", "1"], ["thread", "1,000"]]

    def test_plain(self):
        self.assertEqual(tables.plain(self.HEADINGS, self.ROWS).splitlines(),
                         ["mode     figure", "---------------", "event         1", "thread    1,000"])

    def test_markdown(self):
        self.assertEqual(tables.markdown(self.HEADINGS, [["a|b", "1"]]).splitlines(),
                         ["| mode | figure |", "| :-- | --: |", "| a\\|b | 1 |"])
