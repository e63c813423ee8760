# SPDX-License-Identifier: MIT
"""The results value (loadtest/README.md, results.json version 2) as the reports read it: what is absent is empty, and
every experiment's rows stand in the order in which they are shown."""

import math
from dataclasses import dataclass
from statistics import median

from . import streams, table

MARKS = {
    "client_limited": ("*", "the client was at its limit: a faster server would show the same rate; CPU per request tells "
                            "them apart"),
    "disturbed": ("!", "other programs used the CPUs in most rounds: measure again on a quiet machine"),
    "throttled": ("^", "the CPUs were throttled or taken away by the host in most rounds"),
    "noisy": ("~", "the rounds lie far apart: the median says little"),
    "unusable": ("?", "a figure is left out: what other programs did meanwhile outweighs it"),
    "merged": ("+", "put together from several load machines"),
    "worst_of_machines": ("#", "percentiles are the worst of the load machines', not those of all requests together"),
}
_FAILURES = {
    "refused": "refused", "died": "the server died", "errors": "errors", "limit": "a limit", "timeout": "timed out",
    "wrong": "wrong answers",
}
_OUTCOMES = {"holds": "holds", "does not hold": "fails"}
_KINDS = ("mode", "twin", "also", "target", "ceiling")  # the order of rows, and of what a legend shows


@dataclass(frozen=True)
class Figure:
    """What is measured: a column."""

    name: str
    title: str
    unit: str
    better: str  # "lower", "higher" or "none"
    log: bool
    meaning: str


@dataclass(frozen=True)
class Axis:
    """What is varied."""

    name: str
    title: str
    unit: str
    log: bool

    def shown(self, x):
        if isinstance(x, (int, float)):
            return table.figure(x, self.unit) if self.unit else f"{x:,.15g}"
        return str(x)


@dataclass(frozen=True)
class Row:
    """What was found for one subject at one x; `figures` holds median, low, high and values of each figure."""

    subject: str
    kind: str
    x: object
    failure: str
    errors: str  # of all rounds, by kind, in words
    figures: dict
    to_ceiling: dict
    marks: tuple

    def median(self, name):
        return self.figures[name]["median"] if name in self.figures else None

    def symbols(self):
        return "".join(MARKS[mark][0] for mark in self.marks if mark in MARKS)


@dataclass(frozen=True)
class Experiment:
    name: str
    title: str
    statement: str
    claim: str
    method: str
    command: str
    axis: Axis | None
    figures: tuple
    rows: tuple
    chart_figure: str
    chart_type: str
    ended: str  # why not all of it was measured, if so
    outcome: str  # "holds", "fails" or "unclear"
    sentence: str

    @property
    def subjects(self):
        """Names to kinds, in the order of the rows."""
        return {row.subject: row.kind for row in self.rows}

    def figure(self, name):
        return next((figure for figure in self.figures if figure.name == name), None)

    @property
    def charted(self):
        return self.figure(self.chart_figure) or (self.figures[0] if self.figures else None)

    def place(self, row):
        """`event at 64 connections`, or `event` where nothing is varied."""
        if self.axis is None or row.x is None:
            return row.subject
        title = self.axis.title if self.axis.title != self.axis.unit else ""
        if row.x == 1 and title.endswith("s") and not self.axis.unit:
            title = title[:-1]
        return f"{row.subject} at {self.axis.shown(row.x)} {title}".rstrip()


_RATES = (
    Figure("asked_rate", "asked rate", "requests/s", "none", False, "requests that were to be sent each second"),
    Figure("achieved_rate", "achieved rate", "requests/s", "none", False,
           "right answers that came each second: where they are fewer than asked for, the server did not keep up"),
)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def words(value):
    """A text from the results, to be shown."""
    return streams.printable(str(value or "")).strip()


def failure_text(failure):
    """Why there are no figures, in words; empty if there are."""
    if not failure:
        return ""
    if isinstance(failure, str):
        return words(failure)
    word, reason = _FAILURES.get(failure.get("kind"), ""), words(failure.get("reason"))
    if reason.startswith(word):  # it says so itself
        word = ""
    return ": ".join(filter(None, (word, reason))) or "no reason known"


def spread(sample):
    """Half the range of the rounds, as a part of the median; None where there is none to speak of: one round, one value."""
    low, high, middle = sample.get("low"), sample.get("high"), sample.get("median")
    if len(sample.get("values") or ()) < 2 or None in (low, high) or low == high or not middle:
        return None
    return (high - low) / 2 / abs(middle)


def cell(row, figure):
    """A figure of a row as text, without its spread."""
    value = row.median(figure.name)
    return "" if value is None else table.figure(value, figure.unit)


def spread_text(row, figure):
    part = spread(row.figures[figure.name]) if figure.name in row.figures else None
    return "" if part is None else f"±{part * 100:.0f}%"


def ratio_text(row, figure):
    """The figure beside the ceiling of its model."""
    ratio = row.to_ceiling.get(figure.name)
    return "" if ratio is None else f"{ratio:.2f}" if 0.1 <= ratio < 10 else table.significant(ratio, 2)


def remarks(experiment, failures=True):
    """What must be known beside the figures: a line for each row that has none, errors, and what the marks mean."""
    lines = [f"{experiment.place(row)}: no figure: {row.failure}" for row in experiment.rows if row.failure and failures]
    lines += [f"{experiment.place(row)}: errors: {row.errors}" for row in experiment.rows if row.errors and not row.failure]
    if experiment.ended:
        lines.append(f"incomplete: {experiment.ended}")
    seen = {mark for row in experiment.rows for mark in row.marks}
    lines += [f"{symbol} {text}" for mark, (symbol, text) in MARKS.items() if mark in seen]
    return lines


def _row(entry, measurements):
    figures = {name: sample for name, sample in (entry.get("figures") or {}).items()
               if sample and is_number(sample.get("median"))}
    ratios = {name: ratio for name, ratio in (entry.get("to_ceiling") or {}).items() if is_number(ratio) and ratio > 0}
    if not entry.get("failure"):
        figures.update(_rates(measurements))
    return Row(words(entry["subject"]), entry.get("kind") or "mode", entry.get("x"), failure_text(entry.get("failure")),
               _errors(measurements), figures, ratios, tuple(entry.get("marks") or ()))


def _rates(measurements):
    """The asked and the achieved rate as figures, where a rate was asked for."""
    found = {}
    if any(is_number(entry.get("asked_rate")) for entry in measurements):
        for figure in _RATES:
            values = [entry[figure.name] for entry in measurements if is_number(entry.get(figure.name))]
            if values:
                found[figure.name] = {"median": median(values), "low": min(values), "high": max(values), "values": values}
    return found


def _errors(measurements):
    """The errors of all rounds by kind, in words; empty if there were none."""
    counts = {}
    for measurement in measurements:
        for kind, count in (measurement.get("errors") or {}).items():
            counts[kind] = counts.get(kind, 0) + (count or 0)
    return words(", ".join(f"{count:,} {kind}" for kind, count in counts.items() if count))


def _in_order(rows):
    """By x, then modes before other servers before ceilings, else as they came."""
    places = {x: i for i, x in enumerate(_sorted({row.x for row in rows}))}
    first = {name: i for i, name in reversed(list(enumerate(row.subject for row in rows)))}

    def key(row):
        return places[row.x], _KINDS.index(row.kind) if row.kind in _KINDS else len(_KINDS), first[row.subject]
    return tuple(sorted(rows, key=key))


def _sorted(values):
    if all(isinstance(value, (int, float)) for value in values):
        return sorted(values)
    return sorted(values, key=str)


def _experiment(entry):
    measured = {}
    for measurement in entry.get("measurements") or ():
        measured.setdefault((measurement["subject"], measurement.get("x")), []).append(measurement)
    rows = _in_order([_row(row, measured.get((row["subject"], row.get("x")), ())) for row in entry.get("summary") or ()])
    seen = {name for row in rows for name in row.figures}
    figures = tuple(
        Figure(figure["name"], words(figure.get("title")) or words(figure["name"]), words(figure.get("unit")),
               figure.get("better") or "none", bool(figure.get("log")), words(figure.get("meaning")))
        for figure in entry.get("figures") or () if figure["name"] in seen)
    named = {figure.name for figure in figures}
    figures += tuple(figure for figure in _RATES if figure.name in seen - named)
    x, chart = entry.get("x"), entry.get("chart") or {}
    verdicts = [verdict for claim in entry.get("claims") or () for verdict in claim["verdicts"]]
    axis = x and Axis(x["name"], words(x.get("title")) or words(x["name"]), words(x.get("unit")), bool(x.get("log")))
    text = {name: words(entry.get(name)) for name in ("title", "about")}
    return Experiment(
        name=words(entry["name"]), title=text["title"] or words(entry["name"]), statement=text["title"],
        claim="", method=text["about"], command=words(entry.get("command")), axis=axis or None,
        figures=figures, rows=rows, chart_figure=chart.get("figure") or "", chart_type=chart.get("type") or "line",
        ended=words(entry.get("ended")), outcome=_OUTCOMES.get(verdicts[0]["outcome"], "unclear") if verdicts else "unclear",
        sentence=" ".join(words(f"{verdict['mode'] or ''} {verdict['outcome']}: {verdict['sentence']}") for verdict in verdicts) or
        "nothing was measured.")


def experiments(results):
    return [_experiment(entry) for entry in results.get("experiments") or ()]
