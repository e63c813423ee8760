# SPDX-License-Identifier: MIT
"""The results as one page that needs nothing else: no network, no other file. All text comes from the results through
markup.element, which escapes it; a policy in the page forbids every script and style but those put in here."""

import base64
import hashlib
from pathlib import Path
from string import Template

from . import about, charts, report_sections, view
from .command import ROOT
from .markup import Markup, data, element, escaped, join, script

PARTS = ROOT / "loadtest" / "report"
# Debian's libjs-chart.js. A kept library, read where its package put it.
LIBRARY = Path("/usr/share/javascript/chart.js/chart.min.js")
TITLE = "echod: one server, several concurrency models"


def library(path=LIBRARY):
    """The program that draws the charts; None if it is not installed."""
    try:
        return script(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None


def _hash(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _policy(style, scripts):
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return (f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; img-src data:; base-uri 'none'; "
            "form-action 'none'")


def _header(results):
    lines = [element("p", line, class_="warning" if line.startswith("INCOMPLETE") else None)
             for line in [f"Taken {results.get('started') or 'at an unknown time'}", *about.lines(results)]]
    return element("header", element("h1", TITLE), *lines)


def _footer(with_charts):
    drawn = "Charts: Chart.js, MIT licence, inside this page. " if with_charts else ""
    return element("footer", element("p", drawn + "Every round is in results.json beside this file, every figure in results.csv; "
                                     "this page can be made again from results.json."))


def page(results, chart_library=None):
    """The page; without a library it has its tables and says so."""
    experiments = view.experiments(results)
    style = (PARTS / "style.css").read_text(encoding="utf-8")
    scripts = [chart_library, script((PARTS / "charts.js").read_text(encoding="utf-8"))] if chart_library else []
    body = [_header(results), report_sections.summary(experiments)]
    if results.get("baseline"):
        body.append(report_sections.changes(results["baseline"]))
    body += [report_sections.experiment(experiment, bool(chart_library)) for experiment in experiments]
    body += [report_sections.machines(results), _footer(bool(chart_library))]
    return Template((PARTS / "page.html").read_text(encoding="utf-8")).substitute(
        title=escaped(TITLE), policy=escaped(_policy(style, scripts)), style=Markup(style), body=join(body, "\n"),
        data=data({"experiments": [charts.experiment(experiment) for experiment in experiments]}),
        scripts=join((Markup(f"<script>{text}</script>") for text in scripts), "\n"))
