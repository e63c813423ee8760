# SPDX-License-Identifier: MIT
"""Conditions on figures, such as `event.rps >= 0.9 * thread.rps @ 1024`: what a verdict says and what --require demands.

A side is a number, or a subject and its figure, perhaps times a number. `@ X` says at which point (connections, say);
without it both sides are read at the highest point at which they have figures. A figure is known as an interval: a
condition is true or false only where the intervals leave no doubt.
"""

import operator
import re
from dataclasses import dataclass

from . import figures
from .errors import UsageError

_NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?"
_TERM = re.compile(rf"(?:({_NUMBER})\s*\*\s*)?([A-Za-z][\w-]*)\.([A-Za-z_]\w*)(?:\s*@\s*({_NUMBER}|min|max))?|({_NUMBER})")
_OPERATORS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_SPLIT = re.compile(r"(>=|<=|>|<)")


class Missing(Exception):
    """A figure that the results do not have. Its text says which."""


@dataclass(frozen=True)
class Value:
    low: float
    median: float
    high: float

    def times(self, factor):
        return Value(self.low * factor, self.median * factor, self.high * factor)


@dataclass(frozen=True)
class Term:
    factor: float
    subject: str | None  # None: the factor is all
    figure: str | None
    at: str | None  # a number, "min", "max", or None

    def points(self, experiment):
        """The points at which there is such a figure, in order."""
        found = [row["x"] for row in experiment["summary"]
                 if row["subject"] == self.subject and self.figure in row["figures"]]
        return sorted(found, key=lambda x: (x is not None, x))

    def read(self, experiment, at):
        """Its Value at the point `at`; Missing if there is none."""
        if self.subject is None:
            return Value(self.factor, self.factor, self.factor)
        for row in experiment["summary"]:
            if row["subject"] == self.subject and row["x"] == at:
                if row["failure"]:
                    raise Missing(f"{self.subject}: {row['failure']['reason']}")
                if self.figure in row["figures"]:
                    sample = row["figures"][self.figure]
                    return Value(sample["low"], sample["median"], sample["high"]).times(self.factor)
        where = "" if at is None else f" at {at:g}"
        raise Missing(f"{self.subject}.{self.figure} was not measured{where}")


@dataclass(frozen=True)
class Judgement:
    outcome: bool | None  # None: the intervals overlap
    text: str  # the figures it rests on


def _parse_term(text, whole):
    found = _TERM.fullmatch(text.strip())
    if not found:
        raise UsageError(f"{whole!r}: {text.strip()!r} is no SUBJECT.FIGURE and no number")
    factor, subject, figure, at, number = found.groups()
    if number is not None:
        return Term(float(number), None, None, None)
    return Term(float(factor or 1), subject, figure, at)


def parse_terms(texts, whole):
    """Terms that are read at one point: a point named in one of them counts for those that name none."""
    terms = [_parse_term(text, whole) for text in texts]
    named = [term.at for term in terms if term.at]
    if len(set(named)) == 1:
        terms = [Term(term.factor, term.subject, term.figure, named[0]) for term in terms]
    return terms


def points_of(terms, experiment):
    """The point at which each term is read; terms without one share the highest that all of them have."""
    shared = None
    for term in terms:
        if term.subject is not None:
            points = set(term.points(experiment))
            shared = points if shared is None else shared & points
    shared = sorted(shared or (), key=lambda x: (x is not None, x))
    found = []
    for term in terms:
        if term.at in (None, "max", "min"):
            found.append((shared[0] if term.at == "min" else shared[-1]) if shared else None)
        else:
            found.append(float(term.at))
    return found


@dataclass(frozen=True)
class Condition:
    text: str
    terms: tuple  # left and right
    sign: str
    experiment: str | None = None  # the one it speaks of, if it names one

    def judge(self, experiment):
        """A Judgement on an experiment's summary; Missing if a figure is."""
        points = points_of(self.terms, experiment)
        left, right = (term.read(experiment, at) for term, at in zip(self.terms, points))
        compare = _OPERATORS[self.sign]
        upward = self.sign in (">=", ">")
        surely = compare(left.low, right.high) if upward else compare(left.high, right.low)
        possibly = compare(left.high, right.low) if upward else compare(left.low, right.high)
        shown = " against ".join(self._show(term, value) for term, value in zip(self.terms, (left, right)))
        return Judgement(True if surely else None if possibly else False, shown)

    def by_medians(self, experiment):
        """Whether it is true of the medians alone; Missing if a figure is."""
        points = points_of(self.terms, experiment)
        left, right = (term.read(experiment, at) for term, at in zip(self.terms, points))
        return _OPERATORS[self.sign](left.median, right.median)

    @staticmethod
    def _show(term, value):
        if term.subject is None:
            return f"{value.median:g}"
        times = f"{term.factor:g} * " if term.factor != 1 else ""
        return f"{times}{term.subject} {figures.show(term.figure, value.median / term.factor)}"


def parse(text):
    """A Condition, or UsageError. `scaling: event.rps >= …` names an experiment."""
    experiment, body = None, text
    if found := re.match(r"\s*([A-Za-z][\w-]*)\s*:", text):
        experiment, body = found[1], text[found.end():]
    parts = _SPLIT.split(body)
    if len(parts) != 3:
        raise UsageError(f"{text!r} is no condition such as 'event.rps >= 0.9 * thread.rps @ 1024'")
    return Condition(text, tuple(parse_terms((parts[0], parts[2]), text)), parts[1], experiment)


def fill(sentence, experiment):
    """The sentence with its figures: `{event.rps @ 64}` as it is read, `{thread.rps / event.rps}` as a ratio of medians."""
    def value(found):
        terms = parse_terms(found[1].split("/"), found[1])
        values = [term.read(experiment, at) for term, at in zip(terms, points_of(terms, experiment))]
        if len(terms) == 1:
            return figures.show(terms[0].figure, values[0].median)
        if values[1].median == 0:
            raise Missing(f"{terms[1].subject}.{terms[1].figure} is 0")
        ratio = values[0].median / values[1].median
        return f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.2g}" if ratio >= 1 else f"{ratio:.2f}"
    return re.sub(r"\{([^}]+)\}", value, sentence)
