# SPDX-License-Identifier: MIT
"""From measurements to verdicts: the rules, fed with made-up rounds."""

from dataclasses import replace

import pytest
from lab.compare import claims, judge, noise, verdicts
from lab.results import aggregate
from lab.text.errors import UsageError

CPU, RPS, P99 = "cpu_us_per_request", "rps", "p99_us"


def rounds(subject, x, values, figure=CPU, marks=(), samples=5000, failure=None):
    """Measurements of one subject at one point, a value for each round."""
    return [{"subject": subject, "kind": "mode", "x": x, "round": number, "failure": failure,
             "figures": {} if failure else {figure: value}, "samples": {figure: samples} if samples else {}, "marks": list(marks)}
            for number, value in enumerate(values, 1)]


def experiment(*groups, axis=None):
    measurements = [entry for group in groups for entry in group]
    return {"name": "made-up", "x": axis, "measurements": measurements, "summary": aggregate.rows(measurements, CPU, {})}


GOOD_CLAIM = {"name": "c", "claim": "C.", "source": "S", "reverse": "R.", "sentence": "Seen."}


def claim(*conditions, **more):
    return claims.from_table({**GOOD_CLAIM, "conditions": list(conditions), **more})


def setting(cpus=2, floor=1.0):
    return judge.Setting(cpus, noise.Noise(({"experiment": "made-up", "x": 64, "figure": CPU, "ratio": floor},), "event"))


def verdict(of, found, **more):
    return judge.judge_claims([of], found, setting(**more))[0]["verdicts"][0]


DIFFERENT = experiment(rounds("thread", 64, (20, 21, 22)), rounds("event", 64, (10, 11, 10)))
SAME = experiment(rounds("thread", 64, (10.1, 12.1, 11)), rounds("event", 64, (10, 12, 11)))
RATIO = f"thread.{CPU} / event.{CPU}"


def test_values_are_paired_by_the_number_of_their_round():
    # Apart they range from 10.1/12 to 12.1/10; in each round they are the same within 1 %.
    found = verdict(claim(f"{RATIO} <= SAME"), SAME)["conditions"][0]
    assert (found["outcome"], found["rounds"]) == ("holds", 3)
    assert found["high"] / found["low"] < 1.02


def test_what_stands_on_the_page():
    found = verdict(claim(f"{RATIO} >= 1.3"), DIFFERENT)
    assert found["conditions"] == [{
        "text": "thread/event, CPU/request at 64", "ratio": 2.0, "low": 21 / 11, "high": 2.2, "sign": ">=", "wanted": 1.3, "rounds": 3,
        "coverage": 0.75, "samples": 5000, "outcome": "holds"}]
    assert (found["outcome"], found["why"], found["mode"]) == ("holds", None, None)


@pytest.mark.parametrize("condition, outcome", [
    (f"{RATIO} >= 1.3", "holds"), (f"{RATIO} >= 2.5", "does not hold"), (f"{RATIO} >= 2", "no clear answer"),
    (f"{RATIO} <= SAME", "does not hold"), (f"{RATIO} >= DIFFERENT", "holds"),
])
def test_outcomes_of_an_interval(condition, outcome):
    assert verdict(claim(condition), DIFFERENT)["outcome"] == outcome


@pytest.mark.parametrize("conditions, outcome", [
    ((f"{RATIO} >= 1.3", f"{RATIO} <= 3"), "holds"), ((f"{RATIO} >= 1.3", f"{RATIO} >= 2"), "no clear answer"),
    ((f"{RATIO} >= 2", f"{RATIO} >= 3"), "does not hold"), ((f"{RATIO} >= 1.3", f"pool.{CPU} / event.{CPU} >= 2"), "not asked"),
])
def test_every_condition_must_hold(conditions, outcome):
    assert verdict(claim(*conditions), DIFFERENT)["outcome"] == outcome


def test_a_division_by_0():
    found = experiment(rounds("thread", 64, (1, 1, 1), "switches_per_request"), rounds("event", 64, (0, 0, 0), "switches_per_request"))
    outcome = verdict(claim("thread.switches_per_request / event.switches_per_request >= 5"), found)["outcome"]
    assert outcome == "holds"


@pytest.mark.parametrize("condition", [
    f"thread.{CPU} @ max / thread.{CPU} @ min >= 1.3", f"thread.{CPU} @ 1024 / thread.{CPU} @ 64 >= 1.3",
    f"thread.{CPU} @ max / event.{CPU} @ max >= 1.3", f"thread.{CPU} / event.{CPU} >= 1.3",
])
def test_points(condition):
    found = experiment(rounds("thread", 64, (10, 10, 10)), rounds("thread", 1024, (20, 20, 20)), rounds("event", 64, (5, 5, 5)))
    assert verdict(claim(condition), found)["conditions"][0]["ratio"] == 2


def test_a_point_holds_for_the_figures_before_it_that_have_none():
    found = experiment(rounds("thread", 64, (10, 10, 10)), rounds("thread", 1024, (20, 20, 20)), rounds("event", 64, (5, 5, 5)),
                       rounds("event", 1024, (5, 5, 5)))
    assert verdict(claim(f"thread.{CPU} / event.{CPU} @ 64 >= 1.3"), found)["conditions"][0]["ratio"] == 2
    found = experiment(rounds("event", 64, (5, 5, 5)))
    for low in ("min", 64):
        only_one = verdict(claim(f"event.{CPU} @ max / event.{CPU} @ {low} <= SAME"), found)
        assert (only_one["outcome"], only_one["why"]) == ("not asked", "only one point of the axis was measured")


def test_figures_on_the_left_only():
    with pytest.raises(UsageError):
        claim(f"thread.{CPU} >= event.{CPU}")


# No verdict from too little.


def test_rounds():
    for count, outcome in ((1, "too little measured"), (2, "too little measured"), (3, "holds")):
        found = experiment(rounds("thread", 64, (20, 21, 22)[:count]), rounds("event", 64, (10, 11, 10)[:count]))
        assert verdict(claim(f"{RATIO} >= 1.3"), found)["outcome"] == outcome


def test_requests_in_a_window():
    # 69 and 74 requests a window: a run called threads 1.7 times as dear, which are equal.
    found = experiment(rounds("thread", 64, (510, 500, 520), samples=69), rounds("event", 64, (301, 310, 300), samples=74))
    said = verdict(claim(f"{RATIO} >= 1.3"), found)
    assert (said["outcome"], said["why"]) == ("too little measured", f"thread.{CPU} rests on 69 samples a round, 1,000 are needed")


def test_a_p99_is_of_all_rounds_together():
    for samples, outcome in ((191, "too little measured"), (400, "holds")):
        found = experiment(rounds("event", 64, (900, 1000, 950), P99, samples=samples), rounds("hybrid", 64, (9, 10, 9), P99, samples=samples))
        assert verdict(claim(f"event.{P99} / hybrid.{P99} >= 10"), found)["outcome"] == outcome


def test_counts_need_rounds_that_agree():
    for values, outcome in (((9, 9, 9), "holds"), ((9, 9, 7), "no clear answer"), ((7, 6, 7), "does not hold"), ((9, 9), "too little measured")):
        found = experiment(rounds("process", None, values, "answers", samples=None))
        assert verdict(claim("process.answers >= 8", counts=True), found)["outcome"] == outcome


def test_what_is_not_there():
    failed = experiment(rounds("thread", 64, (0, 0, 0), failure={"kind": "limit", "reason": "at most 9,000"}), rounds("event", 64, (1, 1, 1)))
    said = verdict(claim(f"{RATIO} >= 1.3"), failed)
    assert (said["outcome"], said["why"]) == ("too little measured", "thread: at most 9,000")
    said = verdict(claim(f"pool.{CPU} / event.{CPU} >= 1.3"), DIFFERENT)
    assert (said["outcome"], said["why"], said["sentence"]) == ("not asked", "pool was not measured", "Not measured: pool was not measured.")


def test_thresholds_are_never_below_the_noise_floor():
    near = experiment(rounds("thread", 64, (13, 13, 13)), rounds("event", 64, (10, 10, 10)))
    for floor, different, same in ((1.05, "holds", "does not hold"), (1.5, "no clear answer", "no clear answer")):
        for sign, threshold, outcome in ((">=", "DIFFERENT", different), ("<=", "SAME", same)):
            said = verdict(claim(f"{RATIO} {sign} {threshold}"), near, floor=floor)
            assert said["outcome"] == outcome
            assert said["conditions"][0]["wanted"] >= floor
    said = verdict(claim(f"{RATIO} >= 1.2"), near, floor=1.4)
    assert (said["outcome"], said["why"]) == ("no clear answer", "the difference is within the noise of this run, 1.40 times")


def test_noise_never_makes_it_easier_to_be_equal():
    equal = experiment(rounds("thread", 64, (10, 10, 10)), rounds("event", 64, (10, 10, 10)))
    for floor in (1.0, 2.0):
        assert verdict(claim(f"{RATIO} <= SAME"), equal, floor=floor)["outcome"] == "holds"
        assert verdict(claim(f"{RATIO} >= DIFFERENT"), equal, floor=floor)["outcome"] == "does not hold"
    unlike = experiment(rounds("thread", 64, (14, 14, 14)), rounds("event", 64, (10, 10, 10)))
    said = verdict(claim(f"{RATIO} <= SAME"), unlike, floor=1.6)
    assert (said["outcome"], said["why"]) == ("no clear answer", "the noise of this run, 1.60 times, can hide a difference")


def test_noise_can_hide_a_difference_and_shows_one_only_beyond_the_floor():
    def disturbed(thread, floor=1.2):
        found = experiment(rounds("thread", 64, thread, marks=["disturbed"]), rounds("event", 64, (10, 10, 10)))
        return [verdict(claim(f"{RATIO} {condition}"), found, floor=floor)["outcome"] for condition in (">= 1.15", "<= 1.1")]
    assert disturbed((20, 20, 20)) == ["holds", "does not hold"]  # larger than any noise here
    assert disturbed((11.8, 11.8, 11.8)) == ["no clear answer", "no clear answer"]  # a difference, but not beyond the floor
    assert disturbed((10, 10, 10)) == ["no clear answer", "no clear answer"]  # equal: or hidden
    assert disturbed((5, 5, 5)) == ["does not hold", "holds"]  # clearly the other way round


@pytest.mark.parametrize("mark, figure, outcome", [
    ("implausible", CPU, "no clear answer"), ("client_limited", RPS, "no clear answer"), ("shared", RPS, "no clear answer"),
    ("shared", P99, "no clear answer"), ("shared", CPU, "holds"), ("client_limited", CPU, "holds"), ("client_limited", P99, "no clear answer"),
    ("noisy", CPU, "holds"),
])
def test_marks_that_decide_nothing(mark, figure, outcome):
    found = experiment(rounds("thread", 64, (20, 20, 20), figure, [mark]), rounds("event", 64, (10, 10, 10), figure))
    assert verdict(claim(f"thread.{figure} / event.{figure} >= 1.3"), found)["outcome"] == outcome


def test_counts_are_not_disturbed():
    found = experiment(rounds("event", None, (5, 5, 5), "answers", ["disturbed"]))
    assert verdict(claim("event.answers >= 5", counts=True), found)["outcome"] == "holds"


def test_counts_do_not_become_equal_by_noise():
    """Sizes have no noise: the floor of times and rates does not widen what counts as the same."""
    sizes = experiment(rounds("thread", 64, (12, 12, 12)), rounds("event", 64, (10, 10, 10)))
    said = verdict(claim(f"{RATIO} <= SAME", counts=True), sizes, floor=1.3)
    assert (said["outcome"], said["conditions"][0]["wanted"]) == ("does not hold", 1.1)


@pytest.mark.parametrize("mark", ["implausible", "unoffered"])
def test_counts_of_a_row_that_decides_nothing(mark):
    found = experiment(rounds("event", None, (5, 5, 5), "answers", [mark]))
    assert verdict(claim("event.answers >= 5", counts=True), found)["outcome"] == "no clear answer"


def test_a_sum_of_costs_to_a_cost_is_a_ratio():
    """So noise can hide a difference between what a body adds in two modes."""
    def said(adds, floor):
        found = experiment(rounds("thread", 0, (10,) * 3), rounds("event", 0, (10,) * 3), rounds("thread", 1024, (10 + adds,) * 3),
                           rounds("event", 1024, (12,) * 3), axis={"name": "size", "title": "body"})
        text = f"(thread.{CPU} @ 1024 - thread.{CPU} @ 0 + event.{CPU} @ 0) / event.{CPU} @ 1024 <= DIFFERENT"
        return verdict(claim(text), found, floor=floor)["outcome"]
    assert [said(2, 1.0), said(4.5, 1.0), said(2, 1.3), said(4.5, 1.3)] == ["holds", "does not hold", "holds", "no clear answer"]


def test_the_floor_is_what_twins_differ():
    results = {"machine": {"cpus_usable": [0, 1]}, "experiments": [experiment(
        rounds("event", 64, (10, 10, 20)), rounds("event-twin", 64, (11, 10, 24)), rounds("event", 1024, (10, 10, 10)),
        rounds("event-twin", 1024, (8, 8, 8)), rounds("thread", 64, (1, 1, 1)))]}
    verdicts.fill_verdicts(results, {"made-up": [claim(f"{RATIO} >= DIFFERENT")]})
    found = results["noise"]
    assert (found["target"], found["twin"], len(found["figures"])) == ("event", "event-twin", 2)
    assert (found["largest"], found["different"], found["same"]) == (1.25, 1.25, 1.25)


def test_an_experiment_has_the_floor_of_its_own_twins():
    figures = [{"experiment": name, "x": 64, "figure": CPU, "ratio": ratio} for name, ratio in (("quiet", 1.02), ("loud", 1.4))]
    found = noise.Noise(tuple(figures), "event")
    assert [found.of(name, {"loud", "quiet"}).largest for name in ("quiet", "loud", "without")] == [1.02, 1.4, 1.4]
    assert [found.of("without", alike).largest for alike in ({"quiet"}, {"loud"}, set())] == [1.02, 1.4, 1.0]
    near = experiment(rounds("thread", 64, (13, 13, 13)), rounds("event", 64, (10, 10, 10)))
    quiet = {**near, "measurements": near["measurements"] + rounds("event-twin", 64, (10, 10, 10))}
    loud = {**quiet, "name": "loud", "measurements": near["measurements"] + rounds("event-twin", 64, (15, 15, 15))}
    results = {"machine": {"cpus_usable": [0, 1]}, "experiments": [quiet, loud]}
    verdicts.fill_verdicts(results, {name: [claim(f"{RATIO} >= DIFFERENT")] for name in ("made-up", "loud")})
    assert [found["claims"][0]["verdicts"][0]["outcome"] for found in results["experiments"]] == ["holds", "no clear answer"]
    # Without twins: the floor of those that are measured alike.
    for one_cpu, outcome in ((True, "holds"), (False, "no clear answer")):
        results["experiments"] = [{**quiet, "name": "quiet", "one_cpu": True}, loud, {**near, "one_cpu": one_cpu}]
        verdicts.fill_verdicts(results, {name: [claim(f"{RATIO} >= DIFFERENT")] for name in ("made-up", "quiet", "loud")})
        assert results["experiments"][2]["claims"][0]["verdicts"][0]["outcome"] == outcome


def test_no_verdict_turns_for_the_number_of_cpus_alone():
    # Threads and a loop for each CPU get through 0.9 times as much for each CPU more.
    for cpus in (1, 2, 32):
        found = experiment(rounds("thread", cpus, [0.9 * cpus * 100] * 3, RPS), rounds("event-one-loop", cpus, [100] * 3, RPS))
        said = verdict(claim(f"thread.{RPS} @ max / event-one-loop.{RPS} @ max >= 0.7 * cpus"), found, cpus=cpus)
        assert said["outcome"] == ("needs more CPUs" if cpus == 1 else "holds")


def test_counts_need_no_cpu_of_their_own():
    found = experiment(rounds("event", None, (5, 5, 5), "answers"))
    assert verdict(claim("event.answers >= 5", counts=True), found, cpus=1)["outcome"] == "holds"
    assert claims.from_table({**GOOD_CLAIM, "conditions": [f"{RATIO} >= 1.3"]}, one_cpu=True).cpus == 1  # the client shares it anyway
    said = verdict(claim("event.answers >= 5", counts=True, cpus=2), found, cpus=1)
    assert (said["outcome"], said["why"]) == ("needs more CPUs", "it takes 2 CPUs, and 1 may be used")


def test_one_verdict_for_each_mode():
    of = claim(f"{{mode}}.{CPU} / event.{CPU} >= 1.3", modes=["thread", "hybrid", "pool"],
               sentence=f"{{mode}} takes {{{{mode}}.{CPU} @ 64}}, {{{{mode}}.{CPU} / event.{CPU}}} times.")
    found = experiment(rounds("thread", 64, (20, 20, 20)), rounds("event", 64, (10, 10, 10)), rounds("hybrid", 64, (10, 10, 10)))
    said = judge.judge_claims([of], found, setting())[0]["verdicts"]
    assert [(entry["mode"], entry["outcome"]) for entry in said] == [("thread", "holds"), ("hybrid", "does not hold"), ("pool", "not asked")]
    assert said[0]["sentence"] == "thread takes 20.0 µs, 2.0 times."


def test_a_sentence_gives_the_interval_of_what_varies_and_the_point():
    of = claim(f"{RATIO} >= 1.3", sentence=f"On {{x}}: {{thread.{CPU} @ max}}, {{event.{CPU} @ 64}}, {{{RATIO}}} times.")
    found = experiment(rounds("thread", 64, (20, 20, 20)), rounds("thread", 1024, (18, 20, 25)), rounds("event", 64, (9, 10, 11)),
                       rounds("event", 1024, (9, 10, 11)))
    said = judge.judge_claims([of], found, setting())[0]["verdicts"][0]["sentence"]
    assert said == "On 1,024: 20.0 µs (18.0 µs to 25.0 µs), 10.0 µs, 2.0 times."


def test_the_most_is_the_same_point_for_all_figures_of_a_sentence():
    sentence = f"{{process.{CPU} @ max}} on {{x}}; in a loop {{event.{CPU} @ max}}; a fiber {{fiber.{CPU} @ max}}."
    of = claim(f"process.{CPU} @ max / process.{CPU} @ 64 >= 1.3", sentence=sentence)
    found = experiment(*(rounds("process", x, (value,) * 3) for x, value in ((64, 20), (1024, 70))),
                       *(rounds("event", x, (value,) * 3) for x, value in ((64, 6), (1024, 8), (10000, 9))))
    said = verdict(of, found)["sentence"]
    assert said == "70.0 µs on 1,024; in a loop 8.00 µs; a fiber (not measured)."


def test_a_condition_may_be_shown_by_a_name():
    of = claim(f"{{mode}}.{CPU} / event.{CPU} >= 1.3", modes=["thread"], shown=["{mode}, its price"])
    assert judge.judge_claims([of], DIFFERENT, setting())[0]["verdicts"][0]["conditions"][0]["text"] == "thread, its price"
    with pytest.raises(ValueError, match="1 conditions, and shows 2"):
        claims.from_table({**GOOD_CLAIM, "conditions": [f"{RATIO} >= 1.3"], "shown": ["a", "b"]})


def test_what_is_not_asked_keeps_its_points_and_says_so_of_each_condition():
    of = claim(f"thread.{CPU} @ max / thread.{CPU} @ 64 >= 1.3", full=True)
    found = judge.judge_claims([of], experiment(rounds("event", 64, (10, 10, 10)), axis={"title": "connections"}),
                               replace(setting(), effort="quick", modes=("thread", "event")))[0]["verdicts"][0]
    condition, = found["conditions"]
    assert (found["outcome"], condition["outcome"], condition["text"]) == ("not asked", "not asked", "thread, CPU/request, the most/64")


def test_a_mode_that_only_the_quick_run_leaves_out_needs_full():
    of = claim(f"{{mode}}.{CPU} / event.{CPU} >= 1.3", modes=["pool"])
    for modes, why in ((("event", "pool"), "it needs --full"), (("event",), "pool was not measured")):
        found = judge.judge_claims([of], DIFFERENT, replace(setting(), effort="quick", modes=modes))[0]["verdicts"][0]
        assert (found["outcome"], found["why"]) == ("not asked", why)


def test_words_for_an_expression():
    found = experiment(rounds("thread", 64, (20, 20, 20)), rounds("thread", 1024, (40, 40, 40)), rounds("event", 64, (10, 10, 10)),
                       axis={"title": "connections"})
    for condition, words in ((f"thread.{CPU} @ max / thread.{CPU} @ 64 >= 1", "thread, CPU/request, 1,024/64"),
                             (f"thread.{CPU} @ 64 / event.{CPU} @ 64 >= 1", "thread/event, CPU/request at 64"),
                             (f"(thread.{CPU} @ 64 - event.{CPU} @ 64) / event.{CPU} @ 64 >= 1",
                              "(thread CPU/request - event CPU/request) / event CPU/request at 64"),
                             (f"event.{CPU} @ 64 >= 1", "event CPU/request at 64")):
        assert verdict(claim(condition), found)["conditions"][0]["text"] == words
