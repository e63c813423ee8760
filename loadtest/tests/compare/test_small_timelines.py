# SPDX-License-Identifier: MIT
"""Which small timelines a comparison takes, and what becomes of those that cannot be taken."""

from types import SimpleNamespace

import pytest
import timeline_fixture
from lab.compare import timelines
from lab.compare.experiment import Timeline
from lab.text.errors import LabError
from lab.timeline import record

LAB = SimpleNamespace(cpus=frozenset({0, 1}), server="/nonexistent/echod")
MODES = [SimpleNamespace(name=name) for name in ("event", "hybrid", "uring")]


def trial(name, *modes, cpus=2, cells=(1,)):
    shown = Timeline(modes, (0, 95), "blocking", cpus) if modes else None
    return SimpleNamespace(experiment=SimpleNamespace(name=name, timeline=shown), cells=cells, timelines=[])


class Recorder:
    """In the place of the real one."""

    made = []

    def __init__(self, _binary, _with_schedule, server, _allowed):
        self.cpus = server

    def record(self, mode):
        Recorder.made.append((mode, len(self.cpus)))
        if mode == "uring":
            raise LabError("io_uring is forbidden")
        return timeline_fixture.blocked_loop() if mode == "event" else timeline_fixture.with_workers()


@pytest.fixture(autouse=True)
def recorder(monkeypatch):
    monkeypatch.setattr(record, "Recorder", Recorder)
    Recorder.made = []


def test_only_what_was_measured_and_chosen():
    trials = [trial("a", "event", "thread"), trial("b"), trial("c", "event", cells=())]
    assert timelines.wanted(trials, MODES) == [(trials[0], "event")]


def test_a_mode_runs_once_for_all_that_show_it_with_as_many_cpus():
    trials = [trial("a", "event", "hybrid"), trial("b", "event"), trial("c", "event", cpus=1)]
    timelines.take(trials, MODES, LAB)
    assert Recorder.made == [("event", 2), ("hybrid", 2), ("event", 1)]
    assert [[drawn["mode"] for drawn in one.timelines] for one in trials] == [["event", "hybrid"], ["event"], ["event"]]
    assert all(drawn["window_ms"] == [0, 95] and drawn["groups"] for one in trials for drawn in one.timelines)


def test_what_cannot_be_recorded_is_told_and_left_out(capsys):
    one = trial("a", "uring", "event")
    timelines.take([one], MODES, LAB)
    assert capsys.readouterr().err == "compare: a: no timeline of uring: io_uring is forbidden\n"
    assert [drawn["mode"] for drawn in one.timelines] == ["event"]
