# SPDX-License-Identifier: MIT
"""Where, when and how the results were taken, in a few lines."""

from ..machine import system
from ..results import view
from ..text.progress import duration


def machines(results):
    """The machines that the load came from: one, or those that were merged."""
    return results.get("machines") or [results.get("machine") or {}]


def _machine_line(described):
    """One machine in a line, of whatever is known of it."""
    try:
        return system.summary(described)
    except (KeyError, TypeError):
        return ", ".join(str(described[name]) for name in ("cpu", "system", "kernel", "commit") if described.get(name)) \
            or "machine not described"


def machine_lines(results):
    found = machines(results)
    told = [_machine_line(described) for described in found]
    if len(found) > 1:
        told = [f"machine {i}: {text}" for i, text in enumerate(told, 1)]
    return [view.words(line) for line in told]


def _rounds(results):
    """`3 interleaved rounds`, or `3 to 5` where experiments differ."""
    counts = {max((entry.get("round") or 1 for entry in experiment.get("measurements") or ()), default=0)
              for experiment in results.get("experiments") or ()} - {0}
    if not counts or max(counts) == 1:
        return "one round"
    fewest, most = min(counts), max(counts)
    count = str(most) if fewest == most else f"{fewest} to {most}"
    return f"medians of {count} interleaved rounds"


def _effort(parameters):
    """In words; None where it is not known. `changed`: the flags that set what the effort would."""
    if not parameters.get("effort"):
        return None
    changed = parameters.get("changed")
    return f"effort {parameters['effort']}" + (f", with {' and '.join(changed)} of its own" if changed else "")


def method_line(results):
    """How often and how: the pinning, the rounds, how long it took."""
    parameters = results.get("parameters") or {}
    parts = [(results.get("pinning") or {}).get("note"),
             _effort(parameters),
             _rounds(results),
             f"took {duration(results['took_s'])}" if results.get("took_s") else None]
    return view.words("; ".join(filter(None, parts)))


def _by_experiment(noise):
    """The noise floor of each experiment that measures a mode twice."""
    floors = {}
    for figure in noise.get("figures") or ():
        floor, single = floors.get(figure["experiment"], (1.0, 1.0))
        floors[figure["experiment"]] = max(figure["ratio"], floor), max(figure.get("single", 1.0), single)
    told = [f"{view.ratio(floor)} in {name}, in single rounds up to {view.ratio(single)}" for name, (floor, single) in floors.items()]
    return ": " + "; ".join(told) if told else ""


_LOWER = " An experiment whose own noise floor is lower has lower thresholds."


def _without_floor(results, noise):
    """Names of the experiments that have measured servers, for which no twin speaks."""
    measured = [entry for entry in results.get("experiments") or () if entry.get("measurements") and entry.get("claims")
                and any(item.get("kind") in ("mode", "target") for item in entry["measurements"])]
    twins = {figure["experiment"] for figure in noise.get("figures") or ()}
    places = {bool(entry.get("one_cpu")) for entry in measured if entry["name"] in twins}
    return [entry["name"] for entry in measured if bool(entry.get("one_cpu")) not in places] if places else []


def noise_lines(results):
    """The noise floor and the thresholds in force."""
    noise, lines = results.get("noise") or {}, []
    if noise.get("target") and noise.get("largest"):
        twins = f"{noise.get('target')} and its twin {noise.get('twin')}, the same mode measured under two names,"
        lines.append(f"Noise floor: {twins} differed by a factor of {view.ratio(noise['largest'])} at most, by the median of the rounds"
                     f"{_by_experiment(noise)}.")
    else:
        lines.append("Noise floor: not measured; no experiment of this run measures a mode twice.")
    if unknown := _without_floor(results, noise):
        lines.append(f"Of {', '.join(unknown)} the noise floor is not known: no experiment of this run that measures a mode twice "
                     "runs its client in the same place, on the server's CPU or on CPUs of its own.")
    if noise.get("different") and noise.get("same"):
        lines.append(f"Thresholds: two figures differ from a ratio of {view.ratio(noise['different'])} on, and are the same up to "
                     f"{view.ratio(noise['same'])}. Claims on counts and sizes, which have no noise, may name others."
                     f"{_LOWER if (noise.get('largest') or 1) >= noise['different'] else ''}")
    return [view.words(line) for line in lines]


def incomplete_line(results):
    if results.get("complete"):
        return None
    return view.words(f"INCOMPLETE: not all was measured; {results.get('ended') or 'it did not end by itself'}")


def lines(results):
    return list(filter(None, (*machine_lines(results), method_line(results), *noise_lines(results), incomplete_line(results))))
