# SPDX-License-Identifier: MIT
"""The results on a terminal: a table for each statement, its verdict under it, and all verdicts at the end."""

import textwrap
from dataclasses import dataclass

from . import about, baseline, streams, view
from .colour import Paint

COLUMNS = 100
_GAP = 2
_OUTCOMES = {"holds": ("holds", "green"), "fails": ("does not hold", "red"), "unclear": ("no clear answer", "yellow")}


@dataclass
class Column:
    heading: str
    cells: list
    left: bool = False

    @property
    def lines(self):
        """The heading, wrapped as far as the cells leave it room."""
        words = [len(word) for word in self.heading.split()] or [0]
        return textwrap.wrap(self.heading, max([*words, *map(len, self.cells)])) or [""]

    @property
    def width(self):
        return max(map(len, [*self.lines, *self.cells]))


def _figure_column(experiment, figure, spread):
    texts = [(view.cell(row, figure), view.spread_text(row, figure) if spread else "") for row in experiment.rows]
    middle, right = (max(len(text[i]) for text in texts) for i in (0, 1))
    cells = ["-".rjust(middle + bool(right) + right) if not value else
             f"{value:>{middle}} {part:>{right}}" if right else value for value, part in texts]
    return Column(figure.title, cells)


def _columns(experiment, figures, spreads):
    """Columns of the table with these figures; those in `spreads` with the spread of their rounds."""
    columns, charted = [], experiment.charted
    if experiment.axis:
        shown = [experiment.axis.shown(row.x) for row in experiment.rows]
        cells = ["" if i and text == shown[i - 1] else text for i, text in enumerate(shown)]
        columns.append(Column(experiment.axis.title, cells))
    columns.append(Column("subject", [f"{row.subject} {row.symbols()}".rstrip() for row in experiment.rows], left=True))
    for figure in figures:
        columns.append(_figure_column(experiment, figure, figure in spreads))
        if figure is charted and any(figure.name in row.to_ceiling for row in experiment.rows):
            columns.append(Column("× ceiling", [view.ratio_text(row, figure) for row in experiment.rows]))
    return columns


def _width(columns):
    return sum(column.width for column in columns) + _GAP * (len(columns) - 1)


def _fitting(experiment, width):
    """As much as the width has room for, and the figures that were left out: spreads go first, then the last columns."""
    figures, charted, left_out = list(experiment.figures), experiment.charted, []
    for spreads in (figures, [charted]):
        columns = _columns(experiment, figures, spreads)
        if _width(columns) <= width:
            return columns, []
    while _width(columns) > width and len(figures) > 1:
        left_out.insert(0, figures.pop(-2 if figures[-1] is charted else -1))
        columns = _columns(experiment, figures, [charted])
    return columns, left_out


def _table(experiment, width, paint):
    columns, left_out = _fitting(experiment, width)
    height = max(len(column.lines) for column in columns)

    def line(texts):
        return (" " * _GAP).join(text.ljust(column.width) if column.left else text.rjust(column.width)
                                 for text, column in zip(texts, columns)).rstrip()

    headings = [[""] * (height - len(column.lines)) + column.lines for column in columns]
    lines = [paint(line(texts), "bold") for texts in zip(*headings)]
    lines.append(line(["-" * column.width for column in columns]))
    for i, row in enumerate(experiment.rows):
        lines.append(paint(line([column.cells[i] for column in columns]), *(["dim"] if row.kind == "ceiling" else [])))
    if left_out:
        lines += _wrapped(f"left out for width: {', '.join(figure.title for figure in left_out)}", width)
    return lines


def _wrapped(text, width, indent="  "):
    return textwrap.wrap(streams.printable(text), width, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)


def _verdict(experiment, width, paint, before="=> "):
    words, style = _OUTCOMES.get(experiment.outcome, _OUTCOMES["unclear"])
    lines = _wrapped(f"{before}{words}: {experiment.sentence}", width, " " * len(before))
    start = len(before) + len(words)
    if lines and len(lines[0]) >= start:
        lines[0] = lines[0][:len(before)] + paint(lines[0][len(before):start], style, "bold") + lines[0][start:]
    return lines


def _statement(experiment, width, paint):
    title = experiment.statement or experiment.title
    lines = _wrapped(f"{experiment.name}: {title}", width)
    lines = [paint(text, "bold") for text in lines]
    if experiment.rows and experiment.figures:
        lines += _table(experiment, width, paint)
    for remark in view.remarks(experiment):
        lines += _wrapped(remark, width)
    return lines + _verdict(experiment, width, paint)


def _overview(experiments, width, paint):
    lines = [paint("What people say, and what was seen", "bold")]
    for experiment in experiments:
        lines += _wrapped(f"{experiment.statement or experiment.title}", width)
        lines += _verdict(experiment, width, paint, "  => ")
    return lines


def _changes(found, width, paint):
    lines = [paint(streams.printable(baseline.heading(found)), "bold")]
    for text in found["failures"]:
        lines += _wrapped(text, width)
    for change in found["changes"]:
        style = "red" if change["worse"] else "green"
        lines += [paint(line, style) for line in _wrapped(baseline.line(change), width)]
    lines.append(baseline.closing(found))
    for note in found["notes"]:
        lines += [paint(line, "dim") for line in _wrapped(f"({note})", width)]
    return lines


def terminal(results, colour, width=COLUMNS):
    """The whole report as text for a terminal of that width."""
    paint = Paint(colour)
    experiments = view.experiments(results)
    intro = []
    for text in about.lines(results):
        style = ["yellow", "bold"] if text.startswith("INCOMPLETE") else []
        intro += [paint(line, *style) for line in _wrapped(text, width)]
    parts = ["\n".join(intro)]
    parts += ["\n".join(_statement(experiment, width, paint)) for experiment in experiments]
    if len(experiments) > 1:
        parts.append("\n".join(_overview(experiments, width, paint)))
    if results.get("baseline"):
        parts.append("\n".join(_changes(results["baseline"], width, paint)))
    return "\n\n".join(parts)
