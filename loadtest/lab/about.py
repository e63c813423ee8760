# SPDX-License-Identifier: MIT
"""Where, when and how the results were taken, in a few lines."""

from . import machine
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


def method_line(results):
    """How often and how: the pinning, the rounds, what stands beside a median."""
    parameters = results.get("parameters") or {}
    rounds = parameters.get("rounds") or 1
    parts = [(results.get("pinning") or {}).get("note"),
             f"effort {parameters['effort']}" if parameters.get("effort") else None,
             f"medians of {rounds} interleaved rounds, ± half the range" if rounds > 1 else "one round",
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
    return list(filter(None, [*told, method_line(results), incomplete_line(results)]))
