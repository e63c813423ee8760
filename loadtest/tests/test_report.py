# SPDX-License-Identifier: MIT
"""What is made from results: terminal, Markdown, CSV and the page's text. tests/browser/ looks at the page in a browser."""

import csv
import io
import re
import tempfile
import unittest
from html.parser import HTMLParser
from pathlib import Path

import context  # noqa: F401
import report_fixture
from lab import charts, colour, csv_file, markup, report, report_html, report_markdown, table, view
from report_fixture import CONNECTIONS, CPU, experiment, measurement

HOSTILE = "x\"'><script>hacked=1</script><!-- | `*_\x1b[31m\n=1+1"


def of(*experiments):
    return {**report_fixture.results(1), "experiments": list(experiments)}


def one(*measurements, x=CONNECTIONS, figures=(CPU,), **more):
    return of(experiment("e", "A statement", list(figures), list(measurements), x, **more))


def cpu(subject, x, number, value, **more):
    return measurement(subject, x, number, {"cpu_us_per_request": value}, **more)


class FigureTest(unittest.TestCase):
    def test_units(self):
        for value, unit, text in ((7.1234, "µs", "7.12 µs"), (0, "µs", "0 µs"), (512, "µs", "512 µs"), (2500, "µs", "2.50 ms"),
                                  (1.5, "s", "1.50 s"), (3, "ms", "3.00 ms"), (451, "bytes", "451 B"), (17613, "B", "17.2 KiB"),
                                  (12.34, "%", "12.3 %"), (81234.5, "/s", "81,234"), (0.00959, "", "0.00959"), (17, "", "17"),
                                  (1234.5, "", "1,234"), (512.3, "MB/s", "512"), (3, "waves", "3 waves")):
            self.assertEqual(table.figure(value, unit), text)


class ViewTest(unittest.TestCase):
    def test_rows_are_in_order_whatever_the_order_of_the_measurements(self):
        shown, = view.experiments(one(cpu("ceiling-epoll", 9, 1, 1), cpu("mine", 9, 1, 1, kind="also"), cpu("event", 9, 1, 1),
                                      cpu("thread", 1, 1, 1), cpu("event", 1, 1, 1)))
        self.assertEqual([(row.x, row.subject) for row in shown.rows],
                         [(1, "event"), (1, "thread"), (9, "event"), (9, "mine"), (9, "ceiling-epoll")])

    def test_asked_and_achieved_rates_become_figures(self):
        shown, = view.experiments(one(*[cpu("event", 1, i, 1, asked_rate=100, achieved_rate=90 + i) for i in (1, 2, 3)]))
        self.assertEqual([figure.name for figure in shown.figures], ["cpu_us_per_request", "asked_rate", "achieved_rate"])
        self.assertEqual(shown.rows[0].median("achieved_rate"), 92)

    def test_what_is_not_there_is_left_out(self):
        for value in ({}, {"experiments": []}, {"experiments": [{"name": "bare"}]}, one(cpu("event", 1, 1, float("nan")))):
            for made in (report.terminal(value, False), report_markdown.markdown(value), report_html.page(value)):
                self.assertNotIn("nan", made.lower().replace("ordnan", ""))

    def test_a_ratio_of_what_shrank_is_none(self):
        results = one(cpu("event", 1, 1, 1))
        results["experiments"][0]["summary"][0]["to_ceiling"] = {"cpu_us_per_request": -8.9}
        self.assertEqual(view.experiments(results)[0].rows[0].to_ceiling, {})

    def test_failures_in_words(self):
        for failure, text in ((None, ""), ("gone", "gone"), ({"kind": "refused", "reason": "no"}, "refused: no"),
                              ({"kind": "other", "reason": "why"}, "why"), ({"kind": "died", "reason": None}, "the server died"),
                              ({"kind": "died", "reason": "the server died: why"}, "the server died: why"),
                              ({}, ""), ({"kind": "new"}, "no reason known")):
            self.assertEqual(view.failure_text(failure), text)

    def test_a_place_in_words(self):
        shown, = view.experiments(one(cpu("event", 1, 1, 1), cpu("event", 1024, 1, 1)))
        self.assertEqual([shown.place(row) for row in shown.rows], ["event at 1 connection", "event at 1,024 connections"])


class TerminalTest(unittest.TestCase):
    def test_fits_the_columns_it_is_given(self):
        for width in (80, 100, 140):
            for line in report.terminal(report_fixture.results(1), False, width).splitlines():
                self.assertLessEqual(len(line), width, line)

    def test_what_does_not_fit_is_named(self):
        self.assertIn("left out for width: p99, switches per request", report.terminal(report_fixture.results(1), False, 70))
        self.assertNotIn("left out", report.terminal(report_fixture.results(1), False, 140))

    def test_table(self):
        text = report.terminal(one(cpu("event", 64, 1, 7.0), cpu("event", 64, 2, 7.5), cpu("event", 64, 3, 8.0, marks=["noisy"]),
                                   cpu("ceiling-epoll", 64, 1, 5.0), measurement("thread", 64, 1, {}, failure={
                                       "kind": "limit", "reason": "pids.max"})), False)
        self.assertRegex(text, r"(?m)^ +64  event ~ +7\.50 µs ±7% +1\.50$")
        self.assertRegex(text, r"(?m)^ +thread +-$")
        self.assertIn("thread at 64 connections: no figure: a limit: pids.max", text)
        self.assertIn("~ the rounds lie far apart", text)
        self.assertNotIn("* the client", text)

    def test_verdicts_stand_together_at_the_end(self):
        end = report.terminal(report_fixture.results(1), False).partition("What people say, and what was seen\n")[2]
        self.assertEqual([line for line in end.splitlines() if not line.startswith(" ")],
                         ["Events scale to many connections", "A thread costs memory", "Blocking work stalls a loop",
                          "Large bodies even the models out"])
        self.assertIn("  => no clear answer: no clear difference.", end)

    def test_colours_only_where_asked_for(self):
        results = report_fixture.results(1)
        self.assertNotIn("\033", report.terminal(results, False))
        coloured = report.terminal(results, True)
        self.assertEqual(re.sub(r"\033\[[\d;]*m", "", coloured), report.terminal(results, False))
        self.assertIn("\033[32;1mholds\033[0m", coloured)

    def test_who_wants_colours(self):
        class Stream(io.StringIO):
            def isatty(self):
                return True
        for stream, environment, expected in (
                (Stream(), {}, True), (Stream(), {"NO_COLOR": "1"}, False), (Stream(), {"NO_COLOR": ""}, True),
                (Stream(), {"TERM": "dumb"}, False), (io.StringIO(), {}, False)):
            self.assertEqual(colour.wanted(stream, environment), expected)

    def test_incomplete(self):
        text = report.terminal({**report_fixture.results(1), "complete": False, "ended": "stopped by SIGINT"}, False)
        self.assertIn("INCOMPLETE: not all was measured; stopped by SIGINT", text)

    def test_names_cannot_command_the_terminal(self):
        results = one(cpu(HOSTILE, 1, 1, 1, kind="also"), sentence=HOSTILE)
        results["machine"]["cpu"] = results["experiments"][0]["statement"] = results["ended"] = HOSTILE
        self.assertNotIn("\033", report.terminal({**results, "complete": False}, False))


class MarkdownTest(unittest.TestCase):
    def test_sections(self):
        text = report_markdown.markdown(report_fixture.results(1))
        self.assertEqual(text.count("\n## "), 4)
        self.assertIn("```sh\n./dev compare --only memory\n```", text)
        self.assertRegex(text, r"\| event \| \d\d\d B ±\d% \(1\.\d\d × ceiling\) \|")
        self.assertIn("no figure: a limit: refused at 812 connections", text)

    def test_every_table_has_as_many_cells_in_each_row(self):
        results = report_fixture.results(1)
        results["experiments"].append(one(cpu(HOSTILE, 1, 1, 1, kind="also"), sentence=HOSTILE)["experiments"][0])
        for block in report_markdown.markdown(results).split("\n\n"):
            if block.startswith("| "):
                self.assertEqual(len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}), 1, block)


class CsvTest(unittest.TestCase):
    def rows(self, results):
        return list(csv.DictReader(io.StringIO(csv_file.text(results))))

    def test_a_row_for_each_measurement_and_figure(self):
        results = report_fixture.results(1)
        rows = self.rows(results)
        measured = [entry for part in results["experiments"] for entry in part["measurements"]]
        self.assertEqual(len(rows), sum(max(1, len(entry["figures"])) for entry in measured))
        self.assertEqual(rows[0]["unit"], "µs")
        self.assertEqual(float(rows[0]["value"]), measured[0]["figures"]["cpu_us_per_request"])
        self.assertEqual({row["failure"] for row in rows if row["subject"] == "process" and row["x"] == "1024"
                          and row["experiment"] == "scaling"},
                         {"a limit: refused at 812 connections: pids.max of the cgroup is 819"})
        self.assertEqual(sum(int(row["errors"]) for row in rows if row["figure"] == "p99_us"), 9)

    def test_no_cell_is_a_formula(self):
        rows = self.rows(one(cpu("=cmd()", 1, 1, -5.0, kind="also"), cpu("+1", 1, 1, 1, kind="also")))
        self.assertEqual([(row["subject"], row["value"]) for row in rows], [("'=cmd()", "-5.0"), ("'+1", "1")])


class _Reader(HTMLParser):
    """Elements and texts of a page; fails on elements that are not closed in order."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)


class PageTest(unittest.TestCase):
    def page(self, results, library="void 0;"):
        page = report_html.page(results, markup.script(library) if library else None)
        reader = _Reader(page)
        self.assertEqual(reader.open, [])
        return page, reader

    def test_nothing_is_loaded_from_elsewhere(self):
        _, reader = self.page(report_fixture.results(1))
        for tag, attributes in reader.tags:
            for name, value in attributes.items():
                if name in ("src", "href", "action", "data", "poster"):
                    self.assertRegex(value, r"^(#|data:)", tag)
        policy = next(attributes["content"] for tag, attributes in reader.tags if attributes.get("http-equiv"))
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)

    def test_names_cannot_break_out(self):
        died = measurement(HOSTILE, 2, 1, {}, "also", {"kind": "died", "reason": HOSTILE})
        results = one(cpu(HOSTILE, 1, 1, 1, kind="also"), died, sentence=HOSTILE)
        for name in ("title", "statement", "claim", "method", "command", "name"):
            results["experiments"][0][name] = HOSTILE
        results["machine"][HOSTILE] = HOSTILE
        page, reader = self.page(results)
        self.assertNotIn("<script>hacked", page)
        self.assertEqual([tag for tag, _ in reader.tags].count("script"), 3)
        self.assertIn(view.words(HOSTILE), "".join(reader.texts))

    def test_without_the_library_it_has_its_tables_and_says_so(self):
        page, reader = self.page(report_fixture.results(1), None)
        tags = [tag for tag, _ in reader.tags]
        self.assertEqual((tags.count("canvas"), tags.count("script"), tags.count("table")), (0, 1, 5))
        self.assertEqual(page.count("No chart: the library Chart.js was not there"), 4)
        self.assertIsNone(report_html.library(Path("/nowhere")))

    def test_all_is_said(self):
        _, reader = self.page(report_fixture.results(1))
        text = " ".join("".join(reader.texts).split())
        for part in ("“A thread costs memory”", "If it is true: The figure of event", "✓ holds", "? no clear answer",
                     "How it was measured", "What the columns mean", "latency that 99 % of the requests did not exceed",
                     "./dev compare --only blocked-loop", "commit 0123456789ab", "3 interleaved rounds", "descriptors 20000, 20000",
                     "no figure: a limit: refused at 812 connections", "* the client was at its limit", "errors: 9 timeout"):
            self.assertIn(part, text)

    def test_names_in_the_method_are_set_apart(self):
        results = one(cpu("event", 1, 1, 1))
        results["experiments"][0]["method"] = "`event` with <one> loop, `hybrid`"
        self.assertIn("<code>event</code> with &lt;one&gt; loop, <code>hybrid</code>", self.page(results)[0])

    def test_baseline(self):
        results = {**report_fixture.results(1), "baseline": {
            "started": "then", "commit": None, "unchanged": 3, "failures": ["gone"], "notes": ["a note"], "changes": [{
                "experiment": "scaling", "subject": "event", "figure": "rps", "title": "requests/s", "word": "slower", "worse": True,
                "ratio": 0.8, "chance": 0.001, "points": "at 64", "example": "10 to 8 at 64"}]}}
        text = " ".join("".join(self.page(results)[1].texts).split())
        for part in ("Since then", "✗ slower", "-20 %", "10 to 8 at 64", "No clear difference in 3 other figures.", "a note", "gone"):
            self.assertIn(part, text)
        self.assertIn("event is slower: requests/s -20 % at 64", report.terminal(results, False))
        self.assertIn("event is slower: requests/s -20 % at 64", report_markdown.markdown(results))

    def test_the_same_again(self):
        self.assertEqual(report_html.page(report_fixture.results(1)), report_html.page(report_fixture.results(1)))


class MarkupTest(unittest.TestCase):
    def test_elements(self):
        self.assertEqual(markup.element("a", "<&", markup.element("b", 1), None, href='"', data_x=2, class_=None, aria_label="é"),
                         '<a href="&quot;" data-x="2" aria-label="é">&lt;&amp;<b>1</b></a>')

    def test_data(self):
        self.assertEqual(markup.data({"a": "</script><!--\u2028&"}),
                         '{"a":"\\u003c/script\\u003e\\u003c!--\\u2028\\u0026"}')
        with self.assertRaises(ValueError):
            markup.data(float("nan"))

    def test_scripts(self):
        for bad in ("x</script>", "x</SCRIPT >", "<!-- x"):
            with self.assertRaises(ValueError):
                markup.script(bad)


# How the three kinds of colour blindness see linear light (Machado, Oliveira and Fernandes 2009, full strength).
_VISIONS = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
}


def _linear(colour_text):
    parts = [int(colour_text[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def _lab(linear):
    x, y, z = (sum(k * c for k, c in zip(row, linear)) for row in (
        (0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505), (0.2126, 0.7152, 0.0722),
        (0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089)))
    f = [max(v, 0) ** (1 / 3) if v > 0.008856 else 7.787 * max(v, 0) + 16 / 116 for v in (x, y, z)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


class PaletteTest(unittest.TestCase):
    """Colours of the subjects: told apart with any vision, and from the paper, in both schemes."""

    def schemes(self):
        style = (report_html.PARTS / "style.css").read_text(encoding="utf-8")
        blocks = re.findall(r"\{([^{}]*--paper:[^{}]*)\}", style)
        self.assertEqual(len(blocks), 2)
        return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block)) for block in blocks]

    def test_subjects_are_told_apart(self):
        for scheme in self.schemes():
            colours = [_linear(scheme[f"s{i}"]) for i in range(1, 9)]
            for name, matrix in _VISIONS.items():
                seen = [_lab([sum(k * c for k, c in zip(row, linear)) for row in matrix]) for linear in colours]
                for i, first in enumerate(seen):
                    for second in seen[:i]:
                        self.assertGreater(sum((a - b) ** 2 for a, b in zip(first, second)) ** 0.5, 20, (name, i))

    def test_every_colour_stands_out_from_the_paper(self):
        def luminance(text):
            return sum(k * c for k, c in zip((0.2126, 0.7152, 0.0722), _linear(text)))
        for scheme in self.schemes():
            for i in range(1, 9):
                low, high = sorted((luminance(scheme["paper"]), luminance(scheme[f"s{i}"])))
                self.assertGreater((high + 0.05) / (low + 0.05), 3, i)


class StyleTest(unittest.TestCase):
    def test_each_subject_has_its_own_and_a_ceiling_that_of_its_model(self):
        chosen = charts.styles({"event": "mode", "ceiling-epoll": "ceiling", "thread": "mode", "ceiling-threads": "ceiling",
                                "process": "mode", "ceiling-processes": "ceiling", "mine": "also", "target": "target"})
        self.assertEqual([chosen[name] for name in ("event", "thread", "process")],
                         [chosen[name] for name in ("ceiling-epoll", "ceiling-threads", "ceiling-processes")])
        self.assertEqual(len({chosen[name] for name in ("event", "thread", "process", "mine", "target")}), 5)


class WriteTest(unittest.TestCase):
    def test_all_files(self):
        with tempfile.TemporaryDirectory() as folder:
            report.write(report_fixture.results(1), folder)
            self.assertEqual(sorted(path.name for path in Path(folder).iterdir()), sorted(report.FILES))


if __name__ == "__main__":
    unittest.main()
