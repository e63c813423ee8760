# SPDX-License-Identifier: MIT
"""--require: conditions that the results must meet, for other people's CI. conditions.py has their language.

A condition speaks of every experiment that has its subjects and figures, or of the one after `in`, and there of every
point, or of the one after `@`. It must be met at each; a figure that is missing does not meet it.
"""

from ..results import view
from . import conditions

STATUS = 99  # the exit status where one is not met


class _Missing(Exception):
    """A figure that is not there. Its text says why."""


def _reader(experiment, x):
    """Gives medians of that point of the experiment."""
    rows = {row.subject: row for row in experiment.rows if row.x == x}

    def read(figure):
        row = rows.get(figure.subject)
        if row is None:
            raise _Missing(f"{figure} was not measured")
        value = row.median(figure.name)
        if value is None:
            raise _Missing(f"{figure} has no value{f': {row.failure}' if row.failure else ''}")
        return value
    return read


def _has(experiment, figure):
    """Whether the figure was measured of the subject at some point, or tried."""
    return any(row.subject == figure.subject and (row.failure or figure.name in row.figures) for row in experiment.rows)


def _speaks_of(condition, experiment):
    return all(experiment.figure(figure.name) and _has(experiment, figure) for figure in condition.figures)


def _chosen(condition, experiments):
    """The experiments it speaks of, or _Missing."""
    if condition.experiment is not None:
        found = [experiment for experiment in experiments if experiment.name == condition.experiment]
        if not found:
            raise _Missing(f"there is no experiment {condition.experiment!r} in these results")
        absent = [str(figure) for figure in condition.figures if not _has(found[0], figure)]
        if absent:
            raise _Missing(f"{condition.experiment} has no {' and no '.join(absent)}")
        return found
    found = [experiment for experiment in experiments if _speaks_of(condition, experiment)]
    if not found:
        raise _Missing(f"no experiment has {' and '.join(map(str, condition.figures))}")
    if condition.point is not None and not isinstance(condition.point, str):
        found = [experiment for experiment in found if condition.point in {row.x for row in experiment.rows}]
        if not found:
            raise _Missing(f"no experiment has them at {condition.point:g}")
    return found


def _points(condition, experiment):
    points = list(dict.fromkeys(row.x for row in experiment.rows))
    if condition.point is None or not points:
        return points
    if condition.point in ("min", "max"):
        return [points[0] if condition.point == "min" else points[-1]]
    return [condition.point]


def _at(experiment, x):
    return f"in {experiment.name}" + (f" at {experiment.axis.shown(x)}" if experiment.axis and x is not None else "")


def _failures(condition, experiments):
    try:
        chosen = _chosen(condition, experiments)
    except _Missing as missing:
        return [str(missing)]
    failed = []
    for experiment in chosen:
        points = _points(condition, experiment)
        if not points:
            failed.append(f"{experiment.name} has no figures")
        for x in points:
            read = _reader(experiment, x)
            try:
                if not condition.holds(read):
                    failed.append(f"{_at(experiment, x)}: {condition.shown(read)}")
            except _Missing as missing:
                failed.append(f"{_at(experiment, x)}: {missing}")
            except ZeroDivisionError:
                failed.append(f"{_at(experiment, x)}: it divides by 0")
    return failed


def check(results, expressions):
    """A line for each place where a condition is not met; none if all are. UsageError if one is malformed."""
    parsed = [conditions.parse(text) for text in expressions]
    experiments = view.experiments(results)
    return [f"required {condition.text}: not met {line}" if line.startswith("in ") else
            f"required {condition.text}: not met: {line}"
            for condition in parsed for line in _failures(condition, experiments)]
