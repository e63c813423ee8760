# SPDX-License-Identifier: MIT
"""The sections of the page: the summary, one for each experiment, the machines."""

import json

from . import about, baseline, charts, view
from .markup import Markup, element, join

_OUTCOMES = {"holds": "✓ holds", "fails": "✗ does not hold", "unclear": "? no clear answer"}
# What a legend shows of a subject: its line, dashed for a ceiling, and its shape as charts.js draws it.
_SHAPES = {
    1: '<circle cx="16" cy="6" r="4"/>', 2: '<path d="M12 2h8v8h-8z"/>', 3: '<path d="M16 1l5 9h-10z"/>',
    4: '<path d="M16 0l6 6-6 6-6-6z"/>', 5: '<rect x="12" y="2" width="8" height="8" rx="2.5"/>',
    6: '<path d="M12 6h8M16 2v8M13 3l6 6M13 9l6-6"/>', 7: '<path d="M12 2l8 8M12 10l8-8"/>', 8: '<path d="M11 6h10M16 1v10"/>',
}


def _outcome(experiment):
    known = experiment.outcome if experiment.outcome in _OUTCOMES else "unclear"
    return element("span", _OUTCOMES[known], class_=f"outcome {known}")


def _prose(text):
    """Words with names between backticks."""
    return join(element("code", part) if i % 2 else part for i, part in enumerate(text.split("`")))


def _anchor(experiment):
    return "experiment-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in experiment.name)


def _heading(experiment):
    return f"“{experiment.statement}”" if experiment.statement else experiment.title


def summary(experiments):
    rows = [element("tr",
                    element("th", element("a", experiment.statement or experiment.title, href=f"#{_anchor(experiment)}"),
                            scope="row"),
                    element("td", _outcome(experiment)), element("td", experiment.sentence))
            for experiment in experiments]
    head = element("thead", element("tr", *(element("th", words, scope="col", class_="left")
                                            for words in ("What people say", "Verdict", "What was seen"))))
    return element("section", element("h2", "What people say, and what was seen"),
                   element("div", element("table", element("caption", "Each statement, its verdict and why; the figures follow."),
                                          head, element("tbody", *rows)), class_="table"),
                   id="summary", aria_label="Summary")


def _swatch(style, ceiling):
    dash = ' stroke-dasharray="5 4"' if ceiling else ""
    fill = "var(--paper)" if ceiling else "var(--c)"
    return Markup(f'<svg viewBox="0 0 32 12" aria-hidden="true" fill="none" stroke="var(--c)" stroke-width="2">'
                  f'<path d="M0 6h32"{dash}/><g fill="{fill}">{_SHAPES[style]}</g></svg>')


def _legend(experiment):
    """A key for each subject, which hides and shows it."""
    chosen = charts.styles(experiment.subjects)
    keys = [element("li", element("button", _swatch(chosen[name], kind == "ceiling"), name, type="button", aria_pressed="true",
                                  class_=f"key s{chosen[name]}", data_subject=name))
            for name, kind in experiment.subjects.items()]
    return element("ul", *keys, class_="legend", aria_label="Subjects; press one to hide or show it")


def _choice(experiment):
    if len(experiment.figures) < 2:
        return None
    figures = [element("option", figure.title, value=figure.name, selected="selected" if figure is experiment.charted else None)
               for figure in experiment.figures]
    return element("label", "Figure: ", element("select", *figures, autocomplete="off"), class_="choice")


def _chart(experiment):
    figure, axis = experiment.charted, experiment.axis
    over = len({row.x for row in experiment.rows}) > 1
    label = f"Chart of {figure.title}{f' over {axis.title}' if over and axis else ''}. The table below has its figures."
    caption = element("figcaption", element("span", figure.title, class_="title"), element("span", "", class_="note"),
                      _choice(experiment))
    plot = element("div", element("canvas", role="img", aria_label=label), class_="plot")
    return element("figure", caption, _legend(experiment) if over else None, plot,
                   element("p", _chart_note(experiment, over), class_="muted"), data_experiment=experiment.name)


def _chart_note(experiment, over):
    spread = any(view.spread(sample) for row in experiment.rows for sample in row.figures.values())
    parts = ["Thin lines with ends: the interval of the median."] if spread else []
    if "ceiling" in experiment.subjects.values():
        dashed = "Dashed, hollow" if over and experiment.chart_type == "line" else "Hatched"
        parts.append(f"{dashed}: ceilings, the same model without HTTP.")
    if over and any(row.failure for row in experiment.rows):
        parts.append("A cross: no figure there, the table says why.")
    return " ".join(parts)


def _value(row, figure, wide):
    """A cell; `wide`: whether some cell of the column has a spread, and a ratio."""
    text = view.cell(row, figure)
    if not text:
        return element("td", "–")
    spread, ratio = view.spread_text(row, figure), view.ratio_text(row, figure)
    # An empty span keeps the values of a column under one another.
    return element("td", element("span", text, class_="value"), element("span", spread, class_="spread") if wide[0] else None,
                   element("span", f"{ratio}×" if ratio else "", class_="ratio") if wide[1] else None)


def _row(experiment, row, first, height, wide):
    cells = []
    if experiment.axis and first:
        cells.append(element("th", experiment.axis.shown(row.x), scope="rowgroup", class_="x", rowspan=height))
    cells.append(element("th", row.subject, f" {row.symbols()}" if row.symbols() else None, scope="row"))
    if row.failure:
        cells.append(element("td", f"no figure: {row.failure}", class_="failure", colspan=max(1, len(experiment.figures))))
    else:
        cells += [_value(row, figure, wide[figure.name]) for figure in experiment.figures]
    return element("tr", *cells, class_="ceiling" if row.kind == "ceiling" else None)


def _breakable(title):
    """A heading that may be broken after a stroke."""
    return join(title.split("/"), Markup("/<wbr>"))


def _table(experiment):
    groups = {}
    for row in experiment.rows:
        groups.setdefault(row.x, []).append(row)
    headings = [element("th", experiment.axis.title, scope="col")] if experiment.axis else []
    headings.append(element("th", "subject", scope="col", class_="left"))
    headings += [element("th", _breakable(figure.title), scope="col") for figure in experiment.figures]
    wide = {figure.name: (any(view.spread_text(row, figure) for row in experiment.rows),
                          any(view.ratio_text(row, figure) for row in experiment.rows)) for figure in experiment.figures}
    bodies = [element("tbody", *(_row(experiment, row, i == 0, len(rows), wide) for i, row in enumerate(rows)))
              for rows in groups.values()]
    caption = "Medians of the rounds, ± half the interval of the median"
    if any(row.to_ceiling for row in experiment.rows):
        caption += "; 1.05× is the ratio to the ceiling of the same model"
    return element("div", element("table", element("caption", f"{experiment.title}. {caption}."),
                                  element("thead", element("tr", *headings)), *bodies),
                   class_="table", role="region", tabindex="0", aria_label=f"Table: {experiment.title}")


def _meanings(experiment):
    entries = [(figure.title, figure.meaning) for figure in experiment.figures if figure.meaning]
    if not entries:
        return None
    return join([element("h3", "What the columns mean"), _definitions(entries)])


def _definitions(entries):
    return element("dl", *(element("div", element("dt", name), element("dd", text)) for name, text in entries))


def experiment(shown, with_charts):
    """The section of one experiment."""
    parts = [element("p", shown.name, class_="name"), element("h2", _heading(shown))]
    if shown.claim:
        parts.append(element("p", element("strong", "If it is true: "), shown.claim))
    parts.append(element("p", _outcome(shown), shown.sentence, class_="verdict"))
    if shown.rows and shown.figures:
        parts.append(_chart(shown) if with_charts else element(
            "p", "No chart: the library Chart.js was not there when this page was made (Debian: libjs-chart.js). "
            "The table has all figures.", class_="no-chart"))
    if shown.rows:
        parts.append(_table(shown))
    if remarks := view.remarks(shown, failures=False):
        parts.append(element("ul", *(element("li", line) for line in remarks), class_="remarks"))
    if shown.method:
        parts += [element("h3", "How it was measured"), element("p", _prose(shown.method))]
    parts.append(_meanings(shown))
    if shown.command:
        parts += [element("h3", "To repeat just this"), element("pre", element("code", shown.command))]
    return element("section", *parts, id=_anchor(shown))


def _change(change):
    mark = f"{'✗' if change['worse'] else '✓'} {change['word']}"
    return element("tr", element("th", change["experiment"], scope="row"), element("td", change["subject"], class_="left"),
                   element("td", change["title"], class_="left"),
                   element("td", element("span", mark, class_=f"outcome {'fails' if change['worse'] else 'holds'}")),
                   element("td", baseline.percent(change["ratio"])), element("td", change["points"], class_="left"),
                   element("td", change["example"], class_="left"))


def changes(found):
    """What changed since the baseline."""
    parts = [element("h2", baseline.heading(found))]
    if found["failures"]:
        parts.append(element("ul", *(element("li", line) for line in found["failures"])))
    if found["changes"]:
        head = element("tr", *(element("th", words, scope="col", class_="left") for words in
                               ("experiment", "subject", "figure", "verdict", "change", "where", "for example")))
        parts.append(element("div", element(
            "table", element("caption", "Changes that are more than noise."), element("thead", head),
            element("tbody", *map(_change, found["changes"]))), class_="table"))
    parts.append(element("p", baseline.closing(found)))
    if found["notes"]:
        parts.append(element("ul", *(element("li", note) for note in found["notes"]), class_="remarks"))
    return element("section", *parts, id="changes")


def _text(value):
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list) and all(isinstance(part, (int, float, str)) for part in value):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, str):
        return value
    return "not known" if value is None else json.dumps(value, ensure_ascii=False)


def _entries(described):
    return [(name.replace("_", " "), _text(value)) for name, value in described.items()]


def machines(results):
    """All that is known of where and how: the machine or machines, and what was asked for."""
    found = about.machines(results)
    parts = [element("h2", "Machine and parameters")]
    for i, described in enumerate(found, 1):
        parts += [element("h3", f"Machine {i}" if len(found) > 1 else "Machine"), _definitions(_entries(described))]
    for title, name in (("Pinning", "pinning"), ("Parameters", "parameters")):
        if results.get(name):
            parts += [element("h3", title), _definitions(_entries(results[name]))]
    return element("section", *parts, id="machine")
