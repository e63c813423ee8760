# SPDX-License-Identifier: MIT
"""--merge: one report of the results of several load machines, or several pods.

If the machines loaded one server together (--target), their measurements of the same subject, point and round become one. Rates and
errors add up. Percentiles come from the histograms of all requests if every machine has one; otherwise they are those of the worst
machine, and are marked. If each machine had servers of its own, its rounds are further rounds of the same experiment.
"""

from ..results import aggregate, histogram
from ..results.figures import FIGURES
from ..servers import modes
from ..text.errors import UsageError
from . import experiment, verdicts

_COUNTS = ("answers", "slow_open")  # that the machines share out
_WORST = ("max_us", "last_answer_s")


def _histograms(entries):
    """By the figures that they stand behind, the histogram of all measurements; without those that one does not have."""
    found = [entry.get("histograms") or {} for entry in entries]
    return {behind: histogram.together(own[behind] for own in found)
            for behind in found[0] if all(own.get(behind) for own in found)}


def _figure(name, values, histograms):
    """(value, whether it is only the worst of the machines')."""
    if percentile := histogram.of_figure(name):
        behind, per_cent = percentile
        known = histograms.get(behind)
        return (histogram.percentile(known, per_cent), False) if known else (max(values), True)
    if name in _WORST:
        return max(values), False
    if name in _COUNTS or (name in FIGURES and FIGURES[name].unit.endswith("/s")):
        return sum(values), False
    return sum(values) / len(values), False


def _samples(entries):
    """What stands behind the figures of all of them together."""
    found = {}
    for entry in entries:
        for name, count in entry["samples"].items():
            found[name] = found.get(name, 0) + count
    return found


def _sum(values):
    return None if None in values else sum(values)


def _failure(entries):
    for number, entry in entries:
        if failure := entry["failure"]:
            return {"kind": failure["kind"], "reason": f"on machine {number}: {failure['reason']}"}
    return None


def _merged(entries):
    """One measurement of those that the machines made together; `entries`: each with its machine's number."""
    own = [entry for _, entry in entries]
    marks = dict.fromkeys(mark for entry in own for mark in entry["marks"])
    merged = {**own[0], "failure": _failure(entries), "figures": {}, "histograms": {},
              "asked_rate": _sum([entry["asked_rate"] for entry in own]),
              "achieved_rate": _sum([entry["achieved_rate"] for entry in own]),
              "errors": {kind: sum((entry["errors"] or {}).get(kind, 0) for entry in own)
                         for kind in dict.fromkeys(kind for entry in own for kind in entry["errors"] or {})},
              "samples": _samples(own), "series": {},
              "details": {f"machine {number}": entry["details"] for number, entry in entries}}
    if not merged["failure"]:
        merged["histograms"] = _histograms(own)
        for name in own[0]["figures"]:
            if all(name in entry["figures"] for entry in own):
                merged["figures"][name], worst = _figure(name, [entry["figures"][name] for entry in own], merged["histograms"])
                marks.update({"worst_of_machines": None} if worst else {})
    return {**merged, "marks": ["merged", *marks]}


def _of_targets(parts):
    """Measurements of servers that all machines loaded together; a round that some did not make is left out."""
    groups = {}
    for number, part in parts:
        for entry in part["measurements"]:
            if entry["kind"] == "target":
                groups.setdefault((entry["subject"], entry["x"], entry["round"]), []).append((number, entry))
    return [_merged(entries) for entries in groups.values() if len(entries) == len(parts)]


def _of_own_servers(parts):
    """Measurements of servers that each machine had for itself: one machine's rounds after another's."""
    found, rounds = [], 0
    for _, part in parts:
        own = [entry for entry in part["measurements"] if entry["kind"] != "target"]
        found += [{**entry, "round": rounds + entry["round"]} for entry in own]
        rounds += max((entry["round"] for entry in own), default=0)
    return found


def _left_out(parts, measurements):
    """How many rounds of targets some machine did not make."""
    all_keys = {(entry["subject"], entry["x"], entry["round"]) for _, part in parts for entry in part["measurements"]
                if entry["kind"] == "target"}
    return len(all_keys) - sum(entry["kind"] == "target" for entry in measurements)


def _ceilings():
    return {mode.name: f"ceiling-{mode.ceiling}" for mode in modes.MODES}


def _experiment(parts):
    """One experiment of those with its name; `parts`: each with its machine's number."""
    first = parts[0][1]
    if len(parts) == 1:
        return first
    if len({bool(part.get("one_cpu")) for _, part in parts}) > 1:
        raise UsageError(f"--merge: in {first['name']} server and client shared a CPU in some of the runs only")
    measurements = _of_targets(parts) + _of_own_servers(parts)
    merged = {**first, "measurements": measurements, "ended": None, "claims": [],  # one that is not known here has no verdict
              "summary": aggregate.rows(measurements, first["chart"]["figure"], _ceilings()),
              "about": f"{first['about']} Put together from {len(parts)} machines; points and asked rates of the axis are "
                        "those of each."}
    if left_out := _left_out(parts, measurements):
        merged["ended"] = f"{left_out} measurements were not made by every machine and are left out"
    return merged


def merge(all_results):
    """One results value of several. UsageError for less than two."""
    if len(all_results) < 2:
        raise UsageError("--merge: give the results of two machines at least")
    groups = {}
    for number, results in enumerate(all_results, 1):
        for part in results["experiments"]:
            groups.setdefault(part["name"], []).append((number, part))
    incomplete = [number for number, results in enumerate(all_results, 1) if not results["complete"]]
    merged = {
        **all_results[0],
        "complete": not incomplete,
        "ended": f"machine {incomplete[0]}: {all_results[incomplete[0] - 1]['ended']}" if incomplete else "all were made",
        "started": min(results["started"] for results in all_results),
        "took_s": max(results["took_s"] for results in all_results),
        "machines": [results["machine"] for results in all_results],
        "pinning": {"note": "; ".join(f"machine {number}: {results['pinning']['note']}"
                                      for number, results in enumerate(all_results, 1))},
        "parameters": {**all_results[0]["parameters"],
                       "arguments": [results["parameters"]["arguments"] for results in all_results]},
        "experiments": [_experiment(parts) for parts in groups.values()],
    }
    verdicts.fill_verdicts(merged, {known.name: known.claims for known in experiment.load_all() if len(groups.get(known.name, ())) > 1})
    return merged
