# SPDX-License-Identifier: MIT
"""The small timelines beside some experiments: of runs of their own, made when all measurements are over."""

from ..text import streams
from ..text.errors import LabError
from ..timeline import record, sched, value

EACH = 2.5  # seconds that one takes, about


def wanted(trials, chosen):
    """[(trial, mode)] to be drawn: of the experiments that were measured, the modes that this run is about."""
    names = {mode.name for mode in chosen}
    return [(trial, mode) for trial in trials if trial.experiment.timeline and trial.cells for mode in trial.experiment.timeline.modes
            if mode in names]


def take(trials, chosen, lab):
    """Records what is wanted, each mode once for the same CPUs. What cannot be recorded is not drawn; a line says why."""
    recorders, runs = {}, {}
    for trial, mode in wanted(trials, chosen):
        shown = trial.experiment.timeline
        try:
            if (mode, shown.cpus) not in runs:
                recorder = recorders.setdefault(shown.cpus, _recorder(lab, shown.cpus))
                runs[mode, shown.cpus] = recorder.record(mode)
            trial.timelines.append(value.small(runs[mode, shown.cpus], shown.window, shown.shows))
        except LabError as error:
            streams.note(f"compare: {trial.experiment.name}: no timeline of {mode}: {error}")


def _recorder(lab, count):
    chosen = record.server_cpus(lab.cpus)
    return record.Recorder(lab.server, sched.unavailable() is None, frozenset(sorted(chosen)[:count]), lab.cpus)
