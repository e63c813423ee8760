# SPDX-License-Identifier: MIT
"""What the figures allow to be said of a statement: it holds, it fails, or they do not decide it."""

from . import rules

HOLDS, FAILS, UNCLEAR = "holds", "fails", "unclear"
_SPOILED = {"disturbed", "throttled"}  # marks of rows that refute nothing: noise hides differences, it does not make them


def _outcome(conditions, experiment):
    """(outcome, the judgements that did not come out true)."""
    judgements = [rules.judge(condition, experiment) for condition in conditions]
    open_ones = [judgement for judgement in judgements if judgement.outcome is not True]
    if any(judgement.outcome is False for judgement in judgements):
        return FAILS, open_ones
    return (UNCLEAR if open_ones else HOLDS), open_ones


def _spoiled(conditions, experiment):
    """Whether a figure that was judged was taken while others used the CPUs."""
    subjects = {figure.subject for condition in conditions for figure in condition.figures}
    return any(_SPOILED & set(row["marks"]) for row in experiment["summary"] if row["subject"] in subjects)


def judge(rule, experiment):
    """{"outcome", "sentence"} of an experiment's rule on its summary."""
    try:
        outcome, doubts = _outcome(rule.conditions, experiment)
        sentence = rules.fill(rule.sentence, experiment)
    except rules.Missing as missing:
        return {"outcome": UNCLEAR, "sentence": f"Not decided: {missing}."}
    if outcome == FAILS and _spoiled(rule.conditions, experiment):
        return {"outcome": UNCLEAR, "sentence": f"Other programs used the CPUs: measure again. {sentence}"}
    if outcome == UNCLEAR:
        sentence = f"No clear difference ({'; '.join(doubt.text for doubt in doubts)}). {sentence}"
    return {"outcome": outcome, "sentence": sentence}
