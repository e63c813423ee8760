# SPDX-License-Identifier: MIT
"""Experiments as data: a TOML file in loadtest/experiments/ for each, read and checked whole before a run.

    title                     what it is about, in a few words
    about                     how it is measured, a paragraph
    method                    one of lab/methods/, which says what [workload] may hold
    modes                     the modes it is about [all]
    ceilings                  whether the parse-less servers are measured beside them: true, false, or "full" [false]
    figures, chart            names of lab/results/figures.py; which of them is drawn, as "line" or "bar"
    [flags]                   flags added for a mode:  event = ["--loops", "1"]; {x} in them is the point of the axis
    [[variants]]              further subjects: name, mode, flags
    [[programs]]              instead of modes, programs that serve nothing: name, arguments (what the method makes of them)
    [x]                       the axis: name, title, unit, log; absent where there is one point
    [workload]                what the method is to do
    [quick], [full]           x (numbers, or "most" and "cpus"), rounds, seconds, modes (some of those above, variants too), and changes
                              to [workload]; without [quick] the experiment needs --full
    one_cpu                   whether server and client share the server's first CPU, for figures of CPU per request: if they wake each
                              other up on two CPUs, the cost of that varies widely on a virtual machine [false]
    [timeline]                a small picture of a run of its own (lab/timeline/): modes, window (ms from and to), shows (waiting, blocking or
                              computing), cpus (of the server) [none]
    twin                      a mode that is measured a second time as NAME-twin: any difference between the two is noise [none]
    [[claims]]                the claims to test: claims.py
"""

import tomllib
from dataclasses import dataclass, field

from ..machine.command import ROOT
from ..results.figures import FIGURES
from ..text.errors import LabError, UsageError
from . import claims

FOLDER = ROOT / "loadtest" / "experiments"
ORDER = ("memory", "scaling", "switch-cost", "oversubscription", "time-slices", "cores", "blocked-loop", "waiting", "futures", "work-mix",
         "isolation", "churn", "slow-clients", "overload", "bytes", "races", "deadlock", "thread-safety", "shutdown", "debugging", "price")
EFFORTS = ("quick", "full")
_CEILINGS = {True: EFFORTS, "full": ("full",), False: ()}
_SYMBOLS = ("most", "cpus")
_TEXTS = ("title", "about", "method")
_KEYS = {*_TEXTS, "modes", "ceilings", "figures", "chart", "flags", "variants", "programs", "x", "workload", "one_cpu", "timeline", "twin",
         "claims", *EFFORTS}


@dataclass(frozen=True)
class Axis:
    name: str
    title: str
    unit: str = ""
    log: bool = True

    def as_dict(self):
        return vars(self)


@dataclass(frozen=True)
class Variant:
    """A mode with flags, under a name of its own."""

    name: str
    mode: str
    flags: tuple = ()


@dataclass(frozen=True)
class Program:
    """A program of the method, run with arguments."""

    name: str
    arguments: tuple


@dataclass(frozen=True)
class Timeline:
    """What of the timeline's script an experiment shows beside its figures."""

    modes: tuple
    window: tuple  # ms
    shows: str
    cpus: int = 2


@dataclass(frozen=True)
class Effort:
    x: tuple  # points; (None,) where there is one
    rounds: int
    seconds: float
    workload: dict
    modes: tuple = ()  # those of the experiment that are measured with this effort; none: all


@dataclass(frozen=True)
class Experiment:
    name: str
    title: str
    about: str
    method: str
    axis: Axis | None
    figures: tuple
    chart: dict
    claims: tuple
    efforts: dict
    modes: tuple = ()  # names; none: every mode
    ceilings: tuple = ()  # the efforts in which they stand beside the modes
    flags: dict = field(default_factory=dict)
    variants: tuple = ()
    programs: tuple = ()  # if there are any, it is about these, and about no mode
    one_cpu: bool = False
    twin: str | None = None
    timeline: Timeline | None = None

    def as_dict(self):
        """What results.json says of it before anything is measured."""
        return {"name": self.name, "title": self.title, "about": self.about, "one_cpu": self.one_cpu, "x": self.axis.as_dict() if self.axis else None,
                "figures": [FIGURES[name].as_dict() for name in self.figures], "chart": self.chart}


def _effort(table, workload, has_axis):
    own = {key: value for key, value in table.items() if key not in ("x", "rounds", "seconds", "modes")}
    x = tuple(table["x"]) if has_axis else (None,)
    for point in x if has_axis else ():
        if point not in _SYMBOLS and not (isinstance(point, int) and point >= 0):
            raise ValueError(f"x: {point!r} is no number and none of {', '.join(_SYMBOLS)}")
    if not x or table["rounds"] < 1 or table["seconds"] <= 0:
        raise ValueError("x, rounds and seconds must not be empty")
    return Effort(x, table["rounds"], float(table["seconds"]), {**workload, **own}, tuple(table.get("modes", ())))


def _timeline(table):
    made = Timeline(**{**table, "modes": tuple(table["modes"]), "window": tuple(table["window"])})
    start, end = made.window
    if not 0 <= start < end or made.shows not in ("waiting", "blocking", "computing") or made.cpus not in (1, 2):
        raise ValueError("timeline: not a window from and to, something that it shows, and one or two CPUs")
    return made


def _checked_figures(data):
    for name in [*data["figures"], data["chart"]["figure"]]:
        if name not in FIGURES:
            raise ValueError(f"no figure {name!r} in lab/results/figures.py")
    if data["chart"]["figure"] not in data["figures"] or data["chart"]["type"] not in ("line", "bar"):
        raise ValueError("chart: not one of the figures, or neither line nor bar")
    return tuple(data["figures"])


def from_table(name, data):
    """The experiment that a parsed file describes; ValueError, KeyError, TypeError or UsageError where it does not."""
    if unknown := sorted(set(data) - _KEYS):
        raise ValueError(f"unknown key {unknown[0]!r}")
    axis = Axis(**data["x"]) if "x" in data else None
    workload, one_cpu = data.get("workload", {}), data.get("one_cpu", False)
    return Experiment(
        name=name,
        **{key: " ".join(data[key].split()) for key in _TEXTS},
        axis=axis,
        figures=_checked_figures(data),
        chart=data["chart"],
        claims=claims.from_tables(data["claims"], one_cpu),
        efforts={effort: _effort(data[effort], workload, axis is not None) for effort in EFFORTS if effort in data or effort == "full"},
        modes=tuple(data.get("modes", ())),
        ceilings=_CEILINGS[data.get("ceilings", False)],
        flags={mode: tuple(flags) for mode, flags in data.get("flags", {}).items()},
        variants=tuple(Variant(entry["name"], entry["mode"], tuple(entry["flags"])) for entry in data.get("variants", ())),
        programs=tuple(Program(entry["name"], tuple(entry["arguments"])) for entry in data.get("programs", ())),
        one_cpu=one_cpu,
        twin=data.get("twin"),
        timeline=_timeline(data["timeline"]) if "timeline" in data else None,
    )


def load(path):
    try:
        return from_table(path.stem, tomllib.loads(path.read_text(encoding="utf-8")))
    except KeyError as error:
        raise LabError(f"{path.name}: no {error.args[0]}") from None
    except (OSError, ValueError, TypeError, UsageError) as error:
        raise LabError(f"{path.name}: {error}") from None


def load_all(folder=FOLDER):
    """Every experiment, in the order in which they are told; files that the order does not name come last."""
    paths = {path.stem: path for path in sorted(folder.glob("*.toml"))}
    names = [name for name in ORDER if name in paths] + [name for name in paths if name not in ORDER]
    return [load(paths[name]) for name in names]


def choose(experiments, asked=None):
    """The experiments named (commas between), or all."""
    if not asked:
        return experiments
    known = [experiment.name for experiment in experiments]
    names = [name.strip() for name in asked.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UsageError(f"--only: {name!r} is none of {', '.join(known)}")
    if not names:
        raise UsageError("--only: no experiment given")
    return [experiment for experiment in experiments if experiment.name in names]
