# SPDX-License-Identifier: MIT
"""Medians, their spread, and what may be said of two samples."""

from dataclasses import dataclass
from statistics import median

ROUNDS_FOR_A_VERDICT = 3
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

    def as_dict(self):
        return {"median": self.median, "min": self.low, "max": self.high, "values": list(self.values)}


def differ(one, other):
    """Whether two samples are clearly apart: enough rounds, ranges that do not touch, medians some per cent apart."""
    if min(len(one.values), len(other.values)) < ROUNDS_FOR_A_VERDICT:
        return False
    if one.low <= other.high and other.low <= one.high:
        return False
    smaller, larger = sorted((one.median, other.median))
    return larger - smaller >= SMALLEST_DIFFERENCE * smaller


def leaders(samples, lowest):
    """The names of the best sample and of all that are not clearly apart from it, in the order given. `samples`: by name."""
    best = (min if lowest else max)(samples, key=lambda name: samples[name].median)
    return [name for name in samples if name == best or not differ(samples[best], samples[name])]
