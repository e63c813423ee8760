# SPDX-License-Identifier: MIT
"""The results on a terminal, by rich, in the words of the page: the figures of each experiment with its verdicts, then all verdicts,
then Which one, when?, which therefore stands where the reader is."""

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ..results import baseline, view
from ..text import tables
from . import about, advice

COLUMNS = 100
_STYLES = {"holds": "bold green", "fails": "bold red", "open": "bold yellow", "none": "bold"}


def has_colours(stream):
    """Whether to colour what goes to the stream: a terminal that has colours, and nobody said no (https://no-color.org)."""
    console = Console(file=stream)
    return console.color_system is not None and not console.no_color


def _outcome(word):
    sign, style = view.OUTCOMES[word]
    return Text(f"{sign} {word}", style=_STYLES[style])


def _verdict(outcome, modes, told):
    """One line."""
    return Padding(Text.assemble(_outcome(outcome), f" {modes}" if modes else "", f": {told}" if told else ""), (0, 0, 0, 2))


def _claim(claim):
    """With the conditions of each verdict."""
    yield Text(f"{claim.anchor}: {claim.claim}", style="bold")
    for verdict in claim.verdicts:
        yield _verdict(verdict.outcome, verdict.mode, verdict.told)
        for condition in verdict.conditions:
            basis = f" ({condition.basis})" if condition.basis else ""
            yield Padding(Text(f"{condition.line}{basis}"), (0, 0, 0, 4))


def _cell(row, figure, spread):
    text = view.cell(row, figure)
    return " ".join(filter(None, (text, view.spread_text(row, figure) if spread else ""))) or "-"


def _table(experiment, figures, spread):
    headings = [experiment.axis.title] if experiment.axis else []
    headings += ["mode", *(figure.title for figure in figures)]
    made = tables.table(headings, 1 + bool(experiment.axis))
    for _, rows in experiment.points:
        for number, row in enumerate(rows):
            cells = [experiment.axis.shown(row.x) if not number else ""] if experiment.axis else []
            cells += [f"{row.subject} {row.symbols()}".rstrip(), *(_cell(row, figure, spread) for figure in figures)]
            made.add_row(*(Text(cell, no_wrap=True) for cell in cells), style="dim" if row.kind == "ceiling" else None)
    return made


def _width(console, made):
    return console.measure(made, options=console.options.update(max_width=1000)).maximum


def _fitting(console, experiment):
    """As much of the table as there is room for: spreads go first, then the last columns, which are named."""
    figures, left_out = list(experiment.figures), []
    made = _table(experiment, figures, True)
    if _width(console, made) > console.width:
        made = _table(experiment, figures, False)
    while _width(console, made) > console.width and len(figures) > 1:
        left_out.insert(0, figures.pop(-2 if figures[-1] is experiment.charted else -1))
        made = _table(experiment, figures, False)
    yield made
    if left_out:
        yield Text(f"left out for width: {', '.join(figure.title for figure in left_out)}")


def _experiment(console, experiment):
    yield Text(f"{experiment.name}: {experiment.title}", style="bold underline")
    if experiment.rows and experiment.figures:
        yield from _fitting(console, experiment)
    for remark in view.remarks(experiment):
        yield Text(remark)
    for claim in experiment.claims:
        yield from _claim(claim)
    yield ""


def _verdicts(experiments):
    yield Text("All verdicts", style="bold underline")
    for experiment in experiments:
        for claim in experiment.claims:
            yield Text(f"{claim.anchor}: {claim.claim}", style="bold")
            yield from (_verdict(*row) for row in claim.rows)
    yield ""


def _changes(found):
    yield Text(view.words(baseline.heading(found)), style="bold underline")
    for text in found["failures"]:
        yield Text(view.words(text))
    for change in found["changes"]:
        yield Text(view.words(baseline.line(change)), style="red" if change["worse"] else "green")
    yield Text(baseline.closing(found))
    for note in found["notes"]:
        yield Text(f"({view.words(note)})", style="dim")
    yield ""


def _advice(results):
    yield Text("Which one, when?", style="bold underline")
    for line in advice.of(results):
        yield Text.assemble("If your requests ", (line["when"], "bold"), ": choose ", (line["choose"], "bold"), ".")
        carried = ", ".join(f"{claim}: {outcome}" for claim, outcome in zip(line["claims"], line["outcomes"]))
        yield Padding(Text.assemble(_outcome(line["outcome"]), f": {line['because']} ({carried})"), (0, 0, 0, 2))


def _about(results):
    for text in about.lines(results):
        yield Text(text, style="bold yellow" if text.startswith("INCOMPLETE") else "")
    yield ""


def terminal(results, colour, width=COLUMNS):
    """The whole report as text for a terminal of that width."""
    console = tables.console(colour, width)
    experiments = view.experiments(results)
    parts = [*_about(results), *(part for experiment in experiments for part in _experiment(console, experiment)),
             *_verdicts(experiments), *(_changes(results["baseline"]) if results.get("baseline") else ()), *_advice(results)]
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in console.file.getvalue().rstrip().splitlines())
