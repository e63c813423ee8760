# SPDX-License-Identifier: MIT
"""What was seen, in words: a sentence with the figures in their places.

`{event.rps @ 64}` is a median with its unit; `{thread.rps @ 64 / event.rps @ 64}` the median of the rounds' ratios, a plain number;
`{limits}` how many connections each subject serves at most, and why; `{x}` the highest point that the sentence speaks of. A figure whose
rounds differ by much is followed by its interval. Without `@ POINT` a figure is read at the highest point at
which all of the expression's subjects have it; `max` is the highest point at which all of the sentence's figures with `max` were
measured.
"""

import contextlib
import re

from ..results import figures
from ..results.stats import Sample
from ..text.errors import UsageError
from . import conditions
from .evidence import Missing

LIMITS, POINT = "limits", "x"
WIDE = 0.15  # half an interval, as a part of its median, from which on a sentence gives it: what nobody can repeat more closely
_PLACEHOLDER = re.compile(r"\{([^}]+)\}")


def placeholders(sentence):
    """The expressions in a sentence, parsed."""
    return [conditions.parse_expression(text) for text in _PLACEHOLDER.findall(sentence) if text not in (LIMITS, POINT)]


def check(sentence):
    """UsageError if a placeholder is malformed."""
    for expression in placeholders(sentence):
        if not expression.figures():
            raise UsageError(f"sentence: {expression.shown(None)}: there is no SUBJECT.FIGURE in it")


def number(value):
    """A ratio as people say it."""
    return f"{value:,.0f}" if abs(value) >= 10 else f"{value:.1f}" if abs(value) >= 1.95 else f"{value:.2f}"


def _limits(found):
    """What stops each subject, those with the same limit together."""
    groups = {}
    for subject, limit in (found or {}).items():
        groups.setdefault((limit["connections"], limit["by"]), []).append(subject)
    return "; ".join(f"{', '.join(names)}: {count:,}, because of {by}" for (count, by), names in groups.items()) or "not known"


def _point(sentence, evidence, highest):
    """The highest point at which a figure of the sentence is read."""
    found = []
    for expression in placeholders(sentence):
        with contextlib.suppress(Missing):
            found.append(evidence.values(expression, highest).x)
    known = [x for x in found if x is not None]
    return f"{max(known):,.15g}" if known else "(not measured)"


def _with_interval(values, shown):
    """The median; and the interval, where that is wide."""
    sample = Sample(tuple(values))
    low, high = sample.interval
    text = shown(sample.median)
    wide = sample.median and (high - low) / 2 > WIDE * abs(sample.median)
    return f"{text} ({shown(low)} to {shown(high)})" if wide else text


def fill(sentence, evidence):
    """The sentence with its figures; what is not there is said to be not measured."""
    highest = evidence.shared_max(placeholders(sentence))

    def value(found):
        if found[1] == LIMITS:
            return _limits(evidence.limits)
        if found[1] == POINT:
            return _point(sentence, evidence, highest)
        expression = conditions.parse_expression(found[1])
        try:
            values = evidence.values(expression, highest).values
        except Missing:
            return "(not measured)"
        if not values:
            return "(not measured)"
        is_figure = isinstance(expression, conditions.FigureOf)
        return _with_interval(values, lambda value: figures.show(expression.name, value) if is_figure else number(value))
    return _PLACEHOLDER.sub(value, sentence)
