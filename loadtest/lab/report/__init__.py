# SPDX-License-Identifier: MIT
"""The report of a comparison: all of it is made from the results value alone, so it can be made again from results.json."""

from pathlib import Path

from ..results import output
from . import csv_file, page
from .terminal import COLUMNS, has_colours, terminal  # noqa: F401  part of this module's interface

FILES = ("report.html", "report.md", "results.csv")


def write(results, folder):
    """report.html, report.md and results.csv in the folder. LabError if that cannot be."""
    folder = Path(folder)
    output.write(folder / "report.html", page.page(results))
    output.write(folder / "report.md", page.markdown(results))
    output.write(folder / "results.csv", csv_file.text(results))
