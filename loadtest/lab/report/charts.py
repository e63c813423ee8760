# SPDX-License-Identifier: MIT
"""The charts as lines, marks and texts at their places; templates/macros.html writes them down. A chart is as wide as a phone."""

import math
from dataclasses import dataclass, field, replace

from ..results import figures, histogram, view
from ..text import units
from . import scale

WIDTH = 360
_CHARACTER = 6.1  # about the width of a character of a label
_ROW = 19  # height of a subject's row
_PLOT = 190  # height of a plot with two axes
# The number of each subject's colour and shape (style.css, macros.html). A ceiling has that of its model, hollow.
_STYLES = {"event": 1, "thread": 2, "hybrid": 3, "pool": 4, "process": 5, "fiber": 6, "uring": 7}
_MODELS = {"epoll": 1, "event": 1, "thread": 2, "process": 5, "fiber": 6, "uring": 7}  # parts of a ceiling's name
_OTHER = 8
_BYTES = ("B", "bytes")
_PERCENTILES = (50, 90, 99, 99.9, 99.99, 99.999)
_SERIES = ("goodput", "p99_us")  # what is drawn over time, where it is there; results.json has the rest
_BEYOND = 10  # answers slower than a percentile that is drawn: with fewer it is chance


@dataclass
class Chart:
    title: str
    note: str
    finding: str  # what it shows, in words
    height: float
    width: float = WIDTH
    keys: list = field(default_factory=list)  # (subject, style, hollow) of the legend
    lines: list = field(default_factory=list)  # (x1, y1, x2, y2, class)
    areas: list = field(default_factory=list)  # (x, y, width, height, class)
    paths: list = field(default_factory=list)  # (points, style, hollow)
    marks: list = field(default_factory=list)  # (x, y, style, hollow, tooltip)
    texts: list = field(default_factory=list)  # (x, y, text, anchor, class)


def styles(subjects):
    """A style for each subject; `subjects`: names to kinds. All other servers have one."""
    chosen = {}
    for name, kind in subjects.items():
        model = next((style for word, style in _MODELS.items() if word in name), None) if kind == "ceiling" else None
        if kind == "mode" and name in _STYLES:
            chosen[name] = _STYLES[name]
        elif model:
            chosen[name] = model
        else:
            chosen[name] = _OTHER
    return chosen


def _interval(sample):
    """(median, low, high)"""
    middle = sample["median"]
    return (middle, *(sample[end] if view.is_number(sample.get(end)) else middle for end in ("low", "high")))


def _tick(value, unit):
    """A value at an axis: without the digits that a figure in a table needs."""
    if not unit and value >= 1e6:
        return f"{value / 1e6:,.4g} M"
    text = units.figure(value, unit)
    number, _, rest = text.partition(" ")
    if "." in number:
        number = number.rstrip("0").rstrip(".")
    return f"{number} {rest}".strip()


def _is_hollow(experiment, subject):
    return experiment.subjects.get(subject) == "ceiling"


def _better(figure):
    return f"{figure.better} is better" if figure.better != "none" else ""


def _note(figure, log):
    return "; ".join(filter(None, (_better(figure), "logarithmic axis" if log else "", "thin lines: intervals")))


def _finding(experiment, figure):
    """The figures at the last point, the best first, in words."""
    last = experiment.rows[-1].x
    rows = [row for row in experiment.rows if row.x == last]
    found = sorted((row for row in rows if figure.name in row.figures), key=lambda row: row.median(figure.name),
                   reverse=figure.better == "higher")
    if not found:
        return f"{figure.title}: no figures"
    where = experiment.place(found[0]).removeprefix(found[0].subject)
    text = ", ".join(f"{row.subject} {view.cell(row, figure)}" for row in found)
    lost = [row.subject for row in rows if row.failure]
    return f"{figure.title}{where}: {text}" + (f"; no figure: {', '.join(lost)}" if lost else "")


def _hover(experiment, row, figure):
    parts = [f"{experiment.place(row)}: {view.cell(row, figure)}", view.spread_text(row, figure)]
    if ratio := view.ratio_text(row, figure):
        parts.append(f"{ratio} × ceiling")
    return ", ".join(filter(None, parts))


def _value_ticks(chart, along, unit, top, bottom):
    """Vertical lines, with their values at the foot."""
    room = 0
    for value in along.ticks(unit in _BYTES):
        text, x = _tick(value, unit), along(value)
        chart.lines.append((x, top, x, bottom, "grid"))
        if x - len(text) * _CHARACTER / 2 >= room:
            chart.texts.append((x, bottom + 14, text, "middle", "tick"))
            room = x + len(text) * _CHARACTER / 2 + 4


def _rows_of_dots(experiment, figure):
    """(heading or None, row) from top to bottom."""
    rows, last = [], object()
    several = len({row.x for row in experiment.rows}) > 1
    for row in experiment.rows:
        if several and row.x != last:
            last = row.x
            rows.append((experiment.place(row).removeprefix(f"{row.subject} at ").removeprefix(row.subject), None))
        rows.append((None, row))
    return rows


def dots(experiment, figure):
    """A row for each subject, a point with its interval in it."""
    rows = _rows_of_dots(experiment, figure)
    chosen = styles(experiment.subjects)
    left = min(130, max(len(row.subject) for row in experiment.rows) * _CHARACTER + 10)
    texts = [view.cell(row, figure) for _, row in rows if row]
    right = WIDTH - max(map(len, texts)) * _CHARACTER - 8
    values = [value for row in experiment.rows if figure.name in row.figures for value in _interval(row.figures[figure.name])]
    along = scale.around(values, left + 12, right - 6)
    bottom = len(rows) * _ROW + 4
    chart = Chart(figure.title, _note(figure, along.log), _finding(experiment, figure), bottom + 20)
    _value_ticks(chart, along, figure.unit, 0, bottom)
    for number, (heading, row) in enumerate(rows):
        y = number * _ROW + _ROW / 2 + 2
        if heading is not None:
            chart.texts.append((0, y + 4, heading, "start", "heading"))
            continue
        chart.texts.append((left, y + 4, row.subject, "end", "ceiling" if row.kind == "ceiling" else "subject"))
        if figure.name in row.figures:
            middle, low, high = _interval(row.figures[figure.name])
            chart.lines.append((along(low), y, along(high), y, f"interval s{chosen[row.subject]}"))
            chart.marks.append((along(middle), y, chosen[row.subject], row.kind == "ceiling", _hover(experiment, row, figure)))
            chart.texts.append((WIDTH, y + 4, view.cell(row, figure), "end", "value"))
        else:
            chart.texts.append((right, y + 4, "no figure", "end", "none"))
    return chart


def _frame(chart, across, up, x_ticks, y_unit, x_title):
    """Grid and labels of a plot with two axes; `x_ticks`: (value, text)."""
    left, right, top, bottom = across.start, across.end, up.end, up.start
    for value in up.ticks(y_unit in _BYTES):
        chart.lines.append((left - 6, up(value), right + 6, up(value), "grid"))
        chart.texts.append((left - 10, up(value) + 4, _tick(value, y_unit), "end", "tick"))
    room = 0
    for value, text in x_ticks:
        x = across(value)
        half = len(text) * _CHARACTER / 2
        chart.lines.append((x, top, x, bottom, "grid"))
        if x - half >= room:
            chart.texts.append((min(x, WIDTH - half), bottom + 16, text, "middle", "tick"))
            room = x + half + 4
    chart.texts.append((right, bottom + 31, x_title, "end", "axis"))


def _plot(values, unit, log=True):
    """(place of the left edge, vertical scale)"""
    up = scale.around(values, _PLOT, 8, log)
    left = max(len(_tick(value, unit)) for value in up.ticks(unit in _BYTES)) * _CHARACTER + 18
    return left, up


def lines(experiment, figure):
    """A line for each subject over the axis, its points with their intervals."""
    chosen = styles(experiment.subjects)
    rows = [row for row in experiment.rows if figure.name in row.figures]
    left, up = _plot([value for row in rows for value in _interval(row.figures[figure.name])], figure.unit)
    xs = sorted({row.x for row in experiment.rows})
    across = scale.around(xs, left, WIDTH - 10, experiment.axis.log, 0.04)
    chart = Chart(figure.title, _note(figure, up.log), _finding(experiment, figure), _PLOT + 36)
    _frame(chart, across, up, [(x, experiment.axis.shown(x)) for x in xs], figure.unit, experiment.axis.title)
    drawn = [name for name in experiment.subjects if any(row.subject == name for row in rows)]
    for number, subject in enumerate(drawn):
        beside = (number - (len(drawn) - 1) / 2) * 1.6  # so that intervals do not hide each other
        own, hollow = [row for row in rows if row.subject == subject], _is_hollow(experiment, subject)
        chart.keys.append((subject, chosen[subject], hollow))
        chart.paths.append(([(across(row.x) + beside, up(row.median(figure.name))) for row in own], chosen[subject], hollow))
        for row in own:
            middle, low, high = _interval(row.figures[figure.name])
            x = across(row.x) + beside
            chart.lines.append((x, up(low), x, up(high), f"interval s{chosen[subject]}"))
            chart.marks.append((x, up(middle), chosen[subject], hollow, _hover(experiment, row, figure)))
    return chart


def main(experiment):
    """The chart of the experiment's drawn figure; None where nothing was measured. A twin is in the table only."""
    experiment = replace(experiment, rows=tuple(row for row in experiment.rows if row.kind != "twin"))
    figure = experiment.charted
    if not figure or not any(figure.name in row.figures for row in experiment.rows):
        return None
    xs = {row.x for row in experiment.rows if figure.name in row.figures}
    over_axis = experiment.axis and len(xs) > 2 and all(map(view.is_number, {row.x for row in experiment.rows}))
    return lines(experiment, figure) if over_axis else dots(experiment, figure)


def _nines(per_cent):
    """Where a percentile stands: each nine as far from the one before."""
    return -math.log10(1 - per_cent / 100)


def _curve(buckets):
    """[(percentile, µs)] as far as enough answers lie beyond; none of too few answers for a p99."""
    whole, seen, points = sum(count for _, count in buckets), 0, []
    if whole < figures.REQUESTS:
        return []
    for end, count in buckets:
        seen += count
        if whole - seen < _BEYOND:
            break
        points.append((100 * seen / whole, end))
    return points


def _phase(name):
    """`with requests that block`, of the histogram blocking_us; empty of the only one."""
    return "" if name == "us" else name.removesuffix("_us").replace("_", " ")


def _curve_chart(experiment, title, curves, counts):
    chosen = styles(experiment.subjects)
    left, up = _plot([value for points in curves.values() for _, value in points], "µs")
    last = max(points[-1][0] for points in curves.values())
    across = scale.Scale(0, max(_nines(last), _nines(90)), left, WIDTH - 10, False)
    shown = [(_nines(per_cent), f"p{per_cent:g}") for per_cent in _PERCENTILES if _nines(per_cent) <= across.high + 1e-9]
    at = 99 if last >= 99 else 90
    found = sorted((histogram.percentile(counts[name], at), name) for name in curves)
    finding = f"p{at} of {title}: " + ", ".join(f"{name} {units.microseconds(value)}" for value, name in found)
    chart = Chart(f"Latency by percentile: {title}", "lower is better; logarithmic axes; all rounds together", finding, _PLOT + 36)
    _frame(chart, across, up, shown, "µs", "percentile")
    for subject, points in curves.items():
        hollow = _is_hollow(experiment, subject)
        chart.keys.append((subject, chosen.get(subject, 8), hollow))
        chart.paths.append(([(across(_nines(per_cent)), up(value)) for per_cent, value in points], chosen.get(subject, 8), hollow))
        per_cent, value = points[-1]
        chart.marks.append((across(_nines(per_cent)), up(value), chosen.get(subject, 8), hollow,
                            f"{subject}: p{per_cent:.4g} {units.microseconds(value)} of {sum(n for _, n in counts[subject]):,} answers"))
    return chart


def _point_words(experiment, x):
    return "" if experiment.axis is None or x is None else f"{experiment.axis.title} {experiment.axis.shown(x)}"


def _last_points(found):
    """Of what was measured at several points, only the last."""
    last = {}
    for (name, x), subjects in found.items():
        if name not in last or (x is not None and x >= last[name][0]):
            last[name] = (x, subjects)
    return last


def curves(experiment):
    """A percentile curve for each histogram: of each workload (phase); along a logarithmic axis, of its last point only."""
    found = []
    for (name, x), subjects in sorted(experiment.curves.items(), key=str):
        if experiment.axis and experiment.axis.log and x != max(other for _, other in experiment.curves):
            continue
        drawn = {subject: points for subject, buckets in subjects.items() if len(points := _curve(buckets)) > 1}
        if drawn:
            title = ", ".join(filter(None, (_phase(name), _point_words(experiment, x)))) or "all requests"
            found.append(_curve_chart(experiment, title, drawn, subjects))
    return found


def _series_title(name):
    """(title, unit) of p99_us, goodput, goodput_per_s, …"""
    for end, unit in (("_us", "µs"), ("_ms", "ms"), ("_per_s", "/s"), ("_s", "s")):
        if name.endswith(end):
            return name.removesuffix(end).replace("_", " "), unit
    return name.replace("_", " "), "/s" if name in ("goodput", "rps") else ""


def over_time(experiment):
    """A plot over the time of a measurement for each series, of the last point of the axis, a line for each round."""
    chosen, found = styles(experiment.subjects), []
    points = _last_points(experiment.series)
    for name, (x, subjects) in ({name: points[name] for name in _SERIES if name in points} or points).items():
        points = [point for rounds in subjects.values() for own in rounds for point in own]
        title, unit = _series_title(name)
        left, up = _plot([value for _, value in points], unit)
        across = scale.Scale(0, max(second for second, _ in points) or 1, left, WIDTH - 10, False)
        at_end = ", ".join(f"{subject} {units.figure(rounds[-1][-1][1], unit)}" for subject, rounds in subjects.items())
        where = _point_words(experiment, x)
        chart = Chart(f"{title} over time{where and f': {where}'}", "a line for each round" + ("; logarithmic axis" if up.log else ""),
                      f"{title} at the end{where and f' of {where}'}: {at_end}", _PLOT + 36)
        _frame(chart, across, up, [(second, f"{second:g} s") for second in across.ticks()], unit, "time since the load began")
        for subject, rounds in subjects.items():
            style = chosen.get(subject, 8)
            chart.keys.append((subject, style, False))
            for own in rounds:
                chart.paths.append(([(across(second), up(value)) for second, value in own], style, False))
                chart.marks.append((across(own[-1][0]), up(own[-1][1]), style, False,
                                    f"{subject}: {units.figure(own[-1][1], unit)} after {own[-1][0]:g} s"))
        found.append(chart)
    return found


def all_of(experiment):
    """The charts of an experiment."""
    drawn = main(experiment)
    return [*([drawn] if drawn else []), *over_time(experiment), *([] if experiment.series else curves(experiment))]


def strip(condition, shared):
    """A condition's ratio with its interval, its threshold as a line and the side that was wanted; None where there is no
    ratio, and where all is 0. `shared`: all conditions of the claim, which are drawn to one scale."""
    known = [value for other in shared for value in (other.ratio, other.low, other.high, other.wanted) if value is not None]
    if condition.ratio is None or condition.wanted is None or not any(known):
        return None
    along = scale.around([*known, 1] if min(known) > 0 else known, 8, WIDTH - 8)
    chart = Chart("", "", f"{condition.line}: {condition.outcome}", 40)
    threshold = along(condition.wanted)
    if condition.sign in (">=", ">"):
        chart.areas.append((threshold, 2, WIDTH - threshold, 20, "wanted"))
    elif condition.sign in ("<=", "<"):
        chart.areas.append((0, 2, threshold, 20, "wanted"))
    _value_ticks(chart, along, "", 2, 22)
    chart.lines.append((threshold, 0, threshold, 24, "threshold"))
    if None not in (condition.low, condition.high):
        chart.lines.append((along(condition.low), 12, along(condition.high), 12, "interval ink"))
    chart.marks.append((along(condition.ratio), 12, 1, False, condition.line))
    return chart
