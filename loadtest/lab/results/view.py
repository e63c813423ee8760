# SPDX-License-Identifier: MIT
"""The results value (results.schema.json) as the reports read it: what is absent is empty, and every experiment's rows
stand in the order in which they are shown."""

import itertools
import math
from dataclasses import dataclass
from statistics import median

from ..text import streams, units
from . import histogram

MARKS = {
    "client_limited": ("*", "the client was the limit: a faster server would show the same rate; compare CPU per request"),
    "shared": ("&", "the client shared the server's CPU: rate and latency are of both; compare CPU per request"),
    "disturbed": ("!", "other programs used the CPUs in most rounds: measure again on a quiet machine"),
    "throttled": ("^", "the CPUs were throttled, or the host took them away, in most rounds"),
    "slowed": ("@", "the host slowed the server's CPU down in most rounds: a probe took 15 % longer than at its best in this run, so costs are too high"),
    "runner": ("$", "the lab itself used the CPUs in most rounds"),
    "implausible": ("=", "rate times latency is not what was in flight (Little's law): the row decides nothing"),
    "unoffered": ("<", "the rate asked for was not offered: the row decides nothing"),
    "noisy": ("~", "the rounds lie far apart: the median says little"),
    "unusable": ("?", "a figure is left out: other programs changed it by more than the server did"),
    "merged": ("+", "merged from several load machines"),
    "worst_of_machines": ("#", "percentiles are those of the worst load machine, not of all requests together"),
}
UNDECIDED = "no clear answer"
# Outcome: a sign for those who do not see colours, and the style of it.
OUTCOMES = {
    "holds": ("✓", "holds"), "does not hold": ("✗", "fails"), UNDECIDED: ("?", "open"),
    "too little measured": ("…", "none"), "not asked": ("–", "none"), "needs more CPUs": ("–", "none"),
}
SIGNS = {">=": "at least", ">": "more than", "<=": "at most", "<": "less than", "==": "exactly"}
_FAILURES = {
    "refused": "refused", "died": "the server died", "errors": "errors", "limit": "a limit", "timeout": "timed out",
    "wrong": "wrong answers",
}
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
            return units.figure(x, self.unit) if self.unit else f"{x:,.15g}"
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
class Condition:
    """A ratio with its interval against a threshold; `ratio` is None where there is none."""

    text: str
    ratio: float | None
    low: float | None
    high: float | None
    sign: str
    wanted: float | None
    rounds: int | None
    coverage: float | None
    samples: float | None
    outcome: str

    @property
    def found(self):
        """`2.14 (1.92 to 2.20)`; empty where there is no ratio."""
        if self.ratio is None:
            return ""
        if self.rounds == 1 or None in (self.low, self.high):
            return ratio(self.ratio)
        if self.low == self.high == self.ratio:
            return f"{ratio(self.ratio)} in every round"
        return f"{ratio(self.ratio)} ({ratio(self.low)} to {ratio(self.high)})"

    @property
    def threshold(self):
        """`at least 1.3`; empty where none is known."""
        return f"{SIGNS[self.sign]} {self.wanted:,.4g}" if self.sign in SIGNS and self.wanted is not None else ""

    @property
    def line(self):
        """`thread/event, CPU per request at 1,024: 2.14 (1.92 to 2.20), wanted at least 1.3`."""
        wanted = self.threshold and f"wanted {self.threshold}"
        return f"{self.text}: {', '.join(filter(None, (self.found or 'no figure', wanted)))}"

    @property
    def basis(self):
        """`5 rounds, coverage 94 %, n = 31,000`."""
        parts = [self.rounds and f"{self.rounds:,.0f} round{'' if self.rounds == 1 else 's'}",
                 self.coverage and f"coverage {self.coverage * 100:.0f} %",
                 self.samples is not None and f"n = {self.samples:,.0f}"]
        return ", ".join(filter(None, parts))


@dataclass(frozen=True)
class Verdict:
    mode: str  # empty where the claim is not about one mode
    outcome: str
    sentence: str
    why: str
    conditions: tuple

    @property
    def told(self):
        """The sentence, with the reason of the outcome where there is one."""
        if not self.sentence or not self.why or self.why in self.sentence:
            return self.sentence or self.why
        return f"{self.sentence} ({self.why.rstrip('.')})"


@dataclass(frozen=True)
class Claim:
    """One sentence that can fail, and its verdicts: one, or one for each mode."""

    name: str
    anchor: str  # experiment.name
    claim: str
    source: str
    reverse: str
    verdicts: tuple

    @property
    def rows(self):
        """[(outcome, modes, told)]: the verdicts of modes of which the same is told, together."""
        groups = {}
        for verdict in self.verdicts:
            groups.setdefault((verdict.outcome, verdict.told), []).append(verdict.mode)
        return [(outcome, ", ".join(filter(None, modes)), told) for (outcome, told), modes in groups.items()]


@dataclass(frozen=True)
class Experiment:
    name: str
    title: str
    about: str
    command: str
    axis: Axis | None
    figures: tuple
    rows: tuple
    chart_figure: str
    skipped: str  # why it was not run
    ended: str  # why not all of it was measured
    one_cpu: bool  # whether server and client shared one
    claims: tuple
    curves: dict  # (histogram, x): {subject: [[upper end in µs, count], …] of all rounds}
    timelines: tuple  # small ones, as the results have them
    series: dict  # (name, x): {subject: [[[seconds, value], …] of each round]}

    @property
    def subjects(self):
        """Names to kinds, in the order of the rows."""
        return {row.subject: row.kind for row in self.rows}

    @property
    def points(self):
        """[(x, its rows)]"""
        return [(x, list(rows)) for x, rows in itertools.groupby(self.rows, key=lambda row: row.x)]

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
           "right answers each second: where they are fewer than asked for, the server did not keep up"),
)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def ratio(value):
    """A ratio, with as many digits as tell something."""
    if float(value).is_integer():
        return f"{value:,.0f}"
    return f"{value:.2f}" if 0.1 <= abs(value) < 10 else units.significant(value, 2 if abs(value) < 100 else 3)


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
    """Half the interval of the rounds, as a part of the median; None where there is none to speak of: one round, one value."""
    low, high, middle = sample.get("low"), sample.get("high"), sample.get("median")
    if len(sample.get("values") or ()) < 2 or None in (low, high) or low == high or not middle:
        return None
    return (high - low) / 2 / abs(middle)


def cell(row, figure):
    """A figure of a row as text, without its spread."""
    value = row.median(figure.name)
    return "" if value is None else units.figure(value, figure.unit)


def spread_text(row, figure):
    part = spread(row.figures[figure.name]) if figure.name in row.figures else None
    return "" if part is None else f"±{part * 100:.0f}%"


def ratio_text(row, figure):
    """The figure relative to the ceiling of its model."""
    value = row.to_ceiling.get(figure.name)
    return "" if value is None else ratio(value)


def remarks(experiment, failures=True):
    """What must be known beside the figures: a line for each row that has none, errors, and what the marks mean."""
    lines = [f"not run: {experiment.skipped}"] if experiment.skipped else []
    lines += [f"{experiment.place(row)}: no figure: {row.failure}" for row in experiment.rows if row.failure and failures]
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


def _finite(value):
    return value if is_number(value) else None


def _condition(entry):
    numbers = {name: _finite(entry.get(name)) for name in ("ratio", "low", "high", "wanted", "rounds", "coverage", "samples")}
    return Condition(text=words(entry["text"]), sign=entry.get("sign") or "", outcome=entry["outcome"], **numbers)


def _verdict(entry):
    return Verdict(words(entry.get("mode")), entry["outcome"], words(entry.get("sentence")), words(entry.get("why")),
                   tuple(map(_condition, entry.get("conditions") or ())))


def anchor(name):
    """A name as the target of a link."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "-" for c in name)


def _claim(experiment, entry):
    name = words(entry["name"])
    return Claim(name, anchor(f"{experiment}.{name}"), words(entry.get("claim")), words(entry.get("source")), words(entry.get("reverse")),
                 tuple(map(_verdict, entry.get("verdicts") or ())))


def _curves(measurements):
    """The latencies of all rounds together, of what did not fail."""
    found = {}
    for entry in measurements:
        for name, buckets in (entry.get("histograms") or {}).items():
            if buckets and not entry.get("failure"):
                found.setdefault((words(name), entry.get("x")), {}).setdefault(words(entry["subject"]), []).append(buckets)
    return {key: {subject: histogram.together(rounds) for subject, rounds in subjects.items()}
            for key, subjects in found.items()}


def _series(measurements):
    found = {}
    for entry in measurements:
        for name, points in (entry.get("series") or {}).items():
            known = [point for point in points if None not in point]
            if known and not entry.get("failure"):
                found.setdefault((words(name), entry.get("x")), {}).setdefault(words(entry["subject"]), []).append(known)
    return found


def _figures(entry, rows):
    """The columns that some row has, those of the rates last."""
    seen = {name for row in rows for name in row.figures}
    figures = tuple(
        Figure(figure["name"], words(figure.get("title")) or words(figure["name"]), words(figure.get("unit")),
               figure.get("better") or "none", bool(figure.get("log")), words(figure.get("meaning")))
        for figure in entry.get("figures") or () if figure["name"] in seen)
    named = {figure.name for figure in figures}
    return figures + tuple(figure for figure in _RATES if figure.name in seen - named)


def _experiment(entry):
    measurements, measured = entry.get("measurements") or (), {}
    for measurement in measurements:
        measured.setdefault((measurement["subject"], measurement.get("x")), []).append(measurement)
    rows = _in_order([_row(row, measured.get((row["subject"], row.get("x")), ())) for row in entry.get("summary") or ()])
    x, name = entry.get("x"), words(entry["name"])
    axis = x and Axis(x["name"], words(x.get("title")) or words(x["name"]), words(x.get("unit")), bool(x.get("log")))
    return Experiment(
        name=name, title=words(entry.get("title")) or name, about=words(entry.get("about")), command=words(entry.get("command")),
        axis=axis or None, figures=_figures(entry, rows), rows=rows,
        chart_figure=(entry.get("chart") or {}).get("figure") or "", skipped=words(entry.get("skipped")),
        ended=words(entry.get("ended")), one_cpu=bool(entry.get("one_cpu")), claims=tuple(_claim(name, claim) for claim in entry.get("claims") or ()),
        timelines=tuple(entry.get("timelines") or ()), curves=_curves(measurements), series=_series(measurements))


def experiments(results):
    return [_experiment(entry) for entry in results.get("experiments") or ()]
