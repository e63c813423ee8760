# SPDX-License-Identifier: MIT
"""Medians, their spread, and what may be said of two samples."""

from dataclasses import dataclass
from math import comb
from statistics import median

ROUNDS_FOR_A_VERDICT = 3
COVERAGE = 0.9  # of the interval of a median
SMALLEST_DIFFERENCE = 0.05  # of medians; below it a difference is not worth a word, however little the rounds spread


@dataclass(frozen=True)
class Sample:
    """The values of one figure over the rounds."""

    values: tuple

    @property
    def median(self):
        return median(self.values)

    @property
    def low(self):
        return min(self.values)

    @property
    def high(self):
        return max(self.values)

    @property
    def spread(self):
        """Half the range, as a part of the median."""
        middle = self.median
        return (self.high - self.low) / 2 / middle if middle else 0.0

    @property
    def mad(self):
        """Median of the absolute deviations from the median."""
        middle = self.median
        return median(abs(value - middle) for value in self.values)

    @property
    def interval(self):
        """(low, high) around the true median, whatever the distribution: see interval()."""
        return interval(self.values)

    def summary(self):
        """What results.json says of a figure."""
        low, high = self.interval
        return {"median": self.median, "mad": self.mad, "low": low, "high": high, "values": list(self.values)}

    def as_dict(self):
        return {"median": self.median, "min": self.low, "max": self.high, "values": list(self.values)}


def coverage(count):
    """The chance that interval() of so many values holds the true median: 0.5 of 2, 0.75 of 3, 0.94 of 5."""
    dropped = _dropped(count)
    return 1 - 2 * sum(comb(count, below) for below in range(dropped + 1)) / 2 ** count if count else 0.0


def _dropped(count):
    """How many values are left out at either end of an interval of so many."""
    outside, best = 0.0, 0
    for dropped in range(1, (count + 1) // 2):
        outside += 2 * comb(count, dropped - 1) / 2 ** count
        if 1 - outside - 2 * comb(count, dropped) / 2 ** count < COVERAGE:
            break
        best = dropped
    return best


def interval(values):
    """The narrowest pair of order statistics that holds the true median with COVERAGE; the whole range if none does.

    The k-th value from below lies above the median exactly if fewer than k of n values lie below it, which has the chance
    of a binomial distribution. So of 3 values the range covers the median with 75 %, of 5 with 94 %, and from 8 values on the
    outermost need not be in it.
    """
    ordered = sorted(values)
    dropped = _dropped(len(ordered))
    return ordered[dropped], ordered[-1 - dropped]


def differ(one, other):
    """Whether two samples are clearly apart: enough rounds, ranges that do not touch, medians some per cent apart."""
    if min(len(one.values), len(other.values)) < ROUNDS_FOR_A_VERDICT:
        return False
    if one.low <= other.high and other.low <= one.high:
        return False
    smaller, larger = sorted((one.median, other.median))
    return larger - smaller >= SMALLEST_DIFFERENCE * smaller
