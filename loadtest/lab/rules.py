# SPDX-License-Identifier: MIT
"""A verdict's conditions on figures that are known as intervals: true or false only where the intervals leave no doubt.

The language is that of lab/conditions.py. `@ X` says at which point (connections, say); without it all figures of a condition
are read at the highest point at which they were measured.
"""

import itertools
import re
from dataclasses import dataclass

from . import conditions, figures

LIMITS = "limits"  # in a sentence, what stops each subject


class Missing(Exception):
    """A figure that the results do not have. Its text says which."""


@dataclass(frozen=True)
class Judgement:
    outcome: bool | None  # None: the intervals overlap
    text: str  # the figures it rests on


def _order(x):
    return (x is not None, x)


def _rows(figure, experiment):
    return [row for row in experiment["summary"] if row["subject"] == figure.subject]


def _missing(figure, experiment, x=None):
    """Why a figure is not there, at this point or at any."""
    for row in _rows(figure, experiment):
        if row["failure"]:
            return Missing(f"{figure.subject}: {row['failure']['reason']}")
    return Missing(f"{figure} was not measured" + ("" if x is None else f" at {x:,g}"))


def _point(condition, experiment):
    """The x at which its figures are read."""
    if isinstance(condition.point, float):
        return condition.point
    shared = None
    for figure in condition.figures:
        points = {row["x"] for row in _rows(figure, experiment) if figure.name in row["figures"]}
        if not points:
            raise _missing(figure, experiment)
        shared = points if shared is None else shared & points
    if not shared:
        raise Missing(f"{' and '.join(map(str, condition.figures))} were not measured at the same point")
    ordered = sorted(shared, key=_order)
    return ordered[0] if condition.point == "min" else ordered[-1]


def _sample(figure, experiment, x):
    for row in _rows(figure, experiment):
        if row["x"] == x and figure.name in row["figures"]:
            return row["figures"][figure.name]
    raise _missing(figure, experiment, x)


def _samples(condition, experiment):
    x = _point(condition, experiment)
    return {figure: _sample(figure, experiment, x) for figure in condition.figures}


def _show(figure, samples):
    return f"{figure.subject} {figures.show(figure.name, samples[figure]['median'])}"


def judge(condition, experiment):
    """A Judgement; Missing if a figure is. Every combination of the intervals' ends is tried."""
    samples = _samples(condition, experiment)
    outcomes = set()
    for ends in itertools.product(("low", "high"), repeat=len(samples)):
        values = {figure: sample[end] for (figure, sample), end in zip(samples.items(), ends)}
        try:
            outcomes.add(condition.holds(values.__getitem__))
        except ZeroDivisionError:
            outcomes |= {True, False}
    shown = " against ".join(_show(figure, samples) for figure in samples)
    return Judgement(outcomes.pop() if len(outcomes) == 1 else None, shown)


def expression(text):
    """A sum with an optional point, as the condition that it is above 0."""
    expression, _, point = text.partition("@")
    return conditions.parse(f"{expression} > 0" + (f" @ {point}" if point else ""))


def parse_sentence(text):
    """UsageError if a placeholder of the sentence is malformed; gives the sentence."""
    for placeholder in re.findall(r"\{([^}]+)\}", text):
        if placeholder != LIMITS:
            expression(placeholder)
    return text


def _limits(found):
    """What stops each subject, those with the same limit together."""
    groups = {}
    for subject, limit in (found.get("limits") or {}).items():
        groups.setdefault((limit["connections"], limit["by"]), []).append(subject)
    return "; ".join(f"{', '.join(names)}: {count:,}, because of {by}" for (count, by), names in groups.items()) or "not known"


def _ratio(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"


def fill(sentence, experiment):
    """The sentence with its figures: `{event.rps @ 64}` with its unit, `{thread.rps / event.rps}` as a number, of medians;
    `{limits}`: how many connections each subject serves at most, and why."""
    def value(found):
        if found[1] == LIMITS:
            return _limits(experiment)
        condition = expression(found[1])
        samples = _samples(condition, experiment)
        if isinstance(condition.left, conditions.FigureOf):
            return figures.show(condition.left.name, samples[condition.left]["median"])
        try:
            return _ratio(condition.left.of(lambda figure: samples[figure]["median"]))
        except ZeroDivisionError:
            return "infinitely many"
    return re.sub(r"\{([^}]+)\}", value, sentence)
