# SPDX-License-Identifier: MIT
"""results.json against its schema: files that are cut, old, damaged or made by hand are refused in one line, never a traceback,
and nothing in them is obeyed."""

import copy
import json
import random
import re
import tempfile
import unittest
from pathlib import Path

import jsonschema

import report_fixture
from lab import report
from lab.compare import merge, requirements
from lab.report import csv_file, page, timelines
from lab.results import baseline, schema
from lab.text.errors import LabError

ODD = (None, True, 0, -1, 1e308, 10 ** 400, float("nan"), float("inf"), "", "<script>alert(1)</script>", "x\x1b[31m\n", "\ud800", [],
       {}, [1], ["x"], [None], {"a": 1}, {"a": None})
GONE = object()
GOOD = report_fixture.everything(1, rounds=1)
GOOD["experiments"][0] = report_fixture.scaling(report_fixture.Noise(1), 1, counts=(1, 64))
for part in GOOD["experiments"]:
    part["limits"] = {"event": {"connections": 900, "by": "descriptors (ulimit -n)"}}
    for entry in part["measurements"]:
        entry["histograms"] = {"us": [[1, 5], [90, 2]]}
GOOD["advice"] = [{"when": "come", "choose": "event", "because": "why", "claims": ["a.b"], "outcome": "holds"}]
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


class SchemaTest(unittest.TestCase):
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
        results = schema.load(path)
        results["baseline"] = results.get("baseline") or baseline.value(results, GOOD)
        baseline.value(GOOD, results)
        lines = requirements.check(results, ["event.cpu_us_per_request < thread.cpu_us_per_request"])
        merged = merge.merge([schema.load(path)] * 2)
        for made in (results, merged):
            page.markdown(made)
            csv_file.text(made).encode()
        return "\n".join([report.terminal(results, False), *lines]), page.page(merged)

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(json.loads(schema._FILE.read_text(encoding="utf-8")))

    def test_what_the_lab_writes_is_taken(self):
        text, shown = self.use(self.keep(GOOD))
        self.assertIn("holds", text)
        self.assertIn("holds", shown)

    def test_odd_values_anywhere(self):
        cases = [(path, odd) for path in paths(GOOD) for odd in (*ODD, GONE)]
        for path, odd in random.Random(7).sample(cases, 100):
            with self.subTest(path=path, odd=repr(odd)[:40]):
                try:
                    text, shown = self.use(self.keep(changed(path, odd)))
                except LabError as error:
                    self.assertTrue(str(error).isprintable(), str(error))
                    self.assertRegex(str(error), "results.json: (damaged: .|not the results of|an older format|another format)")
                else:
                    self.assertNotIn("\x1b", text)
                    self.assertNotIn("<script>alert", shown)

    def test_odd_values_in_a_timeline(self):
        number = next(number for number, entry in enumerate(GOOD["experiments"]) if "timelines" in entry)
        places = list(paths(GOOD["experiments"][number]["timelines"][0], ("experiments", number, "timelines", 0)))
        self.assertGreater(len(places), 20)
        for path in places:
            for odd in (*ODD, GONE):
                with self.subTest(path=path, odd=repr(odd)[:40]):
                    try:
                        shown = page.page(schema.load(self.keep(changed(path, odd))))
                    except LabError as error:
                        self.assertRegex(str(error), "results.json: damaged: .")
                    else:
                        self.assertNotIn("<script>alert", shown)
                        self.assertNotIn("\x1b", shown)

    def test_the_kinds_of_blocks_are_those_that_are_drawn(self):
        known = json.loads(schema._FILE.read_text(encoding="utf-8"))["$defs"]["blocks"]["items"]["prefixItems"][2]["enum"]
        self.assertEqual(known, list(timelines.KINDS))

    def test_the_line_says_where(self):
        first = ("experiments", 0)
        for path, odd, line in (
                ((*first, "summary", 0, "figures", "rps", "median"), "9", "experiments[0].summary[0].figures.rps.median: '9' is not of type 'number'"),
                ((*first, "x", "unit"), 5, "experiments[0].x.unit: 5 is not of type 'string'"),
                ((*first, "measurements", 1, "subject"), GONE, "experiments[0].measurements[1]: 'subject' is a required property"),
                ((*first, "claims", 0, "verdicts", 0, "outcome"), "fails", "experiments[0].claims[0].verdicts[0].outcome: 'fails' is not one of"),
                (("machine",), [], "machine: [] is not of type 'object'"),
                (("took_s",), float("nan"), "took_s is not a number that a figure can have"),
                (("ended",), "\ud800", "ended is not text that can be written")):
            with self.subTest(line), self.assertRaisesRegex(LabError, re.escape(f": damaged: {line}")):
                schema.load(self.keep(changed(path, odd)))

    def test_a_long_value_is_not_repeated_whole(self):
        with self.assertRaises(LabError) as caught:
            schema.load(self.keep(changed(("machine",), ["x" * 100_000])))
        self.assertLess(len(str(caught.exception)), 400)

    def test_another_version_is_refused_with_what_to_do(self):
        for version, word in ((2, "an older format, version 2"), (1, "an older format, version 1"), (4, "another format, version 4"),
                              (None, "another format, version None"), ("3\x1b", "another format, version 3 ")):
            with self.subTest(version), self.assertRaisesRegex(LabError, word + "; this program reads version 3: measure again with ./dev compare"):
                schema.load(self.keep({**GOOD, "version": version}))

    def test_what_is_no_result_of_the_comparison(self):
        for value in ([], 5, {}, {"format": "echod-bench", "version": 2}):
            with self.subTest(value), self.assertRaisesRegex(LabError, "results.json: not the results of ./dev compare$"):
                schema.load(self.keep(value))

    def test_what_is_no_json(self):
        for text in ("", "{", "[" * 100_000, "\x00", '{"a":' * 5000, "9" * 5000):
            with self.subTest(text[:20]), self.assertRaisesRegex(LabError, "not JSON"):
                self.file.write_text(text, encoding="utf-8")
                schema.load(self.file)

    def test_nested_deep(self):
        inner = []
        for _ in range(200):
            inner = [inner]
        with self.assertRaisesRegex(LabError, "nested too deep"):
            schema.load(self.keep({**GOOD, "machine": {"a": inner}}))
