# SPDX-License-Identifier: MIT
"""--baseline: a slowed build is called slower, and noise is not."""

import math
import re
from statistics import NormalDist

import pytest
import report_fixture
from lab.results import baseline, significance

RUNS = 40  # pairs of results for each kind of noise


def test_t_as_in_the_tables():
    for freedom, t, chance in ((1, 12.706, 0.05), (4, 2.776, 0.05), (10, 3.169, 0.01), (30, 2.042, 0.05), (4, 8.610, 0.001)):
        assert significance.two_sided(t, freedom) == pytest.approx(chance, abs=chance * 0.002)
    assert significance.two_sided(3, 1e6) == pytest.approx(2 * (1 - NormalDist().cdf(3)), abs=1e-6)
    assert (significance.two_sided(0, 5), significance.two_sided(math.inf, 5)) == (1.0, 0.0)
    assert significance.two_sided(99, 0) == 1.0


def test_ranks_are_exact():
    apart, mixed = ((1, 2, 3), (4, 5, 6)), ((1, 4, 5), (2, 3, 6))
    assert significance.ranks([apart]) == pytest.approx(2 / 20, abs=1e-7)
    assert significance.ranks([apart, apart]) == pytest.approx(2 / 400, abs=1e-7)
    assert significance.ranks([((1, 2, 3, 4, 5), (6, 7, 8, 9, 10))]) == pytest.approx(2 / 252, abs=1e-7)
    assert significance.ranks([mixed]) == 1.0
    assert significance.ranks([((1, 1, 1), (1, 1, 1))]) == 1.0


def test_holm():
    assert significance.holm([0.04, 0.001, 0.026, 0.01]) == [False, True, False, True]
    assert significance.holm([0.02, 0.02, 0.02]) == [False] * 3
    assert significance.holm([]) == []


def changes(old, new):
    return baseline.value(new, old)["changes"]


def scaled(results, factor, kinds=("mode", "ceiling"), figure="cpu_us_per_request"):
    """All of a figure's values times the factor, as if the machine had become slower."""
    for experiment in results["experiments"]:
        for entry in experiment["measurements"]:
            if figure in entry["figures"] and entry["kind"] in kinds:
                entry["figures"][figure] *= factor
        experiment["summary"] = report_fixture.summarised(experiment["measurements"])
    return results


def test_what_was_measured_in_another_way_is_not_compared():
    old, new = report_fixture.results(1), scaled(report_fixture.results(2), 2.0, ("mode",))
    assert changes(old, new)
    for experiment in new["experiments"]:
        experiment["one_cpu"] = True
    found = baseline.value(new, old)
    assert (found["changes"], found["unchanged"]) == ([], 0)
    assert any("not compared: server and client shared a CPU" in note for note in found["notes"])


# Simulated: each seed is a run of its own.
def wrong(**noise):
    return sum(bool(changes(report_fixture.results(2 * i, **noise), report_fixture.results(2 * i + 1, **noise)))
               for i in range(RUNS))


@pytest.mark.parametrize("noise", [
    {"sigma": 0.03}, {"sigma": 0.15}, {"sigma": 0.05, "outliers": 0.1}, {"sigma": 0.08, "rounds": 5}, {"sigma": 0.3, "rounds": 2},
])
def test_two_runs_of_the_same_build_are_not_called_different(noise):
    """The error rate over all figures of a report together is 5 % at most: 5 of 40 would come once in 20 such tests."""
    assert wrong(**noise) < 5


@pytest.mark.parametrize("factor, noise, least", [
    (1.2, {"sigma": 0.05}, 38), (1.5, {"sigma": 0.1}, 38), (1.15, {"sigma": 0.05, "rounds": 7}, 38),
    (1.5, {"sigma": 0.05, "outliers": 0.05}, 36),
])
def test_a_slowed_build_is_called_slower(factor, noise, least):
    found = 0
    for i in range(RUNS):
        called = changes(report_fixture.results(2 * i, **noise),
                         report_fixture.results(2 * i + 1, slower={"event": factor}, **noise))
        found += any((change["subject"], change["figure"], change["word"]) ==
                     ("event", "cpu_us_per_request", "slower") for change in called)
    assert found >= least


def test_a_build_that_lost_its_slowness_is_called_faster():
    called = changes(report_fixture.results(1, slower={"event": 1.4}), report_fixture.results(2))
    assert ("event", "cpu_us_per_request", "faster") in [(c["subject"], c["figure"], c["word"]) for c in called]


def test_a_slower_machine_is_not_a_slower_build():
    """The ceilings became slower, too."""
    for factor in (1.15, 1.5, 1 / 1.3):
        old, new = report_fixture.results(1, 0.02), scaled(report_fixture.results(2, 0.02), factor)
        assert [c for c in changes(old, new) if c["experiment"] == "scaling"] == []
        assert "put down to the machine" in " ".join(baseline.value(new, old)["notes"])


def test_what_other_programs_disturbed_must_move_further():
    """The ceilings lost 15 %, the event server a third: that is called where nothing but the machine was slower."""
    for marks, called in (([], {"event"}), (["disturbed"], set())):
        old, new = report_fixture.results(1, 0.02), scaled(report_fixture.results(2, 0.02, slower={"event": 1.15}), 1.15)
        for row in new["experiments"][0]["summary"]:
            row["marks"] = marks
        assert {c["subject"] for c in changes(old, new)
                if (c["experiment"], c["figure"]) == ("scaling", "cpu_us_per_request")} == called


def test_rates_and_latencies_that_other_programs_disturbed_are_not_judged():
    old, new = report_fixture.results(1, 0.02), report_fixture.results(2, 0.02, slower={"event": 3})
    for row in new["experiments"][0]["summary"]:
        row["marks"] = ["disturbed"]
    assert {c["figure"] for c in changes(old, new) if c["experiment"] == "scaling"} == {"cpu_us_per_request"}
    assert "rates and latencies are not judged" in " ".join(baseline.value(new, old)["notes"])


def test_a_slower_build_on_a_slower_machine():
    old, new = report_fixture.results(1, 0.02), scaled(report_fixture.results(2, 0.02, slower={"event": 1.6}), 1.15)
    assert {c["subject"] for c in changes(old, new) if c["experiment"] == "scaling"} == {"event"}


def words(old, new):
    """What a report says of it."""
    found = baseline.value(new, old)
    return "\n".join([baseline.heading(found), *found["failures"], *map(baseline.line, found["changes"]), baseline.closing(found),
                      *found["notes"]])


def test_text():
    old, new = report_fixture.results(1, 0.02), report_fixture.results(2, 0.02, slower={"event": 1.5})
    text = words(old, new)
    assert re.search(r"scaling: event is slower: CPU per request \+\d\d % at all points \(7.* µs to 1.* µs at 1,024\)", text), text
    assert re.search(r"Since 2026-11-24T20:00:00\+00:00, commit 0123456789ab", text), text
    assert re.search(r"No clear difference in \d+ other figures\.", text), text
    assert "with 3 rounds only large" in text
    assert all(change["worse"] for change in changes(old, new))


def test_one_round_says_nothing():
    old, new = report_fixture.results(1, rounds=1), report_fixture.results(2, rounds=1, slower={"event": 3})
    text = words(old, new)
    assert changes(old, new) == []
    assert "figures of one round only cannot be told from noise" in text
    assert "No clear difference in any of" in text


def test_a_figure_without_noise():
    old, new = report_fixture.results(1), report_fixture.results(2)
    for results, size in ((old, 100_000), (new, 103_000)):
        made = [report_fixture.measurement("event", None, i, {"user_bytes_per_connection": size}) for i in (1, 2)]
        results["experiments"] = [report_fixture.experiment("price", [report_fixture.MEMORY], made, chart="bar")]
    assert [(c["word"], round(c["ratio"], 2)) for c in changes(old, new)] == [("worse", 1.03)]


def test_from_nothing_to_something():
    old, new = report_fixture.results(1), report_fixture.results(2)
    for results, counts in ((old, (0, 0, 0)), (new, (50, 55, 52))):
        made = [report_fixture.measurement(subject, None, i + 1, {
            "switches_per_request": count if subject == "event" else 50 + i})
                for i, count in enumerate(counts) for subject in ("event", "thread", "pool")]
        results["experiments"] = [report_fixture.experiment("s", [report_fixture.SWITCHES], made)]
    assert [(c["subject"], c["word"]) for c in changes(old, new)] == [("event", "worse")]


def test_failures_and_other_machines():
    old, new = report_fixture.results(1), report_fixture.results(2)
    row = new["experiments"][0]["summary"][0]
    row.update(failure={"kind": "died", "reason": "signal 11"}, figures={})
    new["machine"]["cpu"] = "Another CPU"
    new["experiments"] = new["experiments"][:2]
    text = words(old, new)
    assert "scaling: thread at 1 connection: no figure any more: the server died: signal 11" in text
    assert "not the same machine: cpu was A CPU, is Another CPU" in text
    assert "not measured this time: blocked-loop, bodies" in text
    assert "has figures now; before: the server died" in words(new, old)


@pytest.mark.parametrize("figure", ["rps", "p99_us"])
def test_rates_and_latencies_that_the_client_limited_are_not_judged(figure):
    old, new = (scaled(report_fixture.results(i, 0.02), 1 + i, ("mode",), figure) for i in (0, 1))
    named = {c["experiment"] for c in changes(old, new) if (c["subject"], c["figure"]) == ("event", figure)}
    assert "scaling" in named
    for row in new["experiments"][0]["summary"]:
        row["marks"] = ["client_limited"]
    assert [c for c in changes(old, new) if (c["experiment"], c["figure"]) == ("scaling", figure)] == []


def test_nothing_in_common():
    other = report_fixture.results(1)
    other["experiments"] = []
    assert "There is no figure that both results have." in words(other, report_fixture.results(2))
