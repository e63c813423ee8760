# SPDX-License-Identifier: MIT
"""Results files that are cut, damaged or made by hand: refused in one line, never a traceback, nothing obeyed."""

import copy
import json
import random
import re
import tempfile
import unittest
from pathlib import Path

import context  # noqa: F401
import report_fixture
from lab import baseline, comparison, csv_file, merge, report_html, report_markdown, report_terminal, requirements, shape
from lab.errors import LabError

ODD = (None, True, 0, -1, 1e308, 10 ** 400, float("nan"), float("inf"), "", "<script>alert(1)</script>", "x\x1b[31m\n", "\ud800", [],
       {}, [1], ["x"], [None], {"a": 1}, {"a": None})
GONE = object()
GOOD = report_fixture.results(1, rounds=1)
for part in GOOD["experiments"]:
    part["limits"] = {"event": {"connections": 900, "by": "descriptors (ulimit -n)"}}
    for entry in part["measurements"]:
        entry["histograms"] = {"us": [[1, 5], [90, 2]]}
GOOD["baseline"] = {"started": "then", "commit": "0", "failures": ["x: y"], "notes": ["z"], "unchanged": 3, "changes": [
    {"experiment": "scaling", "subject": "event", "figure": "rps", "title": "requests/s", "word": "slower", "worse": True, "ratio": 0.5,
     "chance": 0.01, "points": "at 1", "example": "2 to 1"}]}


def paths(value, path=()):
    """Of each kind of place in it one path or a few."""
    if path:
        yield path
    if isinstance(value, dict):
        for name in value:
            yield from paths(value[name], (*path, name))
    elif isinstance(value, list):
        for position in range(min(2, len(value))):
            yield from paths(value[position], (*path, position))


def changed(path, odd):
    results = copy.deepcopy(GOOD)
    inner = results
    for name in path[:-1]:
        inner = inner[name]
    if odd is GONE:
        del inner[path[-1]]
    else:
        inner[path[-1]] = odd
    return results


class ShapeTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "results.json"

    def keep(self, results):
        self.file.write_text(json.dumps(results), encoding="utf-8")
        return self.file

    def use(self, path):
        """All that is made from a results file: (what a terminal gets, the page)."""
        results = comparison.load(path)
        results["baseline"] = results.get("baseline") or baseline.value(results, GOOD)
        baseline.value(GOOD, results)
        lines = requirements.check(results, ["event.cpu_us_per_request < thread.cpu_us_per_request"])
        merged = merge.merge([comparison.load(path, to_merge=True)] * 2)
        for made in (results, merged):
            report_markdown.markdown(made)
            csv_file.text(made).encode()
        return "\n".join([report_terminal.terminal(results, False), *lines]), report_html.page(merged)

    def test_what_the_lab_writes_is_taken(self):
        text, page = self.use(self.keep(GOOD))
        self.assertIn("holds", text)
        self.assertIn("holds", page)

    def test_odd_values_anywhere(self):
        cases = [(path, odd) for path in paths(GOOD) for odd in (*ODD, GONE)]
        for path, odd in random.Random(7).sample(cases, 400):
            with self.subTest(path=path, odd=repr(odd)[:40]):
                try:
                    text, page = self.use(self.keep(changed(path, odd)))
                except LabError as error:
                    self.assertTrue(str(error).isprintable(), str(error))
                    self.assertRegex(str(error), "^.*results.json: (damaged: .* is (no|not|neither|nested) .*|no results of compare.*)$")
                else:
                    self.assertNotIn("\x1b", text)
                    self.assertNotIn("<script>alert", page)

    def test_the_line_says_where(self):
        first = ("experiments", 0)
        for path, odd, line in (
                ((*first, "summary", 0, "figures", "rps", "median"), "9", "experiments[0].summary[0].figures.rps.median is no number"),
                ((*first, "x", "unit"), 5, "experiments[0].x.unit is no text"),
                ((*first, "measurements", 1, "subject"), GONE, "experiments[0].measurements[1].subject is not there"),
                (("machine",), [], "machine is no object"),
                (("took_s",), float("nan"), "took_s is no number that a figure may be")):
            with self.subTest(line), self.assertRaisesRegex(LabError, re.escape(f": damaged: {line}") + "$"):
                comparison.load(self.keep(changed(path, odd)))

    def test_a_merge_takes_more(self):
        path = self.keep(changed(("experiments", 0, "measurements", 0, "round"), GONE))
        comparison.load(path)
        with self.assertRaisesRegex(LabError, r"experiments\[0\].measurements\[0\].round is not there"):
            comparison.load(path, to_merge=True)

    def test_what_is_no_json(self):
        for text in ("", "{", "[" * 100_000, "\x00", '{"a":' * 5000, "9" * 5000):
            with self.subTest(text[:20]), self.assertRaisesRegex(LabError, "no JSON"):
                self.file.write_text(text, encoding="utf-8")
                comparison.load(self.file)

    def test_nested_deep(self):
        inner = []
        for _ in range(200):
            inner = [inner]
        with self.assertRaisesRegex(LabError, "nested too deep"):
            comparison.load(self.keep({**GOOD, "machine": {"a": inner}}))
        self.assertRaises(shape.Damaged, shape.check, {**GOOD, "parameters": {"a": inner}})


if __name__ == "__main__":
    unittest.main()
