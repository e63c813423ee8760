# SPDX-License-Identifier: MIT
"""Where, when and how the results were taken, in a few lines."""

from . import machine, view
from .progress import duration


def machines(results):
    """The machines that the load came from: one, or those that were merged."""
    return results.get("machines") or [results.get("machine") or {}]


def machine_line(described):
    """One machine in a line, of whatever is known of it."""
    try:
        return machine.summary(described)
    except (KeyError, TypeError):
        return ", ".join(str(described[name]) for name in ("cpu", "system", "kernel", "commit") if described.get(name)) \
            or "machine not described"


def _rounds(results):
    """`3 rounds`, or `1 to 5 rounds` where experiments differ; what stands beside a median."""
    counts = {max((entry.get("round") or 1 for entry in experiment.get("measurements") or ()), default=0)
              for experiment in results.get("experiments") or ()} - {0}
    if not counts or max(counts) == 1:
        return "one round"
    fewest, most = min(counts), max(counts)
    count = str(most) if fewest == most else f"{fewest} to {most}"
    return f"medians of {count} interleaved rounds, ± half the interval that holds the median (of few rounds: their range)"


def method_line(results):
    """How often and how: the pinning, the rounds, what stands beside a median."""
    parameters = results.get("parameters") or {}
    parts = [(results.get("pinning") or {}).get("note"),
             f"effort {parameters['effort']}" if parameters.get("effort") else None,
             _rounds(results),
             f"took {duration(results['took_s'])}" if results.get("took_s") else None]
    return "; ".join(filter(None, parts))


def incomplete_line(results):
    if results.get("complete"):
        return None
    return f"INCOMPLETE: not all was measured; {results.get('ended') or 'it did not end by itself'}"


def lines(results):
    found = machines(results)
    told = [machine_line(described) for described in found]
    if len(found) > 1:
        told = [f"machine {i}: {text}" for i, text in enumerate(told, 1)]
    return [view.words(line) for line in (*told, method_line(results), incomplete_line(results)) if line]
