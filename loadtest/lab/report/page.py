# SPDX-License-Identifier: MIT
"""The page and the Markdown, from the templates of loadtest/report/. The page needs nothing else: no network, no script, no other
file. A policy in it forbids every script, and every style but its own."""

import base64
import hashlib
import json

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from ..machine.command import ROOT
from ..results import baseline, view
from ..text import tables, units
from . import about, advice, charts, glossary, timelines

PARTS = ROOT / "loadtest" / "report"
_PICTURED = ("scaling", "memory")  # the experiments whose charts stand in the picture
_MARKDOWN = str.maketrans({character: "\\" + character for character in "\\`*_[]<>#~|"})


def _markdown(value):
    """Words from the results, so that Markdown takes them as words."""
    return value if isinstance(value, Markup) else Markup(str(value).translate(_MARKDOWN))


def _code(text):
    """Words with names between backticks."""
    parts = (Markup("<code>{}</code>").format(part) if number % 2 else escape(part) for number, part in enumerate(text.split("`")))
    return Markup("").join(parts)


def _breakable(title):
    """A heading that may be broken after a stroke."""
    return Markup("/<wbr>").join(title.split("/"))


def _described(value):
    """A value of the machine or the parameters, as text."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_described(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list) and all(isinstance(part, (int, float, str)) for part in value):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, str):
        return value
    return "not known" if value is None else json.dumps(value, ensure_ascii=False)


def _described_entries(described):
    """(name, value) of each, as people read them."""
    shown = {"memory_bytes": ("memory", units.size), "load_average": ("load average before", lambda loads: ", ".join(f"{load:.2f}" for load in loads))}
    entries = []
    for name, value in described.items():
        title, show = shown.get(name, (name.replace("_", " "), _described))
        entries.append((title, _described(value) if value is None else show(value)))
    return entries


def _capitalize_first(text):
    return text[:1].upper() + text[1:]


def _place(number):
    """A place in a chart, to a tenth of a pixel."""
    return f"{number:.1f}".removesuffix(".0")


def _share(number):
    """A place along a timeline, in per cent of its width."""
    return f"{number:.2f}".rstrip("0").rstrip(".") + "%"


def _environment(**options):
    made = Environment(loader=FileSystemLoader(PARTS / "templates"), undefined=StrictUndefined, trim_blocks=True,
                       lstrip_blocks=True, **options)
    made.filters |= {"anchor": view.anchor, "breakable": _breakable, "capitalize_first": _capitalize_first, "code": _code,
                     "place": _place, "ratio_text": view.ratio_text, "share": _share, "spread_text": view.spread_text, "verbatim": Markup,
                     "words": view.words}
    made.globals |= {"view": view, "charts": charts, "timelines": timelines, "outcomes": view.OUTCOMES, "marks": view.MARKS,
                     "described_entries": _described_entries}
    return made


_HTML = _environment(autoescape=True)
_TEXT = _environment(autoescape=False, finalize=_markdown)


def _values(results):
    """What both templates are made from."""
    experiments = view.experiments(results)
    found = results.get("baseline")
    return {
        "results": results, "experiments": experiments, "advice": advice.of(results),
        "started": view.words(results.get("started")) or "at an unknown time", "machine": about.machine_lines(results),
        "method": about.method_line(results), "incomplete": about.incomplete_line(results),
        "noise": about.noise_lines(results), "machines": about.machines(results),
        "anchors": {claim.anchor for experiment in experiments for claim in experiment.claims},
        "glossary": glossary.words(), "columns": glossary.figures(experiments),
        "baseline": found and {"heading": baseline.heading(found), "closing": baseline.closing(found), **found,
                               "lines": [*found["failures"], *map(baseline.line, found["changes"])]},
        "percent": baseline.percent, "target": (results.get("parameters") or {}).get("target"),
        "sharing": [experiment.name for experiment in experiments if experiment.one_cpu],
    }


def closed(template, values):
    """A page that needs nothing else, from its template: with the style in it, and the policy that forbids everything else."""
    style = (PARTS / "style.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return _HTML.get_template(template).render(values, style=Markup(style), policy=policy)


def page(results):
    """report.html"""
    return closed("page.html", _values(results))


def _rows(experiment):
    """The cells of an experiment's table in Markdown."""
    for row in experiment.rows:
        cells = [experiment.axis.shown(row.x)] if experiment.axis else []
        cells.append(f"{row.subject} {row.symbols()}".rstrip())
        for figure in experiment.figures:
            value = " ".join(filter(None, (view.cell(row, figure), view.spread_text(row, figure)))) or "-"
            ratio = view.ratio_text(row, figure)
            cells.append(f"{value} ({ratio} × ceiling)" if ratio else value)
        yield [str(_markdown(cell)) for cell in cells]


def _table(experiment):
    headings = [experiment.axis.title] if experiment.axis else []
    headings += ["mode", *(figure.title for figure in experiment.figures)]
    return Markup(tables.markdown([str(_markdown(heading)) for heading in headings], list(_rows(experiment)),
                                 2 if experiment.axis else 1))


def markdown(results):
    """report.md"""
    return _TEXT.get_template("report.md").render(_values(results), table=_table)


def picture(results):
    """The page that --picture draws: two charts, and Which one, when?"""
    drawn = [chart for experiment in sorted(view.experiments(results), key=lambda one: one.name not in _PICTURED)
             if (chart := charts.main(experiment))]
    return drawn_page("picture.html", {**_values(results), "drawn": drawn[:2]})


def drawn_page(template, values):
    """A page that Chromium draws as a picture: it may run its script, which says how high it is."""
    style = (PARTS / "style.css").read_text(encoding="utf-8")
    return _HTML.get_template(template).render(values, style=Markup(style))
