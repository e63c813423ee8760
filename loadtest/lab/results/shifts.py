# SPDX-License-Identifier: MIT
"""How far figures moved between two results, and how surely: the statistics of --baseline.

All calculations use logarithms, so that a shift is a ratio. A cell is a figure of a subject at one point; its shift is that of
the medians. The spread of the rounds of a cell is its noise. A handful of rounds tells the noise only roughly. So the noise of a
figure is taken from all cells of its experiment together; only a cell that spreads much more has a noise of its own. A subject's
figure is judged once for all points: by the mean of its shifts, by its clearest cell, or by the ranks of its rounds, which no outlier
can mislead. The test with the smallest chance counts, at three times its chance. Then the figures of all subjects are judged together
(Holm). A shift must also be large enough to matter, and larger than that of the ceilings: the code of the ceilings did not change,
so their shift is that of the machine.
"""

from math import exp, inf, log, log1p, pi, sqrt
from dataclasses import dataclass
from statistics import mean, median

from . import significance

SMALLEST = 0.05  # the smallest ratio beyond 1 that is worth a word, where ceilings tell how much the machine moved
SMALLEST_UNCONTROLLED = 0.10  # and where none do
OUT_OF_LINE = 2.5  # times the variance of all cells: from there on a cell's noise is its own, and known from it alone
SMALLEST_EXACT = 0.01  # and of figures that do not spread at all


@dataclass(frozen=True)
class Cell:
    experiment: str
    figure: str
    subject: str
    kind: str
    x: object
    old: tuple  # the rounds' values
    new: tuple
    disturbed: bool = False  # other programs took CPU from one of the two


@dataclass
class Shift:
    """A subject's figure over the points of an experiment."""

    cells: list
    ratio: float  # mean over the points that moved
    chance: float  # of such a shift without a difference
    moved: list  # the cells that moved; all where only together they tell
    clear: bool = False

    @property
    def rounds(self):
        return min(min(len(cell.old), len(cell.new)) for cell in self.cells)


def _logs(cell, floor):
    return [[log(max(value, 0) + floor) for value in values] for values in (cell.old, cell.new)]


def _squares(values):
    middle = mean(values)
    return sum((value - middle) ** 2 for value in values)


def _floor(cells):
    """What is added before a logarithm where values may be 0: little beside the largest."""
    values = [value for cell in cells for value in (*cell.old, *cell.new)]
    return 0.0 if min(values) > 0 else 0.01 * max(max(values), 1e-9)


def _error_factor(count):
    """The variance of the median of so many values, in units of theirs."""
    return min(1.0, pi / 2 / count)


@dataclass(frozen=True)
class _Judged:
    """A cell's shift as a logarithm, its standard error, and from how many values beyond the means that is known."""

    cell: Cell
    shift: float
    error: float
    freedom: int

    @property
    def chance(self):
        return _chance(self.shift, self.error, self.freedom)


def _chance(shift, error, freedom):
    if error == 0:
        return significance.two_sided(inf if shift else 0.0, freedom)
    return significance.two_sided(shift / error, freedom)


def _judge(cells):
    """The shifts of all cells of one figure of one experiment."""
    floor = _floor(cells)
    logs = [_logs(cell, floor) for cell in cells]
    freedoms = [len(old) + len(new) - 2 for old, new in logs]
    squares = [_squares(old) + _squares(new) for old, new in logs]
    all_free = sum(freedoms)
    pooled = sum(squares) / all_free if all_free else 0.0
    judged = []
    for cell, (old, new), own_squares, own_free in zip(cells, logs, squares, freedoms):
        own = own_squares / own_free if own_free else 0.0
        freedom = own_free if own > OUT_OF_LINE * pooled else all_free
        error = sqrt(max(own, pooled) * (_error_factor(len(old)) + _error_factor(len(new))))
        judged.append(_Judged(cell, median(new) - median(old), error, freedom))
    return judged


def _mean_chance(judged):
    """Of the mean of the cells' shifts. Its degrees of freedom are Welch's and Satterthwaite's."""
    squares = [one.error ** 2 for one in judged]
    weights = sum(square ** 2 / one.freedom for square, one in zip(squares, judged) if one.freedom)
    freedom = sum(squares) ** 2 / weights if weights else min(one.freedom for one in judged)
    return _chance(sum(one.shift for one in judged), sqrt(sum(squares)), freedom)


def _together(judged):
    """One subject's cells as one Shift, not yet held against the others'."""
    best = min(judged, key=lambda one: one.chance)
    chances = [_mean_chance(judged)]
    if len(judged) > 1:
        chances += [best.chance * len(judged), significance.ranks([(one.cell.old, one.cell.new) for one in judged])]
    sign = best.shift if chances[0] > min(chances[1:], default=1) else sum(one.shift for one in judged)
    moved = [one for one in judged if one.chance < 0.05 and one.shift * sign > 0] or judged
    return Shift([one.cell for one in judged], exp(mean(one.shift for one in moved)),
                 min(1.0, len(chances) * min(chances)), [one.cell for one in moved])


def _smallest(judged, drift):
    if all(one.error == 0 for one in judged):
        return log1p(SMALLEST_EXACT)
    if drift is None:
        return log1p(SMALLEST_UNCONTROLLED)
    times = 2 if any(one.cell.disturbed for one in judged) else 1  # a disturbance need not strike all alike
    return log1p(SMALLEST) + times * abs(drift)


def _grouped(items, key):
    groups = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups


def drifts(cells):
    """By experiment and figure, and by figure alone, how far the ceiling that moved most did, as a logarithm."""
    found = {}
    for keys in (lambda cell: (cell.experiment, cell.figure), lambda cell: cell.figure):
        for key, group in _grouped([cell for cell in cells if cell.kind == "ceiling"], keys).items():
            floor = _floor(group)
            subjects = _grouped(group, lambda cell: (cell.experiment, cell.subject)).values()
            found[key] = max((mean(median(new) - median(old) for old, new in (_logs(cell, floor) for cell in own))
                              for own in subjects), key=abs)
    return found


def find(cells):
    """A Shift for each experiment, figure and subject but the ceilings; those that are clear say so."""
    controls = drifts(cells)
    shifts, smallest = [], []
    for (experiment, figure), group in _grouped(cells, lambda cell: (cell.experiment, cell.figure)).items():
        drift = controls.get((experiment, figure), controls.get(figure))
        for judged in _grouped(_judge(group), lambda one: one.cell.subject).values():
            if judged[0].cell.kind != "ceiling":
                shifts.append(_together(judged))
                smallest.append(_smallest(judged, drift))
    for shift, stands, least in zip(shifts, significance.holm([shift.chance for shift in shifts]), smallest):
        shift.clear = stands and abs(log(shift.ratio)) >= least
    return shifts
