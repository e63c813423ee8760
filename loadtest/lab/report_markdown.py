# SPDX-License-Identifier: MIT
"""The results as Markdown: for a wiki, an issue, or a reader without a browser."""

from . import about, baseline, table, view

OUTCOMES = {"holds": "holds", "fails": "does not hold", "unclear": "no clear answer"}
_SPECIAL = str.maketrans({character: "\\" + character for character in "\\`*_[]<>#~"})  # | is the table's


def text(words):
    """Words from the results, so that Markdown takes them as words."""
    return str(words).translate(_SPECIAL)


def _outcome(experiment):
    return OUTCOMES.get(experiment.outcome, OUTCOMES["unclear"])


def _cells(experiment, row):
    cells = [experiment.axis.shown(row.x)] if experiment.axis else []
    cells.append(f"{row.subject} {row.symbols()}".rstrip())
    for figure in experiment.figures:
        value = " ".join(filter(None, (view.cell(row, figure), view.spread_text(row, figure)))) or "-"
        ratio = view.ratio_text(row, figure)
        cells.append(f"{value} ({ratio} × ceiling)" if ratio else value)
    return [text(cell) for cell in cells]


def _table(experiment):
    headings = [experiment.axis.title] if experiment.axis else []
    headings += ["subject", *(figure.title for figure in experiment.figures)]
    left = 2 if experiment.axis else 1
    rows = [_cells(experiment, row) for row in experiment.rows]
    return table.markdown([text(heading) for heading in headings], rows, left)


def _fence(command):
    return f"```sh\n{command}\n```"


def _section(experiment):
    parts = [f"## {text(experiment.statement or experiment.title)}"]
    parts.append(f"**{_outcome(experiment)}**: {text(experiment.sentence)}")
    if experiment.claim:
        parts.append(f"If it is true: {text(experiment.claim)}")
    if experiment.rows and experiment.figures:
        parts.append(_table(experiment))
    if remarks := view.remarks(experiment):
        parts.append("\n".join(f"- {text(line)}" for line in remarks))
    if experiment.method:
        parts.append(f"How: {text(experiment.method)}")
    meanings = [f"- *{text(figure.title)}*: {text(figure.meaning)}" for figure in experiment.figures if figure.meaning]
    if meanings:
        parts.append("\n".join(meanings))
    if experiment.command:
        parts.append("To repeat just this:\n\n" + _fence(experiment.command))
    return parts


def _changes(found):
    parts = [f"## {text(baseline.heading(found))}"]
    lines = [*found["failures"], *(baseline.line(change) for change in found["changes"])]
    if lines:
        parts.append("\n".join(f"- {text(line)}" for line in lines))
    return [*parts, text(baseline.closing(found)), *(f"({text(note)})" for note in found["notes"])]


def markdown(results):
    parts = ["# echod: one server, several concurrency models"]
    parts.append("\n".join(f"- {text(line)}" for line in [f"taken {results.get('started', '')}", *about.lines(results)]))
    experiments = view.experiments(results)
    parts.append(table.markdown(["what people say", "", "what was seen"], [
        [text(experiment.statement or experiment.title), _outcome(experiment), text(experiment.sentence)]
        for experiment in experiments], 3))
    if results.get("baseline"):
        parts += _changes(results["baseline"])
    for experiment in experiments:
        parts += _section(experiment)
    parts.append("Every round is in `results.json` beside this file, every figure in `results.csv`, the charts in `report.html`.")
    return "\n\n".join(parts) + "\n"
