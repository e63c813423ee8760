# SPDX-License-Identifier: MIT
"""The verdicts of a whole run: the noise floor first, which all of them depend on."""

from dataclasses import replace

from .judge import Setting, judge_claims
from .noise import measure


def _rests_on(claims):
    """The figures that claims compare, of which a twin's difference is noise that matters."""
    found = {}
    for claim in claims:
        for mode in claim.modes or (None,):
            for condition in claim.conditions_of(mode):
                found |= dict.fromkeys(figure.name for figure in condition.figures)
    return tuple(found)


def _alike(experiment, experiments):
    """Names of those with server and client on one CPU, or of those without, whichever this one is."""
    return {other["name"] for other in experiments if bool(other.get("one_cpu")) == bool(experiment.get("one_cpu"))}


def fill_verdicts(results, claims):
    """Fills in `noise`, and the `claims` of the experiments that are named in `claims`; others keep what they have."""
    experiments = results["experiments"]
    noise = measure(experiments, {name: _rests_on(of) for name, of in claims.items()})
    given = results.get("parameters", {})
    setting = Setting(len(results["machine"]["cpus_usable"]), noise, given.get("effort", "full"), tuple(given.get("modes", ())))
    results["noise"] = noise.as_dict()
    for experiment in experiments:
        if experiment["name"] in claims:
            experiment["claims"] = judge_claims(claims[experiment["name"]], experiment,
                                                 replace(setting, noise=noise.of(experiment["name"], _alike(experiment, experiments))))
