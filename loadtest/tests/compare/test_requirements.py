# SPDX-License-Identifier: MIT
"""--require: the language, and what meets a condition."""


import pytest
from lab.compare import conditions, requirements
from lab.text.errors import UsageError
import report_fixture
from report_fixture import CONNECTIONS, CPU, RPS, experiment, measurement


def results():
    failure = {"kind": "limit", "reason": "pids.max"}
    scaling = experiment("scaling", [RPS, CPU], [
        measurement(subject, x, 1, {} if bad else {"rps": rate, "cpu_us_per_request": 1e6 / rate},
                    failure=failure if bad else None)
        for subject, x, rate, bad in (("event", 64, 1000, False), ("event", 1024, 900, False), ("thread", 64, 1000, False),
                                      ("thread", 1024, 500, False), ("pool", 64, 800, False), ("pool", 1024, 0, True),
                                      ("my server", 64, 10, False))], CONNECTIONS)
    loop = experiment("blocked-loop", [report_fixture.P99], [
        measurement(subject, None, 1, {"p99_us": value}) for subject, value in (("event", 400e3), ("hybrid", 900))])
    return {"experiments": [scaling, loop]}


@pytest.mark.parametrize("text, expected", [
    ("a.x > 9", True), ("a.x > 10", False), ("a.x >= 10", True), ("a.x <= 2.5 * b-2.y", True), ("a.x < 2 + 3 * 2", False),
    ("a.x-b-2.y < 6.5", True), ("a.x - b-2.y - 1 >= 5", True), ("a.x / 2 / 5 < 1.1", True), ("(a.x + 2) * 2 > 23", True),
    ("-a.x < 0", True), ('"c d".z > .5e1', False), ("1e1 <= a.x", True), ("a.x * (1 - 0.2) > 7.9", True),
])
def test_arithmetic(text, expected):
    values = {"a.x": 10.0, "b-2.y": 4.0, "c d.z": 3.0}
    condition = conditions.parse(text)
    assert condition.holds(lambda figure: values[str(figure)]) is expected


@pytest.mark.parametrize("text, place", [
    ("a.x > 1", (None, None)), ("a.x > 1 @ 64", (None, 64.0)), ("a.x > 1 in one", ("one", None)),
    ("a.x > 1 in one-b @ max", ("one-b", "max")), ("a.x > 1 @ min in \"o o\"", ("o o", "min")),
])
def test_places(text, place):
    condition = conditions.parse(text)
    assert (condition.experiment, condition.point) == place


@pytest.mark.parametrize("text, why", [
    ("", "ends where a number or SUBJECT.FIGURE"), ("a.x", "ends where one of >= <= > <"), ("a.x = 1", "cannot read '= 1'"),
    ("a.x > ", "ends where a number"), ("a.x > 1 > 2", "'>' where the end"), ("event > 1", "'event' where a number or SUBJECT.FIGURE"),
    ("1 > 2", "no SUBJECT.FIGURE in it"), ("(a.x > 1", "a bracket is not closed"), ("a.x > 1 @", "ends where a point"),
    ("a.x > 1 @ here", "'here' where a number, min or max"), ("a.x > 1 in 5", "'5' where the name"),
    ("a.x > 1 in b in c", "'in' where the end"), ("a.x > 1 @ 1 @ 2", "'@' where the end"), ("a.x + > 1", "'>' where a number"),
    ("a.x > 1; ls", "cannot read '; ls'"), ("a.x * 2 1 > 3", "'1' where one"), ("(" * 500 + "a.x > 1", "too deep"),
    ("-" * 500 + "a.x > 1", "too deep"), ("a.x" + "+1" * 5000 + " > 1", "too long"),
], ids=lambda value: value[:30])
def test_refusals_are_one_line_that_says_what_is_wrong(text, why):
    with pytest.raises(UsageError) as caught:
        conditions.parse(text)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


def failed(*expressions):
    return requirements.check(results(), expressions)


@pytest.mark.parametrize("text", [
    "event.rps >= 0.9 * thread.rps @ 1024", "event.rps >= thread.rps", "hybrid.p99_us < 0.1 * event.p99_us in blocked-loop",
    "hybrid.p99_us < 0.1 * event.p99_us", "event.rps >= 1.5 * thread.rps @ max", '"my server".rps < 11 @ min',
])
def test_met(text):
    assert failed(text) == []


def test_not_met_says_where_and_with_what_figures():
    text = "event.rps >= 1.5 * thread.rps"
    assert failed(text) == [f"required {text}: not met in scaling at 64: 1,000 against 1.5 * 1,000 = 1,500"]


@pytest.mark.parametrize("text, why", [
    ("pool.rps > 1 @ 1024", "in scaling at 1,024: pool.rps has no value: a limit: pids.max"),
    ("pool.rps > 1", "at 1,024: pool.rps has no value"), ("event.rps > 1 @ 2048", "no experiment has them at 2048"),
    ("event.rps > 1 @ 2048 in scaling", "in scaling at 2,048: event.rps was not measured"),
    ("event.speed > 1", "no experiment has event.speed"), ("evnt.p99_us > 1", "no experiment has evnt.p99_us"),
    ("event.p99_us > 1 in scaling", "scaling has no event.p99_us"), ("event.p99_us > 1 in nowhere", "there is no experiment 'nowhere'"),
    ("event.p99_us / (event.p99_us - event.p99_us) > 1", "it divides by 0"),
])
def test_a_missing_figure_does_not_meet_it(text, why):
    lines = failed(text)
    assert len(lines) == 1, lines
    assert why in lines[0]


def test_every_condition_is_judged():
    assert len(failed("event.p99_us < 1", "hybrid.p99_us < 1", "hybrid.p99_us < 1000")) == 2


def test_one_malformed_refuses_all():
    with pytest.raises(UsageError):
        failed("event.p99_us > 1", "event.p99_us >")
