# SPDX-License-Identifier: MIT
"""Medians, spread, and what counts as a difference."""


import pytest
from lab.results.stats import Sample, differ


def test_median_and_spread():
    sample = Sample((10, 12, 9))
    assert (sample.median, sample.low, sample.high) == (10, 9, 12)
    assert sample.spread == pytest.approx(0.15, abs=1e-7)
    assert sample.as_dict() == {"median": 10, "min": 9, "max": 12, "values": [10, 12, 9]}


def test_spread_of_nothing_but_zeros():
    assert Sample((0, 0)).spread == 0


CASES = (
    ("apart", (100, 101, 102), (110, 111, 112), True),
    ("ranges overlap", (100, 101, 111), (110, 112, 113), False),
    ("ranges touch", (100, 101, 110), (110, 120, 130), False),
    ("apart, but by less than is worth a word", (100, 100, 100), (104, 104, 104), False),
    ("too few rounds", (100, 100), (200, 200), False),
    ("equal", (100, 100, 100), (100, 100, 100), False),
    ("from nothing to something", (0, 0, 0), (1, 1, 1), True),
)


@pytest.mark.parametrize("one, other, expected", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_cases(one, other, expected):
    assert differ(Sample(one), Sample(other)) == expected
    assert differ(Sample(other), Sample(one)) == expected
