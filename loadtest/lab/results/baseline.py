# SPDX-License-Identifier: MIT
"""--baseline: what changed since earlier results, where that is more than noise (shifts.py says how it is told)."""

from math import exp, log1p
from statistics import median

from ..text import units
from . import shifts, view
from .view import words

_TIMES_AND_RATES = ("µs", "us", "ms", "s")
_DISTURBED = ("disturbed", "throttled", "slowed")
_OF_THE_CLIENT = ("client_limited", "shared")
# Of the machine, for a comparison to mean the build.
_ALIKE = ("cpu", "cpus", "memory_bytes", "kernel", "system", "governor", "cpu_shared_between")


def _values(row, name):
    sample = row.figures.get(name) or {}
    return tuple(value for value in sample.get("values") or [sample.get("median")] if view.is_number(value))


def _pairs(results, old):
    """(experiments that both have, names of those that were measured in another way)"""
    earlier = {experiment.name: experiment for experiment in view.experiments(old)}
    both = [(experiment, earlier[experiment.name]) for experiment in view.experiments(results) if experiment.name in earlier]
    return [pair for pair in both if pair[0].one_cpu == pair[1].one_cpu], [new.name for new, old in both if new.one_cpu != old.one_cpu]


def _by_the_clock(figure):
    """Whether it is a rate or a latency: what other programs do shows in those at once, but little in CPU time."""
    return figure.unit.endswith("/s") or (figure.unit in _TIMES_AND_RATES and not figure.name.startswith("cpu_"))


def _judgeable(figure, row):
    """Whether the figure speaks of the server. A rate does not where the client was the limit, or shared its CPU, and neither does
    a latency: with so many requests in flight, the one follows from the other. Nor does either where other programs disturbed it."""
    if figure.better == "none":
        return False
    return not (_by_the_clock(figure) and (any(mark in _OF_THE_CLIENT for mark in row.marks) or _is_disturbed(row)))


def _is_disturbed(row):
    return any(mark in _DISTURBED for mark in row.marks)


def _cells(pairs):
    found = []
    for new, old in pairs:
        earlier = {(row.subject, row.x): row for row in old.rows}
        for row in new.rows:
            before = earlier.get((row.subject, row.x))
            for figure in new.figures if before else ():
                values = _values(before, figure.name), _values(row, figure.name)
                if all(values) and _judgeable(figure, row) and _judgeable(figure, before):
                    found.append(shifts.Cell(new.name, figure.name, row.subject, row.kind, row.x, *values,
                                             _is_disturbed(row) or _is_disturbed(before)))
    return found


def _failures(pairs):
    """What has no figure any more, and what has one again."""
    lines = []
    for new, old in pairs:
        earlier = {(row.subject, row.x): row for row in old.rows}
        for row in new.rows:
            before = earlier.get((row.subject, row.x))
            if before and row.failure and not before.failure:
                lines.append(f"{new.name}: {new.place(row)}: no figure any more: {row.failure}")
            if before and before.failure and not row.failure:
                lines.append(f"{new.name}: {new.place(row)}: has figures now; before: {before.failure}")
    return lines


def _word(figure, worse):
    if figure.unit in _TIMES_AND_RATES or figure.unit.endswith("/s"):
        return "slower" if worse else "faster"
    return "worse" if worse else "better"


def _points(experiment, shift):
    if experiment.axis is None or shift.cells[0].x is None:
        return ""
    if len(shift.moved) == len(shift.cells) > 1:
        return "at all points"
    shown = [experiment.axis.shown(cell.x) for cell in shift.moved]
    return "at " + (f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0])


def _change(experiment, shift):
    cell = shift.moved[-1]
    figure = experiment.figure(cell.figure)
    worse = (shift.ratio > 1) == (figure.better == "lower")
    old, new = (units.figure(median(values), figure.unit) for values in (cell.old, cell.new))
    where = experiment.axis.shown(cell.x) if experiment.axis and cell.x is not None else None
    return {"experiment": experiment.name, "subject": cell.subject, "figure": figure.name, "title": figure.title,
            "word": _word(figure, worse), "worse": worse, "ratio": shift.ratio, "chance": shift.chance,
            "points": _points(experiment, shift), "example": f"{old} to {new}" + (f" at {where}" if where else "")}


def _difference(name, results, old):
    one, other = ((value.get("machine") or {}).get(name) for value in (results, old))
    return f"{name.replace('_', ' ')} was {words(other)}, is {words(one)}" if one != other else None


def _notes(results, old, found):
    """What must be known to read the changes."""
    notes = []
    differences = list(filter(None, (_difference(name, results, old) for name in _ALIKE)))
    if differences:
        notes.append(f"not the same machine: {'; '.join(differences)}: what changed may be the machine's doing")
    missing = [entry["name"] for entry in old.get("experiments") or ()
               if entry["name"] not in {now["name"] for now in results.get("experiments") or ()}]
    if missing:
        notes.append(f"not measured this time: {', '.join(map(words, missing))}")
    if any(not value.get("complete") for value in (results, old)):
        notes.append("one of the two is incomplete")
    if any(cell.disturbed for shift in found for cell in shift.cells):
        notes.append("other programs used the CPUs in one of the two: there rates and latencies are not judged, and other "
                     "figures must change twice as far beyond the ceilings'")
    few = min((shift.rounds for shift in found), default=0)
    if few == 1:
        notes.append("figures of one round only cannot be told from noise: nothing is said of them")
    elif found and few < 5:
        notes.append(f"with {few} rounds only large or widespread changes can be told from noise; --rounds 7 sees smaller ones")
    return notes


def _drift_notes(pairs, cells):
    """How far a ceiling moved, where that is worth a word."""
    notes, controls = [], shifts.drifts(cells)
    for new, _ in pairs:
        for figure in new.figures:
            drift = controls.get((new.name, figure.name))
            if drift is not None and abs(drift) > log1p(shifts.SMALLEST):
                notes.append(f"{new.name}: a ceiling's {figure.title} moved by {percent(exp(drift))}, and its code did not "
                             "change: as much is put down to the machine")
    return notes


def percent(ratio):
    """A ratio as people say it."""
    return f"{(ratio - 1) * 100:+.0f} %" if 0.1 < ratio < 3 else f"× {units.significant(ratio)}"


def value(results, old):
    """What changed, as a value for results["baseline"]."""
    pairs, others = _pairs(results, old)
    cells = _cells(pairs)
    found = shifts.find(cells)
    experiments = {new.name: new for new, _ in pairs}
    changes = [_change(experiments[shift.cells[0].experiment], shift) for shift in found if shift.clear]
    return {
        "started": old.get("started"),
        "commit": (old.get("machine") or {}).get("commit"),
        "changes": changes,
        "failures": _failures(pairs),
        "unchanged": len(found) - len(changes),
        "notes": _notes(results, old, found) + _drift_notes(pairs, cells) + [
            f"{name}: not compared: server and client shared a CPU in one of the two runs, and not in the other" for name in others],
    }


def line(change):
    """One change in words."""
    text = f"{change['experiment']}: {change['subject']} is {change['word']}: {change['title']} {percent(change['ratio'])}"
    return " ".join(filter(None, (text, change["points"]))) + f" ({change['example']})"


def heading(found):
    commit = f", commit {found['commit']}" if found.get("commit") else ""
    return f"Since {found.get('started') or 'the baseline'}{commit}"


def closing(found):
    """What is said of the rest."""
    rest = found["unchanged"]
    if not found["changes"]:
        return f"No clear difference in any of {rest} figures." if rest else "There is no figure that both results have."
    return f"No clear difference in {rest} other figures."
