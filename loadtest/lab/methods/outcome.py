# SPDX-License-Identifier: MIT
"""What a method gives back for one measurement."""

from dataclasses import dataclass, field

from ..results.figures import MARKS


@dataclass(frozen=True)
class Outcome:
    """What one measurement gave."""

    figures: dict
    marks: tuple = ()  # of MARKS
    errors: dict | None = None
    asked_rate: float | None = None
    achieved_rate: float | None = None
    details: dict = field(default_factory=dict)
    histograms: dict = field(default_factory=dict)  # of latencies, by the figures that they stand behind: see results/histogram.py
    samples: dict = field(default_factory=dict)  # by figure, how many requests or samples stand behind it
    series: dict = field(default_factory=dict)  # by name, [seconds, value] over the time of the measurement


def marks_of(cell):
    return tuple(mark for mark in MARKS if cell.get(mark))
