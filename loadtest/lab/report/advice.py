# SPDX-License-Identifier: MIT
"""Which one, when?: a line for each kind of work, worded by the verdicts of the claims that carry it, on the machine where
they were taken. loadtest/report/advice.toml holds the lines."""

import tomllib

from ..machine.command import ROOT
from ..results import view

FILE = ROOT / "loadtest" / "report" / "advice.toml"
_MEASURED = (view.UNDECIDED, "too little measured")  # outcomes whose sentence has figures
_SENTENCES_MAX = 3  # of verdicts, in a line; the others are behind its links
HOLDS, FAILS = "holds", "does not hold"
_ABSENT = view.Verdict("", "not asked", "", "its experiment is not part of these results", ())


def load(path=FILE):
    """The lines: when, choose, because, claims, otherwise (choose and because where a claim does not hold)."""
    return tomllib.loads(path.read_text(encoding="utf-8"))["advice"]


def _verdicts(reference, claims):
    """The verdicts behind `experiment.claim`, or of one mode behind `experiment.claim:mode`."""
    anchor, _, mode = reference.partition(":")
    found = [verdict for verdict in (claims[anchor].verdicts if anchor in claims else ()) if not mode or verdict.mode == mode]
    return found or [_ABSENT]


def _outcome(verdicts):
    """That of all together: one that does not hold decides, else one that is open."""
    outcomes = [verdict.outcome for verdict in verdicts]
    return FAILS if FAILS in outcomes else next((outcome for outcome in outcomes if outcome != HOLDS), HOLDS)


def _sentences(verdicts):
    """What was seen: each sentence once, after the modes of which it is told unless it names them."""
    modes = {}
    for verdict in verdicts:
        if verdict.sentence:
            modes.setdefault(verdict.sentence, []).append(verdict.mode)
    return [f"{', '.join(names)}: {sentence}" if all(names) and names[0] not in sentence else sentence
            for sentence, names in modes.items()]


def _reasons(verdicts):
    """Why they are open: each reason once, after the modes of which it is told."""
    modes = {}
    for verdict in verdicts:
        if verdict.why:
            modes.setdefault(verdict.why.rstrip("."), []).append(verdict.mode)
    told = []
    for why, names in modes.items():
        named = ", ".join(dict.fromkeys(names)) if all(names) and len(verdicts) > 1 else ""
        told.append(f"{named}: {why}" if named and not why.startswith(f"{named}:") else why)
    return told


def _told(verdicts):
    """What was seen, as much as a line holds."""
    sentences = _sentences(verdicts)
    more = len(sentences) - _SENTENCES_MAX
    return " ".join(sentences[:_SENTENCES_MAX]) + (f" {more} more figures stand behind the links." if more > 1 else " One more figure stands behind the links."
                                                   if more == 1 else "")


def _because(line, outcome, verdicts):
    deciding = [verdict for verdict in verdicts if verdict.outcome == outcome]
    settled = [verdict for verdict in verdicts if verdict.outcome == HOLDS and outcome != HOLDS]
    measured = outcome in _MEASURED and not any("not measured" in verdict.sentence for verdict in deciding)
    seen = _told(settled + (deciding if measured or outcome in (HOLDS, FAILS) else []))
    if outcome == HOLDS:
        return f"{line['because']} {seen}".strip()
    if outcome == FAILS:
        return f"{line['otherwise']['because']} {seen}".strip()
    why = "; ".join(_reasons(deciding))
    lead = "Not settled on this machine" if outcome == view.UNDECIDED else f"{'Only in part' if settled else 'Not'} answered by this run"
    return f"{lead}, so this is only the usual advice: {why or outcome}. {seen}".strip()


def of(results, lines=None):
    """The lines for results["advice"], made of those of the file."""
    claims = {claim.anchor: claim for experiment in view.experiments(results) for claim in experiment.claims}
    found = []
    for line in load() if lines is None else lines:
        carried, modes = {}, {}  # by claim
        for reference in line["claims"]:
            anchor, _, mode = reference.partition(":")
            carried.setdefault(anchor, []).extend(_verdicts(reference, claims))
            modes.setdefault(anchor, []).extend([mode] if mode else [])
        verdicts = [verdict for of_claim in carried.values() for verdict in of_claim]
        outcome = _outcome(verdicts)
        found.append({"when": line["when"], "choose": line["otherwise"]["choose"] if outcome == FAILS else line["choose"],
                      "because": _because(line, outcome, verdicts),
                      "claims": list(carried), "modes": [", ".join(of_claim) for of_claim in modes.values()],
                      "outcomes": [_outcome(of_claim) for of_claim in carried.values()], "outcome": outcome})
    return found
