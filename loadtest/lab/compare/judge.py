# SPDX-License-Identifier: MIT
"""What the figures allow to be said of a claim (the rules stand in loadtest/README.md, *Verdicts*)."""

from dataclasses import dataclass, replace

from ..results import figures, stats
from . import conditions, sentences
from .conditions import FigureOf, Operation
from .evidence import NOT_ASKED, TOO_LITTLE, Evidence, Missing
from .noise import Noise

HOLDS, FAILS, UNCLEAR, NEEDS_CPUS = "holds", "does not hold", "no clear answer", "needs more CPUs"
ROUNDS = 3  # without so many there is no verdict
_SPOILED = {"disturbed": "other programs used the CPUs", "throttled": "the host took the CPUs away",
            "slowed": "the host slowed the CPUs down",
            "runner": "the lab itself used the CPUs"}


@dataclass(frozen=True)
class Setting:
    """What a verdict depends on besides the figures."""

    cpus: int  # usable ones
    noise: Noise = Noise()
    effort: str = "full"
    modes: tuple = ()  # those that were chosen


def _counted(values):
    """(the least samples behind any figure, which figure has too few or None)."""
    least, short = None, None
    for figure, samples in values.samples.items():
        needed, pooled = figures.floor_of(figure.name)
        if not needed:
            continue
        known = [count or 0 for count in samples]
        count = sum(known) if pooled else min(known, default=0)
        least = count if least is None else min(least, count)
        if count < needed and short is None:
            short = f"{figure} rests on {count:,.0f} samples{'' if pooled else ' a round'}, {needed:,} are needed"
    return least, short


def _least(values):
    """What the n of a count is: the least samples that any of its figures rests on; None where no figure says."""
    return min((count for samples in values.samples.values() for count in samples if count), default=None)


def _balance(node, sign=1):
    """The units of an expression, as powers of them."""
    if isinstance(node, FigureOf):
        unit = figures.FIGURES[node.name].unit if node.name in figures.FIGURES else ""
        return {unit or node.name: sign}
    if isinstance(node, Operation):
        left = _balance(node.left, sign)
        if node.sign in "+-":
            return left or _balance(node.right, sign)
        for unit, power in _balance(node.right, sign if node.sign == "*" else -sign).items():
            left[unit] = left.get(unit, 0) + power
        return {unit: power for unit, power in left.items() if power}
    return {}


def _is_ratio(node):
    """Whether it compares like with like."""
    return isinstance(node, Operation) and bool(node.figures()) and not _balance(node)


def _wanted(condition, x, setting):
    named = {"cpus": setting.cpus, "x": x or 0, "DIFFERENT": setting.noise.different, "SAME": setting.noise.same}
    return condition.right.of(lambda of: named[of.name])


def _quiet(setting):
    """The same on a machine without noise."""
    return replace(setting, noise=Noise())


def _asks_for_a_difference(sign, wanted):
    return wanted > 1 if sign in (">=", ">") else wanted < 1


def _beyond(low, high, floor):
    """Whether an interval lies wholly on one side of 1, by more than the noise floor."""
    return low > floor or high < 1 / floor


def _of_interval(condition, low, high, wanted):
    """HOLDS, FAILS or UNCLEAR of an interval alone."""
    fits = [conditions.compare(condition.sign, end, wanted) for end in (low, high)]
    return HOLDS if all(fits) else UNCLEAR if any(fits) else FAILS


def _tempered(condition, low, high, wanted, x, setting, spoiled):
    """(outcome, why) once noise is considered: noise can cause a difference up to the noise floor, and can hide any difference. Two
    figures must also be equal by the project's own threshold; otherwise the noisiest machine would find all figures equal."""
    outcome = _of_interval(condition, low, high, wanted)
    if outcome == UNCLEAR:
        return outcome, f"the interval of {sentences.number(low)} to {sentences.number(high)} spans {sentences.number(wanted)}"
    floor = setting.noise.largest
    if not _is_ratio(condition.left):
        margin = all(_of_interval(condition, low, high, wanted * factor) == outcome for factor in (setting.noise.different,
                                                                                                    1 / setting.noise.different))
        return (outcome, None) if not spoiled or margin else (UNCLEAR, f"{spoiled}, and it is near the threshold")
    shows_difference = _asks_for_a_difference(condition.sign, wanted) == (outcome == HOLDS)
    if shows_difference and not _beyond(low, high, floor):
        return UNCLEAR, f"the difference is within the noise of this run, {sentences.number(floor)} times"
    if not shows_difference and _of_interval(condition, low, high, _wanted(condition, x, _quiet(setting))) != outcome:
        return UNCLEAR, f"the noise of this run, {sentences.number(floor)} times, can hide a difference"
    if spoiled and not _beyond(low, high, setting.noise.different):
        return UNCLEAR, f"{spoiled}: that can hide a difference"
    return outcome, None


def _spoiled(values):
    """What others did to the figures, in words; None if nothing."""
    return next((words for mark, words in _SPOILED.items() if any(found == mark for _, found in values.marks)), None)


def _unusable(values):
    """Why figures decide nothing, whatever they are; None if they may."""
    for figure, mark in values.marks:
        unit = figures.FIGURES[figure.name].unit if figure.name in figures.FIGURES else ""
        if mark == "implausible":
            return f"{figure.subject}: rate and latency do not fit what was in flight"
        if mark == "unoffered":
            return f"{figure.subject}: the rate asked for was not offered"
        if mark == "client_limited" and unit.endswith("/s"):
            return f"{figure.subject}: the client was at its limit, a faster server would show the same"
        if mark == "client_limited" and figure.name in figures.LATENCIES:
            return f"{figure.subject}: the client was at its limit, its own delays are in the latencies"
        if mark == "shared" and (unit.endswith("/s") or figure.name in figures.LATENCIES):
            return f"{figure.subject}: the client shared the server's CPU, rate and latency are of both"
    return None


def _decide(condition, claim, values, setting):
    """(outcome, why, low, high, coverage, wanted) of a condition whose figures are there."""
    rounds = len(values.values)
    low, high = (min(values.values), max(values.values)) if claim.counts else stats.interval(values.values)
    coverage = 1 - 2 / 2 ** rounds if claim.counts else stats.coverage(rounds)
    wanted = _wanted(condition, values.x, _quiet(setting) if claim.counts else setting)
    _, short = (None, None) if claim.counts else _counted(values)
    if rounds < ROUNDS:
        outcome, why = TOO_LITTLE, f"{rounds} round{'' if rounds == 1 else 's'}, {ROUNDS} are needed"
    elif short:
        outcome, why = TOO_LITTLE, short
    elif unusable := _unusable(values):
        outcome, why = UNCLEAR, unusable
    elif claim.counts:
        outcome = _of_interval(condition, low, high, wanted)
        why = "the rounds do not agree" if outcome == UNCLEAR else None
    else:
        outcome, why = _tempered(condition, low, high, wanted, values.x, setting, _spoiled(values))
    return outcome, why, low, high, coverage, wanted


def _condition(condition, shown, claim, evidence, setting):
    """(its part of results.json, why it was not decided or None). `shown`: a text for its left side, or None."""
    asked = {figure: figure.point for figure in condition.left.figures()}
    found = {"text": shown or text_of(condition.left, asked, evidence.axis), "ratio": None, "low": None, "high": None, "sign": condition.sign,
             "wanted": _wanted(condition, 0, setting), "rounds": 0, "coverage": None, "samples": None}
    try:
        values = evidence.values(condition.left)
    except Missing as missing:
        return {**found, "outcome": missing.outcome}, str(missing)
    if not values.values:
        return {**found, "outcome": TOO_LITTLE}, "no round has all of its figures"
    outcome, why, low, high, coverage, wanted = _decide(condition, claim, values, setting)
    found |= {"text": shown or text_of(condition.left, values.points, evidence.axis), "ratio": stats.Sample(values.values).median, "low": low,
              "high": high, "wanted": wanted, "rounds": len(values.values), "coverage": coverage, "samples": _least(values) if claim.counts else _counted(values)[0]}
    return {**found, "outcome": outcome}, why


def _together(outcomes):
    """What conditions that must all hold make of a claim."""
    for outcome in (FAILS, NEEDS_CPUS, NOT_ASKED, TOO_LITTLE, UNCLEAR):
        if outcome in outcomes:
            return outcome
    return HOLDS


def _verdict(claim, mode, evidence, setting):
    parts = [_condition(condition, shown, claim, evidence, setting)
             for condition, shown in zip(claim.conditions_of(mode), claim.shown_of(mode))]
    found = [part for part, _ in parts]
    outcome = _together([part["outcome"] for part in found])
    why = next((reason for part, reason in parts if part["outcome"] == outcome), None)
    left_out = outcome == NOT_ASKED and mode in setting.modes
    if setting.effort == "quick" and (claim.full or left_out):
        outcome, why = NOT_ASKED, "it needs --full"
        found = [{**part, "outcome": NOT_ASKED} for part in found]
    if outcome != NOT_ASKED and setting.cpus < claim.cpus:
        outcome, why = NEEDS_CPUS, f"it takes {claim.cpus} CPUs, and {setting.cpus} may be used"
    return {"mode": mode, "outcome": outcome,
            "sentence": f"Not measured: {why}." if outcome == NOT_ASKED else sentences.fill(claim.sentence_of(mode), evidence),
            "why": None if outcome in (HOLDS, FAILS) else why, "conditions": found}


def judge_claims(claims, experiment, setting):
    """`claims` of an experiment's part of results.json, judged on its measurements and summary."""
    evidence = Evidence(experiment)
    return [{"name": claim.name, "claim": claim.claim, "source": claim.source, "reverse": claim.reverse,
             "verdicts": [_verdict(claim, mode, evidence, setting) for mode in claim.modes or (None,)]} for claim in claims]


def _title(name):
    return figures.FIGURES[name].title if name in figures.FIGURES else name


def _at(x, axis):
    if x is None:
        return ""
    if isinstance(x, str):
        return {"max": "the most", "min": "the fewest"}[x]
    unit = (axis or {}).get("unit") or ""
    return f"{x:,.15g}{' ' if unit else ''}{unit}"


def _words(node, points, axis, with_point, top=False):
    if isinstance(node, FigureOf):
        at = _at(points.get(node), axis) if with_point else ""
        return f"{node.subject} {_title(node.name)}" + (f" at {at}" if at else "")
    if isinstance(node, Operation):
        text = f"{_words(node.left, points, axis, with_point)} {node.sign} {_words(node.right, points, axis, with_point)}"
        return f"({text})" if node.sign in "+-" and not top else text
    return f"{node.value:g}" if isinstance(node, conditions.Number) else node.name


def text_of(node, points, axis):
    """An expression as people read it: `thread/event, CPU/request at 1,024`."""
    places = {points.get(figure) for figure in node.figures()}
    at = f" at {_at(*places, axis)}" if len(places) == 1 and None not in places else ""
    if isinstance(node, Operation) and node.sign == "/" and all(isinstance(side, FigureOf) for side in (node.left, node.right)):
        left, right = node.left, node.right
        if left.name == right.name and left.subject != right.subject and len(places) == 1:
            return f"{left.subject}/{right.subject}, {_title(left.name)}{at}"
        if left.name == right.name and left.subject == right.subject and None not in places:
            return f"{left.subject}, {_title(left.name)}, {_at(points.get(left), axis)}/{_at(points.get(right), axis)}"
    return _words(node, points, axis, len(places) > 1, top=True) + at
