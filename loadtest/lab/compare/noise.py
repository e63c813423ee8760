# SPDX-License-Identifier: MIT
"""How far figures can be trusted in a run: the two thresholds of the project, and the noise floor below which neither goes.

An experiment may measure a mode twice under two names (`twin` in its file), in the same rounds. Any difference between the twins is
noise, because they are the same program. The largest ratio between the twins of an experiment is its noise floor. An experiment
without twins takes the largest ratio of the run's experiments of the same kind: with server and client on one CPU, or on their own.
"""

from dataclasses import dataclass
from statistics import median

from ..servers.subjects import TWIN

DIFFERENT = 1.15  # the smallest ratio that is called a difference
SAME = 1.10  # the largest ratio that is called the same
_LARGEST = 1e6


@dataclass(frozen=True)
class Noise:
    """The thresholds in force in a run."""

    figures: tuple = ()  # of every twin: experiment, x, figure and ratio
    target: str | None = None  # the mode that was measured twice

    def of(self, experiment, alike):
        """The noise of an experiment: its own, if it has twins, else that of those which are measured alike."""
        own = tuple(figure for figure in self.figures if figure["experiment"] == experiment)
        return Noise(own or tuple(figure for figure in self.figures if figure["experiment"] in alike), self.target)

    @property
    def largest(self):
        """The noise floor; 1 where there was no twin."""
        return max((figure["ratio"] for figure in self.figures), default=1.0)

    @property
    def different(self):
        return max(DIFFERENT, self.largest)

    @property
    def same(self):
        return max(SAME, self.largest)

    def as_dict(self):
        return {"target": self.target, "twin": self.target and self.target + TWIN, "figures": list(self.figures),
                "largest": self.largest, "different": self.different, "same": self.same}


def paired(one, other):
    """The ratios of two figures' values, round by round. `one`, `other`: values by round. A division of 0 by 0 says nothing."""
    ratios = []
    for number in sorted(set(one) & set(other)):
        if other[number]:
            ratios.append(one[number] / other[number])
        elif one[number]:
            ratios.append(_LARGEST)
    return ratios


def measure(experiments, names):
    """The noise of a run. `names`: by experiment, the figures whose twins count: those that its claims rest on."""
    found, target = [], None
    for experiment in experiments:
        values = {}
        for entry in experiment["measurements"]:
            for name in names.get(experiment["name"], ()) if not entry["failure"] else ():
                if name in entry["figures"]:
                    values.setdefault((entry["subject"], entry["x"], name), {})[entry["round"]] = entry["figures"][name]
        for (subject, x, name), twin in values.items():
            original = values.get((subject.removesuffix(TWIN), x, name)) if subject.endswith(TWIN) else None
            ratios = paired(twin, original) if original else []
            if ratios and median(ratios) > 0:
                target = subject.removesuffix(TWIN)
                middle = median(ratios)
                single = max(max(ratio, 1 / ratio) for ratio in ratios if ratio > 0)
                found.append({"experiment": experiment["name"], "x": x, "figure": name, "ratio": max(middle, 1 / middle), "single": single})
    return Noise(tuple(found), target)
