# SPDX-License-Identifier: MIT
"""The measurements as CSV (RFC 4180): a row for each measurement and figure, none left out, failures with their reason."""

import csv
import io

from ..results import view

COLUMNS = ["experiment", "subject", "kind", "x_name", "x", "round", "figure", "unit", "value", "asked_rate", "achieved_rate",
           "errors", "marks", "failure"]


def _rows(experiment):
    units = {figure["name"]: figure.get("unit") or "" for figure in experiment.get("figures") or ()}
    x_name = (experiment.get("x") or {}).get("name", "")
    for entry in experiment.get("measurements") or ():
        start = [experiment["name"], entry["subject"], entry.get("kind"), x_name, entry.get("x"), entry.get("round")]
        end = [entry.get("asked_rate"), entry.get("achieved_rate"), sum((entry.get("errors") or {}).values()),
               " ".join(entry.get("marks") or ()), view.failure_text(entry.get("failure"))]
        figures = entry.get("figures") or {}
        for name, value in figures.items():
            yield [*start, name, units.get(name, ""), value, *end]
        if not figures:
            yield [*start, "", "", None, *end]


def _safe(value):
    """A text that a spreadsheet would take for a formula gets an apostrophe before it."""
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def text(results):
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for experiment in results.get("experiments") or ():
        writer.writerows([_safe(value) for value in row] for row in _rows(experiment))
    return stream.getvalue()
