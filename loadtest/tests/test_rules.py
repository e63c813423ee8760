# SPDX-License-Identifier: MIT
"""From measurements to rows, and from rows to a verdict: true only where the intervals leave no doubt."""

import unittest

import context  # noqa: F401
from lab import aggregate, conditions, rules, verdict
from lab.experiment import Rule


def measured(subject, x, number, marks=(), failure=None, **figures):
    return {"subject": subject, "kind": "mode", "x": x, "round": number, "failure": failure, "errors": None,
            "figures": {} if failure else figures, "marks": list(marks), "details": {}}


def rounds(subject, x, values, figure="rps", marks=((), (), ())):
    return [measured(subject, x, i + 1, mark, **{figure: value}) for i, (value, mark) in enumerate(zip(values, marks))]


def rows(*groups, drawn="rps", ceilings=None):
    return aggregate.rows([entry for group in groups for entry in group], drawn, ceilings or {})


def experiment(*groups):
    return {"summary": rows(*groups)}


class AggregateTest(unittest.TestCase):
    def test_median_and_spread(self):
        row = rows(rounds("event", 64, (10, 30, 11)))[0]
        self.assertEqual(row["figures"]["rps"], {"median": 11, "mad": 1, "low": 10, "high": 30, "values": [10, 30, 11]})
        self.assertEqual(row["marks"], ["noisy"])

    def test_ratio_to_the_ceiling_of_the_model_at_the_same_point(self):
        found = rows(rounds("event", 1, (8, 8, 8)), rounds("event", 64, (9, 9, 9)), rounds("ceiling-epoll", 64, (6, 6, 6)),
                     ceilings={"event": "ceiling-epoll"})
        self.assertEqual([row["to_ceiling"] for row in found], [{}, {"rps": 1.5}, {}])

    def test_a_mark_of_most_rounds_is_the_row_s(self):
        for marks, expected in (((("disturbed",), (), ()), []), ((("disturbed",), ("disturbed",), ()), ["disturbed"])):
            self.assertEqual(rows(rounds("event", 1, (5, 5, 5), marks=marks))[0]["marks"], expected)

    def test_one_failed_round_leaves_no_figure(self):
        failure = {"kind": "errors", "reason": "5 read errors"}
        row = rows([*rounds("event", 1, (5, 5)), measured("event", 1, 3, failure=failure)])[0]
        self.assertEqual((row["failure"], row["figures"]), (failure, {}))

    def test_a_figure_that_some_round_has_not(self):
        row = rows([*rounds("event", 1, (5, 6)), measured("event", 1, 3, p99_us=1)])[0]
        self.assertEqual((row["figures"]["rps"]["values"], row["figures"]["p99_us"]["values"]), ([5, 6], [1]))


class JudgeTest(unittest.TestCase):
    CLEAR = experiment(rounds("thread", 64, (20, 21, 22)), rounds("event", 64, (10, 11, 9)))
    NEAR = experiment(rounds("thread", 64, (10, 12, 11)), rounds("event", 64, (11, 10, 12)))

    def judge(self, text, found):
        return rules.judge(conditions.parse(text), found).outcome

    def test_true_false_and_overlapping(self):
        cases = (("thread.rps >= 1.5 * event.rps", True, False), ("thread.rps <= event.rps", False, None),
                 ("thread.rps >= 2 * event.rps", None, False), ("event.rps > 5", True, True), ("event.rps > 100", False, False))
        for text, clear, near in cases:
            with self.subTest(text):
                self.assertEqual((self.judge(text, self.CLEAR), self.judge(text, self.NEAR)), (clear, near))

    def test_without_a_point_the_highest_that_all_have(self):
        found = experiment(rounds("thread", 1, (1, 1, 1)), rounds("event", 1, (9, 9, 9)), rounds("event", 64, (0, 0, 0)))
        self.assertTrue(self.judge("event.rps >= thread.rps", found))
        self.assertFalse(self.judge("event.rps >= 1", found))
        self.assertTrue(self.judge("event.rps >= 1 @ min", found))
        self.assertTrue(self.judge("event.rps >= 1 @ 1", found))

    def test_no_axis(self):
        self.assertTrue(self.judge("event.rps > 1", experiment(rounds("event", None, (5, 5, 5)))))

    def test_missing(self):
        failed = experiment([measured("event", 1, 1, failure={"kind": "died", "reason": "it died"})])
        apart = experiment(rounds("thread", 1, (5, 5, 5)), rounds("event", 64, (5, 5, 5)))
        for text, found, pattern in (("pool.rps > 1", self.CLEAR, "^pool.rps was not measured$"),
                                     ("event.rps > 2 * pool.rps", self.CLEAR, "^pool.rps was not measured$"),
                                     ("event.rps > thread.rps", apart, "event.rps and thread.rps were not measured at the same point"),
                                     ("event.rps > 1 @ 7", self.CLEAR, "event.rps was not measured at 7"),
                                     ("event.rps > 1", failed, "event: it died")):
            with self.subTest(text), self.assertRaisesRegex(rules.Missing, pattern):
                self.judge(text, found)

    def test_a_division_by_an_interval_that_holds_0(self):
        found = experiment(rounds("event", 1, (0, 1, 2)))
        self.assertIsNone(self.judge("1 / event.rps > 5", found))


class VerdictTest(unittest.TestCase):
    def verdict(self, found, *texts, sentence="{thread.rps} and {thread.rps / event.rps} times."):
        return verdict.judge(Rule(tuple(conditions.parse(text) for text in texts), sentence), found)

    def test_outcomes(self):
        for texts, outcome in ((["thread.rps > event.rps"], "holds"), (["thread.rps < event.rps"], "fails"),
                               (["thread.rps > 2 * event.rps"], "unclear"),
                               (["thread.rps > 2 * event.rps", "thread.rps < event.rps"], "fails")):
            with self.subTest(texts):
                found = self.verdict(JudgeTest.CLEAR, *texts)
                self.assertEqual(found["outcome"], outcome)
                self.assertIn("21/s and 2.1 times.", found["sentence"])
                self.assertEqual(found["sentence"].startswith("No clear difference (thread 21/s against event 10/s)."),
                                 outcome == "unclear")

    def test_disturbed_rounds_refute_nothing(self):
        marks = (("disturbed",),) * 3
        found = experiment(rounds("thread", 64, (20, 21, 22), marks=marks), rounds("event", 64, (10, 11, 9)))
        self.assertEqual(self.verdict(found, "thread.rps > event.rps")["outcome"], "holds")
        refused = self.verdict(found, "thread.rps < event.rps")
        self.assertEqual(refused["outcome"], "unclear")
        self.assertRegex(refused["sentence"], "^Other programs used the CPUs: measure again. 21/s")

    def test_what_was_not_measured_decides_nothing(self):
        self.assertEqual(self.verdict(JudgeTest.CLEAR, "pool.rps > 1"),
                         {"outcome": "unclear", "sentence": "Not decided: pool.rps was not measured."})

    def test_sentences(self):
        found = experiment(rounds("event", 1, (1e6, 1e6, 1e6), "p99_us"), rounds("event", 64, (2.5e6,) * 3, "p99_us"),
                           rounds("pool", 64, (100.0,) * 3, "answered_slow"))
        for text, expected in (("{event.p99_us}", "2.50 s"), ("{event.p99_us @ min}", "1.00 s"), ("{event.p99_us @ 1}", "1.00 s"),
                               ("{event.p99_us / 1000}", "2,500"), ("{pool.answered_slow}", "100 %"), ("{0 * event.p99_us}", "0.00")):
            with self.subTest(text):
                self.assertEqual(rules.fill(text, found), expected)

    def test_what_stops_each_subject(self):
        limits = {"thread": {"connections": 9000, "by": "threads-max"}, "event": {"connections": 19900, "by": "descriptors"},
                  "hybrid": {"connections": 19900, "by": "descriptors"}}
        self.assertEqual(rules.fill("{limits}.", {"summary": [], "limits": limits}),
                         "thread: 9,000, because of threads-max; event, hybrid: 19,900, because of descriptors.")
        self.assertEqual(rules.fill("{limits}", {"summary": []}), "not known")


if __name__ == "__main__":
    unittest.main()
