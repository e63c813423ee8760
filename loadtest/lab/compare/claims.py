# SPDX-License-Identifier: MIT
"""The claims of an experiment's file: each a sentence that can fail, and the conditions under which it is true.

    [[claims]]
    name = "thread-grows"        unique within the experiment
    claim = "…"                  one sentence that can fail
    source = "…"                 who says it
    modes = ["thread"]           one verdict for each; in conditions and sentence {mode} stands for it; absent: one verdict
    conditions = ["{mode}.cpu_us_per_request @ max / {mode}.cpu_us_per_request @ min >= 1.3"]     all must hold
    shown = ["…"]                how the page shows the left sides, for conditions too long to read [the expressions themselves]
    sentence = "…"               what was seen, with {figures}: see sentences.py
    reverse = "…"                what would reverse the verdict
    counts = false               whether the figures are counts or sizes: all rounds must agree, no number of requests is needed
    full = false                 whether only --full measures what it is about
    cpus = 2                     usable CPUs without which it cannot be decided [1 for counts and where server and client share a CPU,
                                 else 2: the client needs its own]

A condition is `expression sign number`. The expression is of figures (conditions.py), as a rule one divided by another; it
is computed for each round, so that a ratio is of figures taken within seconds of each other. The number may be an expression
of cpus (that may be used), x (the point at which the figures are read), DIFFERENT and SAME (noise.py).
"""

from dataclasses import dataclass

from ..text.errors import UsageError
from . import conditions, sentences

_TEXTS = ("name", "claim", "source", "sentence", "reverse")
_KEYS = {*_TEXTS, "modes", "conditions", "shown", "counts", "full", "cpus"}


@dataclass(frozen=True)
class Claim:
    name: str
    claim: str
    source: str
    sentence: str
    reverse: str
    conditions: tuple  # texts, in which {mode} may stand
    modes: tuple = ()  # none: one verdict
    shown: tuple = ()  # texts for the conditions' left sides; none: the expressions
    counts: bool = False
    full: bool = False
    cpus: int = 2

    def conditions_of(self, mode):
        """Its conditions for a mode, parsed."""
        return [conditions.parse_claim(of_mode(text, mode)) for text in self.conditions]

    def shown_of(self, mode):
        """For each condition the text that stands for its left side, or None."""
        return [of_mode(text, mode) for text in self.shown] or [None] * len(self.conditions)

    def sentence_of(self, mode):
        return of_mode(self.sentence, mode)


def of_mode(text, mode):
    return text.replace("{mode}", mode) if mode else text


def from_table(table, one_cpu=False):
    """The claim of a parsed table; KeyError, TypeError, ValueError or UsageError where it is none. `one_cpu`: of its experiment."""
    if unknown := sorted(set(table) - _KEYS):
        raise ValueError(f"claims: unknown key {unknown[0]!r}")
    counts = table.get("counts", False)
    found = Claim(**{key: " ".join(table[key].split()) for key in _TEXTS}, conditions=tuple(table["conditions"]),
                  modes=tuple(table.get("modes", ())), shown=tuple(table.get("shown", ())), counts=counts,
                  full=table.get("full", False), cpus=table.get("cpus", 1 if counts or one_cpu else 2))
    if not found.conditions:
        raise ValueError(f"claims: {found.name} has no condition")
    if len(found.shown) not in (0, len(found.conditions)):
        raise ValueError(f"claims: {found.name} has {len(found.conditions)} conditions, and shows {len(found.shown)}")
    for mode in found.modes or (None,):
        for condition in found.conditions_of(mode):
            if condition.right.figures():
                raise UsageError(f"condition: {condition.text!r}: figures stand on the left only")
        sentences.check(found.sentence_of(mode))
    return found


def from_tables(tables, one_cpu=False):
    found = tuple(from_table(table, one_cpu) for table in tables)
    names = [claim.name for claim in found]
    if not found or len(set(names)) < len(names):
        raise ValueError("claims: there is none, or two have the same name")
    return found
