# SPDX-License-Identifier: MIT
"""The experiments on a terminal, plainly: a table and the verdict of each."""

from . import figures, table
from .machine import summary as machine_summary


def _cell(row, name):
    sample = row["figures"].get(name)
    return figures.show(name, sample["median"]) if sample else "-"


def _experiment(experiment):
    names = [figure["name"] for figure in experiment["figures"]]
    axis = experiment["x"]
    headings = ["subject", *([axis["title"]] if axis else []), *(figure["title"] for figure in experiment["figures"])]
    rows, notes = [], []
    for row in sorted(experiment["summary"], key=lambda row: (row["x"] or 0)):
        point = [f"{row['x']:,}"] if axis else []
        rows.append([row["subject"], *point, *(_cell(row, name) for name in names)])
        if row["failure"]:
            notes.append(f"{' at '.join([row['subject'], *point])}: {row['failure']['kind']}: {row['failure']['reason']}")
        if row["marks"]:
            notes.append(f"{' at '.join([row['subject'], *point])}: {', '.join(row['marks'])}")
    verdict = experiment["verdict"]
    return "\n".join([f"{experiment['name']}: {experiment['statement']}", *([table.plain(headings, rows)] if rows else []),
                      *notes, f"=> {verdict['outcome']}: {verdict['sentence']}"])


def terminal(results):
    parts = [f"{machine_summary(results['machine'])}\n{results['pinning']['note']}"]
    if not results["complete"]:
        parts.append(f"INCOMPLETE: {results['ended']}")
    return "\n\n".join([*parts, *(_experiment(experiment) for experiment in results["experiments"])])
