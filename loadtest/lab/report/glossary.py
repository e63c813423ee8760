# SPDX-License-Identifier: MIT
"""What the words of the report mean: those of loadtest/report/glossary.toml, then the figures that these results have."""

import tomllib

from ..machine.command import ROOT

FILE = ROOT / "loadtest" / "report" / "glossary.toml"


def words(path=FILE):
    """[(word, meaning)]"""
    return list(tomllib.loads(path.read_text(encoding="utf-8")).items())


def figures(experiments):
    """[(title, meaning)] of every figure, once; the same title may stand for figures that differ in meaning."""
    found = {(figure.title, figure.meaning) for experiment in experiments for figure in experiment.figures if figure.meaning}
    return sorted(found, key=lambda entry: entry[0].lower())
