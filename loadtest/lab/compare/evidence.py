# SPDX-License-Identifier: MIT
"""The measurements of one experiment, as conditions and sentences read them: the value of an expression in each round."""

from dataclasses import dataclass

from .conditions import FigureOf

_LARGEST = 1e9  # stands for a division by 0

TOO_LITTLE, NOT_ASKED = "too little measured", "not asked"


class Missing(Exception):
    """A figure that is not there. `outcome`: what that makes of a verdict."""

    def __init__(self, outcome, why):
        super().__init__(why)
        self.outcome = outcome


@dataclass(frozen=True)
class Values:
    """An expression, round by round."""

    values: tuple  # in the order of the rounds
    points: dict  # by figure, the x at which it was read
    samples: dict  # by figure, how many requests stand behind it in each of these rounds (None: not known)
    marks: frozenset  # of the rows that it was read from, by (figure, mark)

    @property
    def x(self):
        """The largest point that it speaks of."""
        return max((x for x in self.points.values() if x is not None), default=None)


class Evidence:
    """`experiment` as results.json has it, with measurements and summary."""

    def __init__(self, experiment):
        self.limits = experiment.get("limits")
        self.axis = experiment.get("x")
        self._skipped = experiment.get("skipped")
        self._rounds, self._failures, self._marks = {}, {}, {}
        for entry in experiment["measurements"]:
            key = (entry["subject"], entry["x"])
            self._rounds.setdefault(key, {})[entry["round"]] = entry
            if entry["failure"]:
                self._failures.setdefault(key, entry["failure"]["reason"])
        for row in experiment["summary"]:
            self._marks[(row["subject"], row["x"])] = row["marks"]

    @property
    def subjects(self):
        return list(dict.fromkeys(subject for subject, _ in self._rounds))

    def _points(self, figure):
        """Where a subject has a figure."""
        return {x for (subject, x), rounds in self._rounds.items() if subject == figure.subject and (subject, x) not in self._failures
                and any(figure.name in entry["figures"] for entry in rounds.values())}

    def _missing(self, figure, x=None):
        """Why a figure is not there, at this point or at any."""
        at = "" if x is None else f" at {x:,g}"
        if self._skipped:
            return Missing(NOT_ASKED, self._skipped)
        for (subject, point), reason in self._failures.items():
            if subject == figure.subject and x in (None, point):
                return Missing(TOO_LITTLE, f"{subject}{at}: {reason}")
        tried = any(subject == figure.subject and x in (None, point) for subject, point in self._rounds)
        return Missing(TOO_LITTLE if tried else NOT_ASKED, f"{figure.subject}.{figure.name} was not measured{at}" if tried else
                       f"{figure.subject} was not measured{at}")

    def shared_max(self, expressions):
        """The last point that all figures with `max` of several expressions share, without those that were not measured; None if
        there is none."""
        wanted = {figure for expression in expressions for figure in expression.figures() if figure.point == "max"}
        points = [points for points in map(self._points, wanted) if points]
        shared = set.intersection(*points) - {None} if points else set()
        return max(shared, default=None)

    def _resolved(self, wanted, highest=None):
        """The point at which each figure is read. All figures with `max`, all with `min`, and all without a point are read at the
        same point: the last one that these figures share (`highest`, if it is given and they do), or with `min` the first one."""
        found = {}
        for symbol in dict.fromkeys(figure.point for figure in wanted):
            group = [figure for figure in wanted if figure.point == symbol]
            if isinstance(symbol, float):
                found |= {figure: self._exact(figure) for figure in group}
                continue
            shared = None
            for figure in group:
                points = self._points(figure)
                if not points:
                    raise self._missing(figure)
                shared = points if shared is None else shared & points
            if not shared:
                raise Missing(TOO_LITTLE, f"{' and '.join(map(str, group))} were not measured at the same point")
            ordered = sorted(shared, key=lambda x: (x is not None, x))
            last = highest if symbol == "max" and highest in shared else ordered[-1]
            found |= {figure: ordered[0] if symbol == "min" else last for figure in group}
        if len({(figure.subject, figure.name, x) for figure, x in found.items()}) < len(found):
            raise Missing(NOT_ASKED, "only one point of the axis was measured")
        return found

    def _exact(self, figure):
        if figure.point not in self._points(figure):
            raise self._missing(figure, figure.point)
        return next(x for x in self._points(figure) if x == figure.point)

    def values(self, expression, highest=None):
        """Values of an expression; Missing if a figure is. `highest`: what `max` stands for, where the figures have it."""
        wanted = list(dict.fromkeys(expression.figures() if hasattr(expression, "figures") else ()))
        points = self._resolved(wanted, highest)
        by_figure = {figure: {number: entry for number, entry in self._rounds[figure.subject, x].items() if figure.name in entry["figures"]}
                     for figure, x in points.items()}
        numbers = sorted(set.intersection(*(set(entries) for entries in by_figure.values())))
        found = [self._of_round(expression, {figure: entries[number] for figure, entries in by_figure.items()}) for number in numbers]
        samples = {figure: [(entries[number].get("samples") or {}).get(figure.name) for number in numbers]
                   for figure, entries in by_figure.items()}
        marks = frozenset((figure, mark) for figure, x in points.items() for mark in self._marks.get((figure.subject, x), ()))
        return Values(tuple(value for value in found if value is not None), points, samples, marks)

    @staticmethod
    def _of_round(expression, entries):
        """Its value in one round; None for 0 divided by 0."""
        def read(figure):
            return entries[figure]["figures"][figure.name] if isinstance(figure, FigureOf) else 0.0
        try:
            return expression.of(read)
        except ZeroDivisionError:
            numerator = getattr(expression, "left", None)
            try:
                return _LARGEST if numerator is None or numerator.of(read) else None
            except ZeroDivisionError:
                return None
