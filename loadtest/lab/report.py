# SPDX-License-Identifier: MIT
"""The report of a comparison: all of it is made from the results value alone, so it can be made again from results.json."""

from pathlib import Path

from . import csv_file, output, report_html, report_markdown
from .report_terminal import COLUMNS, terminal  # noqa: F401  part of this module's interface

FILES = ("report.html", "report.md", "results.csv")


def write(results, folder):
    """report.html, report.md and results.csv in the folder. LabError if that cannot be."""
    folder = Path(folder)
    output.write(folder / "report.html", report_html.page(results, report_html.library()))
    output.write(folder / "report.md", report_markdown.markdown(results))
    output.write(folder / "results.csv", csv_file.text(results))
