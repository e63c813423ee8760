# SPDX-License-Identifier: MIT
"""From the measurements of all rounds to one row for each subject and point, with its ratio to the ceiling of its model."""

from .figures import FIGURES, MARKS, floor_of
from .stats import Sample, coverage

NOISY = 0.25  # half the interval of the drawn figure, as a part of its median: beyond it the row is marked
_OF_ANY = ("unusable", "merged", "worst_of_machines")


def _common_marks(measurements):
    """The marks of more than half of the rounds, which are therefore true of the median; and marks of _OF_ANY that any round has."""
    counts = {mark: sum(mark in m["marks"] for m in measurements) for mark in (*MARKS, *_OF_ANY)}
    return [mark for mark, count in counts.items() if count * 2 > len(measurements) or count and mark in _OF_ANY]


def _is_noisy(sample):
    low, high = sample.interval
    return len(sample.values) > 1 and sample.median > 0 and (high - low) / 2 / sample.median > NOISY


def _samples(measurements):
    """By figure, the least of the rounds."""
    found = {}
    for measurement in measurements:
        for name, count in (measurement.get("samples") or {}).items():
            found[name] = min(count, found.get(name, count))
    return found


def _enough(name, measurements):
    """Whether so many samples stand behind a percentile, in all rounds together, that it is one: p99 needs 1,000."""
    needed, pooled = floor_of(name)
    known = [measurement["samples"][name] for measurement in measurements if name in (measurement.get("samples") or {})]
    return not pooled or not known or sum(known) >= needed


def _row(measurements, drawn):
    """If any round failed there are no figures to trust."""
    first = measurements[0]
    row = {"subject": first["subject"], "kind": first["kind"], "x": first["x"],
           "failure": next((m["failure"] for m in measurements if m["failure"]), None),
           "figures": {}, "samples": {}, "coverage": None, "to_ceiling": {}, "marks": []}
    if row["failure"]:
        return row
    samples = {}
    for name in dict.fromkeys(name for m in measurements for name in m["figures"]):
        samples[name] = Sample(tuple(m["figures"][name] for m in measurements if name in m["figures"]))
    row["samples"] = _samples(measurements)
    row["figures"] = {name: sample.summary() for name, sample in samples.items() if _enough(name, measurements)}
    row["coverage"] = coverage(max((len(sample.values) for sample in samples.values()), default=0))
    row["marks"] = _common_marks(measurements)
    if drawn in samples and _is_noisy(samples[drawn]):
        row["marks"].append("noisy")
    return row


def _hold_against(row, ceiling):
    """The ratios of a row to the one of its ceiling."""
    for name, sample in row["figures"].items():
        other = ceiling["figures"].get(name)
        if other and other["median"] > 0 and name in FIGURES and FIGURES[name].better != "none":
            row["to_ceiling"][name] = sample["median"] / other["median"]


def rows(measurements, drawn, ceilings):
    """Rows in the order in which the first round measured them. `ceilings`: by subject, the name of its ceiling."""
    groups = {}
    for measurement in measurements:
        groups.setdefault((measurement["subject"], measurement["x"]), []).append(measurement)
    found = {key: _row(group, drawn) for key, group in groups.items()}
    for (subject, x), row in found.items():
        if ceiling := found.get((ceilings.get(subject), x)):
            _hold_against(row, ceiling)
    return list(found.values())
