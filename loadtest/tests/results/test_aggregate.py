# SPDX-License-Identifier: MIT
"""From measurements to rows."""


import pytest
from lab.results import aggregate


def measured(subject, x, number, marks=(), failure=None, **figures):
    return {"subject": subject, "kind": "mode", "x": x, "round": number, "failure": failure, "errors": None,
            "figures": {} if failure else figures, "marks": list(marks), "details": {}}


def rounds(subject, x, values, figure="rps", marks=((), (), ())):
    return [measured(subject, x, i + 1, mark, **{figure: value}) for i, (value, mark) in enumerate(zip(values, marks))]


def rows(*groups, drawn="rps", ceilings=None):
    return aggregate.rows([entry for group in groups for entry in group], drawn, ceilings or {})


def test_median_and_spread():
    row = rows(rounds("event", 64, (10, 30, 11)))[0]
    assert row["figures"]["rps"] == {"median": 11, "mad": 1, "low": 10, "high": 30, "values": [10, 30, 11]}
    assert row["marks"] == ["noisy"]


def test_ratio_to_the_ceiling_of_the_model_at_the_same_point():
    found = rows(rounds("event", 1, (8, 8, 8)), rounds("event", 64, (9, 9, 9)), rounds("ceiling-epoll", 64, (6, 6, 6)),
                 ceilings={"event": "ceiling-epoll"})
    assert [row["to_ceiling"] for row in found] == [{}, {"rps": 1.5}, {}]


def test_a_mark_of_most_rounds_is_the_row_s():
    for marks, expected in (((("disturbed",), (), ()), []), ((("disturbed",), ("disturbed",), ()), ["disturbed"])):
        assert rows(rounds("event", 1, (5, 5, 5), marks=marks))[0]["marks"] == expected


def test_one_failed_round_leaves_no_figure():
    failure = {"kind": "errors", "reason": "5 read errors"}
    row = rows([*rounds("event", 1, (5, 5)), measured("event", 1, 3, failure=failure)])[0]
    assert (row["failure"], row["figures"]) == (failure, {})


def test_a_figure_that_some_round_has_not():
    row = rows([*rounds("event", 1, (5, 6)), measured("event", 1, 3, p99_us=1)])[0]
    assert (row["figures"]["rps"]["values"], row["figures"]["p99_us"]["values"]) == ([5, 6], [1])


def test_samples_and_coverage():
    made = [{**entry, "samples": {"rps": count}} for entry, count in zip(rounds("event", 1, (5, 6, 7)), (900, 800, 1000))]
    row = rows(made)[0]
    assert (row["samples"], row["coverage"]) == ({"rps": 800}, 0.75)


@pytest.mark.parametrize("counts, expected", [((191, 191, 191), set()), ((400, 300, 300), {"p99_us"})])
def test_no_p99_of_few_samples(counts, expected):
    made = [{**entry, "samples": {"p99_us": count}} for entry, count in zip(rounds("pool", 1, (5, 6, 7), "p99_us"), counts)]
    assert set(rows(made)[0]["figures"]) == expected
