# SPDX-License-Identifier: MIT
"""What is made from results: terminal, Markdown, CSV and the page's text. tests/browser/ looks at the page in a browser."""

import csv
import io
import os
import re
import tempfile
import unittest
import unittest.mock
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import report_fixture
from lab import report
from lab.compare import experiment as experiments
from lab.report import advice, charts, csv_file, glossary, page, scale
from lab.results import view
from lab.text import units
from report_fixture import CONNECTIONS, CPU, claim, condition, experiment, measurement, verdict

HOSTILE = "x\"'><script>hacked=1</script><!-- {{ 7 * 7 }} | `*_\x1b[31m\n=1+1"


def of(*experiments):
    return {**report_fixture.results(1), "experiments": list(experiments)}


def one(*measurements, x=CONNECTIONS, figures=(CPU,), **more):
    return of(experiment("e", list(figures), list(measurements), x, **more))


def cpu(subject, x, number, value, **more):
    return measurement(subject, x, number, {"cpu_us_per_request": value}, **more)


def flat(text):
    return " ".join(text.split())


class FigureTest(unittest.TestCase):
    def test_units(self):
        for value, unit, text in ((7.1234, "µs", "7.12 µs"), (0, "µs", "0 µs"), (512, "µs", "512 µs"), (2500, "µs", "2.50 ms"),
                                  (1.5, "s", "1.50 s"), (3, "ms", "3.00 ms"), (451, "bytes", "451 B"), (17613, "B", "17.2 KiB"),
                                  (12.34, "%", "12.3 %"), (81234.5, "/s", "81,234"), (0.00959, "", "0.00959"), (17, "", "17"),
                                  (1234.5, "", "1,234"), (512.3, "MB/s", "512"), (3, "waves", "3 waves")):
            self.assertEqual(units.figure(value, unit), text)

    def test_ratios(self):
        for value, text in ((2.1, "2.10"), (0.123, "0.12"), (31.4, "31"), (458.2, "458"), (0, "0"), (2, "2"), (48213, "48,213"), (0.0123, "0.012")):
            self.assertEqual(view.ratio(value), text)


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
            for made in (report.terminal(value, False), page.markdown(value), page.page(value)):
                self.assertNotRegex(made.lower(), r"\bnan\b")

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

    def test_a_condition_in_a_line(self):
        results = one(claims=[claim("c", "C", verdict(conditions=[condition(), condition(ratio=None, low=None, high=None, samples=None)]))])
        first, second = view.experiments(results)[0].claims[0].verdicts[0].conditions
        self.assertEqual(first.line, "thread/event, CPU per request at 1,024: 2.10 (1.90 to 2.20), wanted at least 1.3")
        self.assertEqual(first.basis, "5 rounds, coverage 94 %, n = 31,000")
        self.assertEqual(replace(first, low=2.1, high=2.1).found, "2.10 in every round")
        self.assertEqual(replace(first, rounds=1).found, "2.10")
        self.assertEqual(second.line, "thread/event, CPU per request at 1,024: no figure, wanted at least 1.3")

    def test_modes_of_which_the_same_is_told_are_one_row(self):
        told = [verdict("not asked", "Not measured: it needs --full.", mode, "it needs --full") for mode in ("thread", "event")]
        shown = view.experiments(one(claims=[claim("c", "C", *told, verdict(mode="pool"))]))[0].claims[0]
        self.assertEqual(shown.rows, [("not asked", "thread, event", "Not measured: it needs --full."),
                                      ("holds", "pool", "A request costs 8.9 µs in thread and 7.0 µs in event.")])

    def test_curves_are_of_all_rounds_together(self):
        shown = view.experiments(one(*[cpu("event", 64, i, 1, histograms={"us": [[10, 5], [20 * i, 1]]}) for i in (1, 2)]))[0]
        self.assertEqual(shown.curves, {("us", 64): {"event": [[10, 10], [20, 1], [40, 1]]}})


LINES = [{"when": "come", "choose": "event", "because": "Loops are cheap.", "claims": ["e.c", "e.d:thread"],
          "otherwise": {"choose": "thread", "because": "Not here."}}]


class AdviceTest(unittest.TestCase):
    def line(self, first, thread, pool="holds"):
        claims = [claim("c", "C", verdict(first, "Seen C.", why="a reason")),
                  claim("d", "D", verdict(thread, "Seen D.", "thread", "another"), verdict(pool, "Pool.", "pool"))]
        return advice.of(one(cpu("event", 1, 1, 1), claims=claims), LINES)[0]

    def test_all_claims_hold(self):
        self.assertEqual(self.line("holds", "holds"), {
            "when": "come", "choose": "event", "because": "Loops are cheap. Seen C. thread: Seen D.", "claims": ["e.c", "e.d"],
            "modes": ["", "thread"], "outcomes": ["holds", "holds"], "outcome": "holds"})

    def test_one_that_does_not_hold_turns_the_advice(self):
        for outcomes in (("does not hold", "holds"), ("does not hold", "not asked")):
            line = self.line(*outcomes)
            seen = "Not here. thread: Seen D. Seen C." if outcomes[1] == "holds" else "Not here. Seen C."
            self.assertEqual((line["choose"], line["because"], line["outcome"]), ("thread", seen, "does not hold"))

    def test_what_is_open_is_said(self):
        line = self.line("no clear answer", "holds")
        self.assertEqual((line["choose"], line["because"]), ("event", "Not settled on this machine, so this is only the usual advice: a reason. thread: Seen D. Seen C."))
        self.assertEqual(line["outcomes"], ["no clear answer", "holds"])
        for outcome in ("too little measured", "not asked", "needs more CPUs"):
            line = self.line("holds", outcome)
            seen = " Seen C. thread: Seen D." if outcome == "too little measured" else " Seen C."
            self.assertEqual((line["because"], line["outcome"]),
                             (f"Only in part answered by this run, so this is only the usual advice: another.{seen}", outcome))
        line = self.line("not asked", "not asked")
        self.assertEqual(line["because"], "Not answered by this run, so this is only the usual advice: a reason; thread: another.")

    def test_what_holds_is_told_beside_what_does_not(self):
        self.assertEqual(self.line("does not hold", "holds")["because"], "Not here. thread: Seen D. Seen C.")

    def test_a_line_says_how_many_verdicts_it_leaves_out(self):
        claims = [claim("d", "D", *(verdict("holds", f"Seen {mode}.", mode) for mode in ("thread", "event", "pool", "hybrid", "process")))]
        line = advice.of(one(cpu("event", 1, 1, 1), claims=claims), [{**LINES[0], "claims": ["e.d"]}])[0]
        self.assertTrue(line["because"].endswith("Seen pool. 2 more figures stand behind the links."), line["because"])

    def test_a_mode_is_named_once(self):
        claims = [claim(name, name, verdict("not asked", "Not measured.", "thread", "wide")) for name in ("c", "d")]
        line = advice.of(one(cpu("event", 1, 1, 1), claims=claims), [{**LINES[0], "claims": ["e.c:thread", "e.d:thread"]}])[0]
        self.assertTrue(line["because"].endswith("advice: thread: wide."), line["because"])

    def test_reasons_name_the_modes_they_are_told_of(self):
        lines = [{**LINES[0], "claims": ["e.d"]}]
        claims = [claim("d", "D", *(verdict("no clear answer", f"Seen {mode}.", mode, why) for mode, why in
                                    (("thread", "wide"), ("event", "wide"), ("pool", "noise"))))]
        line = advice.of(one(cpu("event", 1, 1, 1), claims=claims), lines)[0]
        self.assertIn("advice: thread, event: wide; pool: noise. ", line["because"])

    def test_a_reason_that_names_its_mode_is_not_named_again(self):
        claims = [claim("d", "D", verdict("no clear answer", "Seen.", "hybrid", "hybrid: the client shared the server's CPU"),
                        verdict("no clear answer", "Seen.", "thread", "wide"))]
        line = advice.of(one(cpu("event", 1, 1, 1), claims=claims), [{**LINES[0], "claims": ["e.d"]}])[0]
        self.assertIn("advice: hybrid: the client shared the server's CPU; thread: wide. ", line["because"])

    def test_only_the_mode_that_is_named_counts(self):
        self.assertEqual(self.line("holds", "holds", "does not hold")["outcome"], "holds")

    def test_a_claim_that_is_not_there(self):
        line = advice.of(of(), LINES)[0]
        self.assertEqual((line["outcome"], line["because"]), ("not asked", "Not answered by this run, so this is only the usual advice: its experiment is not part of these results."))

    def test_every_claim_of_the_file_is_one_of_an_experiment(self):
        known = {f"{item.name}.{entry.name}": entry for item in experiments.load_all() for entry in item.claims}
        for line in advice.load():
            figures = 0
            for reference in line["claims"]:
                anchor, _, mode = reference.partition(":")
                self.assertIn(anchor, known, line["when"])
                self.assertTrue(not mode or mode in known[anchor].modes, reference)
                figures += known[anchor].sentence.count("{")
            self.assertGreater(figures, 0, "no figure carries the advice")

    def test_the_file(self):
        for line in advice.load():
            self.assertEqual(set(line), {"when", "choose", "because", "claims", "otherwise"})
            self.assertEqual(set(line["otherwise"]), {"choose", "because"})
            self.assertTrue(line["claims"])
        text = " ".join(line["when"] for line in advice.load())
        for word in ("thousands", "idle", "CPU-heavy", "database driver", "plug-in", "new connection", "slow clients", "overload", "mixed",
                     "stops", "share", "bodies", "simple"):
            self.assertIn(word, text)


class TerminalTest(unittest.TestCase):
    def test_fits_the_columns_it_is_given(self):
        for width in (80, 100, 140):
            for line in report.terminal(report_fixture.everything(), False, width).splitlines():
                self.assertLessEqual(len(line), width, line)

    def test_what_does_not_fit_is_named(self):
        self.assertIn("left out for width: p99, switches per request", report.terminal(report_fixture.results(1), False, 64))
        self.assertNotIn("left out", report.terminal(report_fixture.results(1), False, 140))

    def test_table(self):
        text = report.terminal(one(cpu("event", 64, 1, 7.0), cpu("event", 64, 2, 7.5), cpu("event", 64, 3, 8.0, marks=["noisy"]),
                                   cpu("ceiling-epoll", 64, 1, 5.0), measurement("thread", 64, 1, {}, failure={
                                       "kind": "limit", "reason": "pids.max"})), False)
        self.assertRegex(text, r"(?m)^64 +event ~ +7\.50 µs ±7%$")
        self.assertRegex(text, r"(?m)^ +thread +-$")
        self.assertIn("thread at 64 connections: no figure: a limit: pids.max", text)
        self.assertIn("~ the rounds lie far apart", text)
        self.assertNotIn("* the client", text)

    def test_ends_with_the_verdicts_and_which_one_when(self):
        text = report.terminal(report_fixture.everything(), False, 160)
        verdicts, _, end = text.partition("All verdicts\n")[2].partition("Which one, when?\n")
        for line in ("scaling.grows: With more connections a request costs a thread more CPU.", "  ✗ does not hold pool: A request costs 9.0 µs",
                     "  – needs more CPUs: it needs 8 CPUs, 2 may be used", "  – not asked hybrid: the mode was not chosen (--modes)",
                     "  ? no clear answer: A request costs 7.0 µs at 64 and 7.3 µs at 1,024. (the interval spans 1.1)"):
            self.assertIn(line, verdicts)
        self.assertEqual(end.count("If your requests "), len(advice.load()))

    def test_colours_only_where_asked_for(self):
        results = report_fixture.everything()
        self.assertNotIn("\033", report.terminal(results, False))
        coloured = report.terminal(results, True)
        plain = re.sub(r"\033\[[\d;]*m", "", coloured)
        self.assertEqual([line.rstrip() for line in plain.splitlines()], report.terminal(results, False).splitlines())
        self.assertIn("\033[1;32m✓ holds\033[0m", coloured)

    def test_who_wants_colours(self):
        class Stream(io.StringIO):
            def isatty(self):
                return True
        for stream, environment, expected in (
                (Stream(), {"TERM": "xterm"}, True), (Stream(), {"NO_COLOR": "1", "TERM": "xterm"}, False),
                (Stream(), {"TERM": "dumb"}, False), (io.StringIO(), {"TERM": "xterm"}, False)):
            with self.subTest(environment), unittest.mock.patch.dict(os.environ, environment, clear=True):
                self.assertEqual(report.has_colours(stream), expected)

    def test_incomplete(self):
        text = report.terminal({**report_fixture.results(1), "complete": False, "ended": "stopped by SIGINT"}, False)
        self.assertIn("INCOMPLETE: not all was measured; stopped by SIGINT", text)

    def test_names_cannot_command_the_terminal(self):
        results = one(cpu(HOSTILE, 1, 1, 1, kind="also"), claims=[claim("c", HOSTILE, verdict(sentence=HOSTILE))])
        results["machine"]["cpu"] = results["experiments"][0]["title"] = results["ended"] = HOSTILE
        self.assertNotIn("\033", report.terminal({**results, "complete": False}, False))

    def test_words_in_brackets_are_no_markup(self):
        self.assertIn("[bold]x[/bold]", report.terminal(one(cpu("event", 1, 1, 1), title="[bold]x[/bold]"), False))


class MarkdownTest(unittest.TestCase):
    def test_sections(self):
        text = page.markdown(report_fixture.everything())
        self.assertEqual(text.count("\n## "), 7 + 3)
        self.assertIn("```sh\n./dev compare --only memory\n```", text)
        self.assertRegex(text, r"\| event \| \d\d\d B ±\d% \(1\.\d\d × ceiling\) \|")
        self.assertIn("no figure: a limit: refused at 812 connections", text)
        self.assertIn("- **pool: does not hold**. A request costs 9.0 µs", text)
        self.assertIn("wanted at least 1.3 (3 rounds, coverage 94 %, n = 31,000): holds", text)

    def test_every_table_has_as_many_cells_in_each_row(self):
        results = report_fixture.everything()
        results["experiments"].append(one(cpu(HOSTILE, 1, 1, 1, kind="also"), claims=[
            claim("c", HOSTILE, verdict(sentence=HOSTILE))])["experiments"][0])
        tables = 0
        for block in page.markdown(results).split("\n\n"):
            if block.startswith("| "):
                tables += 1
                self.assertEqual(len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}), 1, block)
        self.assertEqual(tables, 2 + 7)


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

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    def text(self):
        return flat("".join(self.texts))

    def named(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


class PageTest(unittest.TestCase):
    def page(self, results):
        made = page.page(results)
        reader = _Reader(made)
        self.assertEqual(reader.open, [])
        return made, reader

    def test_nothing_is_loaded_and_nothing_runs(self):
        _, reader = self.page(report_fixture.everything())
        for tag, attributes in reader.tags:
            for name, value in attributes.items():
                if name in ("src", "href", "action", "data", "poster"):
                    self.assertRegex(value, r"^(#|data:)", tag)
                self.assertNotEqual(name, "style")
                self.assertFalse(name.startswith("on"), name)
        policy = next(attributes["content"] for attributes in reader.named("meta") if attributes.get("http-equiv"))
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("script-src", policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(reader.named("script"), [])

    def test_names_cannot_break_out(self):
        died = measurement(HOSTILE, 2, 1, {}, "also", {"kind": "died", "reason": HOSTILE})
        entry = {**claim(HOSTILE, HOSTILE, verdict(sentence=HOSTILE, mode=HOSTILE, why=HOSTILE, conditions=[condition(HOSTILE)])),
                 "source": HOSTILE, "reverse": HOSTILE}
        results = one(cpu(HOSTILE, 1, 1, 1, kind="also", histograms={HOSTILE: report_fixture.latencies(10, 20, 0.5)},
                          series={HOSTILE: [[1, 2], [2, 3]]}), died, claims=[entry])
        for name in ("title", "about", "command", "name"):
            results["experiments"][0][name] = HOSTILE
        results["experiments"][0]["x"] = {**CONNECTIONS, "title": HOSTILE}
        results["machine"][HOSTILE] = HOSTILE
        made, reader = self.page(results)
        self.assertNotIn("<script", made)
        self.assertNotIn("49 }}", made)
        self.assertIn(flat(view.words(HOSTILE)), reader.text())

    def test_all_is_said(self):
        text = self.page(report_fixture.everything())[1].text()
        for part in ("Which one, when?", "An idle connection costs a thread several times what it costs a loop.", "✓ holds", "? no clear answer",
                     "✗ does not hold", "… too little measured", "– not asked", "– needs more CPUs", "Source: the article, on context switches",
                     "What would refute the claim: A ratio below 1.3 would refute it.", "A fresh server for each measurement",
                     "wanted at least 1.3 (3 rounds, coverage 94 %, n = 31,000)", "99th percentile of the latency",
                     "./dev compare --only blocked-loop", "commit 0123456789ab", "3 interleaved rounds", "descriptors 20000, 20000",
                     "no figure: a limit: refused at 812 connections", "* the client was the limit", "errors: 9 timeout",
                     "differed by a factor of 1.06 at most", "differ from a ratio of 1.15 on, and are the same up to 1.10",
                     "not run: it needs --full", "Latency by percentile: blocking", "goodput over time: load 200 %"):
            self.assertIn(part, text)

    def test_the_terminal_says_the_same_in_the_same_words(self):
        """Every sentence of advice, verdicts and conditions stands on the page, in the Markdown and on the terminal."""
        results = report_fixture.everything()
        web, terminal = self.page(results)[1].text(), flat(report.terminal(results, False, 160))
        markdown = flat(page.markdown(results).replace("\\", ""))
        said = [line["because"] for line in advice.of(results)]
        for shown in view.experiments(results):
            for entry in shown.claims:
                said.append(entry.claim)
                said += [part.told for part in entry.verdicts]
                said += [one.line for part in entry.verdicts for one in part.conditions]
        self.assertGreater(len(said), 40)
        for line in map(flat, said):
            for where in (web, terminal, markdown):
                self.assertIn(line, where)

    def test_each_meaning_stands_once(self):
        results = report_fixture.everything()
        text = self.page(results)[1].text()
        for _, meaning in glossary.words() + glossary.figures(view.experiments(results)):
            self.assertEqual(text.count(flat(meaning)), 1, meaning)

    def test_every_claim_can_be_linked_to_and_every_link_leads_somewhere(self):
        results = report_fixture.everything()
        results["experiments"][1]["claims"][0]["name"] = advice.load()[0]["claims"][0].partition(":")[0].partition(".")[2]
        _, reader = self.page(results)
        targets = [attributes["id"] for _, attributes in reader.tags if "id" in attributes]
        links = [attributes["href"][1:] for attributes in reader.named("a")]
        self.assertEqual(len(targets), len(set(targets)))
        self.assertEqual(set(links) - set(targets), set())
        self.assertIn("scaling.grows", links)
        self.assertGreaterEqual(links.count(f"memory.{results['experiments'][1]['claims'][0]['name']}"), 2)  # advice and verdicts

    def test_the_method_names_the_experiments_that_share_a_cpu(self):
        results = report_fixture.everything()
        self.assertNotIn("which the client shares", self.page(results)[1].text())
        results["experiments"][1]["one_cpu"] = True
        self.assertIn("in memory to one CPU, which the client shares", self.page(results)[1].text())
        results["parameters"]["target"] = "http://192.0.2.1:8080"
        text = self.page(results)[1].text()
        self.assertFalse("which the client shares" in text or "a fresh server starts" in text)

    def test_the_noise_floor_is_not_lent_to_what_has_the_client_elsewhere(self):
        results = report_fixture.everything()
        twins = {figure["experiment"] for figure in results["noise"]["figures"]}
        self.assertNotIn("the noise floor is not known", self.page(results)[1].text())
        for entry in results["experiments"]:
            entry["one_cpu"] = entry["name"] in twins
        self.assertIn("Of memory, blocked-loop", self.page(results)[1].text())

    def test_the_machine_in_units(self):
        text = self.page(report_fixture.everything())[1].text()
        self.assertIn("24.0 GiB", text)
        self.assertIn("0.10, 0.20, 0.30", text)

    def test_a_percentile_curve_needs_1000_answers(self):
        shown = [view.experiments(one(*[cpu("event", None, 1, 1, histograms={"us": [[5, 500], [10, count], [20, 20]]})]))[0] for count in (460, 490)]
        self.assertEqual([len(charts.curves(experiment)) for experiment in shown], [0, 1])

    def test_a_picture_says_what_it_shows(self):
        _, reader = self.page(report_fixture.everything())
        labels = [attributes["aria-label"] for attributes in reader.named("svg") if attributes.get("role") == "img"]
        self.assertTrue(any(re.fullmatch(r"CPU per request at 1,024 connections: \S+ 6\.\d+ µs, .*; no figure: process", label)
                            for label in labels), labels)
        self.assertIn("thread/event, memory per connection: 31 (29 to 34), wanted at least 3: holds", labels)
        self.assertTrue(any(re.match(r"p99 of blocking: thread \d+ µs, .*event 4\d\d ms", label) for label in labels), labels)

    def test_names_in_the_method_are_set_apart(self):
        results = one(cpu("event", 1, 1, 1))
        results["experiments"][0]["about"] = "`event` with <one> loop, `hybrid`"
        self.assertIn("<code>event</code> with &lt;one&gt; loop, <code>hybrid</code>", self.page(results)[0])

    def test_baseline(self):
        results = {**report_fixture.results(1), "baseline": {
            "started": "then", "commit": None, "unchanged": 3, "failures": ["gone"], "notes": ["a note"], "changes": [{
                "experiment": "scaling", "subject": "event", "figure": "rps", "title": "requests/s", "word": "slower", "worse": True,
                "ratio": 0.8, "chance": 0.001, "points": "at 64", "example": "10 to 8 at 64"}]}}
        text = self.page(results)[1].text()
        for part in ("Since then", "✗ slower", "-20 %", "10 to 8 at 64", "No clear difference in 3 other figures.", "a note", "gone"):
            self.assertIn(part, text)
        self.assertIn("event is slower: requests/s -20 % at 64", report.terminal(results, False))
        self.assertIn("event is slower: requests/s -20 % at 64", page.markdown(results))

    def test_the_same_again(self):
        self.assertEqual(page.page(report_fixture.everything()), page.page(report_fixture.everything()))


class ScaleTest(unittest.TestCase):
    def test_ticks_are_round_and_neither_few_nor_many(self):
        for low, high in ((6.8, 9.1), (1, 10_000), (0.97, 1.5), (0.001, 900_000), (90, 111), (1.3, 1.31)):
            ticks = scale.Scale(low, high, 0, 1, True).ticks()
            with self.subTest(ticks):
                self.assertTrue(3 <= len(ticks) <= 8, ticks)
                self.assertTrue(all(low <= tick <= high for tick in ticks))

    def test_bytes_have_powers_of_two(self):
        self.assertEqual(scale.Scale(200, 200_000, 0, 1, True).ticks(binary=True), [2 ** power for power in (8, 10, 12, 14, 16)])

    def test_places(self):
        made = scale.around([1, 100], 0, 100)
        self.assertAlmostEqual(made(10), 50)
        self.assertFalse(scale.around([0, 5], 0, 100).log)
        self.assertEqual(scale.around([0, 5], 0, 100)(0), 0)


class ChartTest(unittest.TestCase):
    def strip(self, *conditions):
        shown = view.experiments(one(claims=[claim("c", "C", verdict(conditions=list(conditions)))]))[0]
        own = shown.claims[0].verdicts[0].conditions
        return charts.strip(own[0], own)

    def test_a_strip_has_the_threshold_the_interval_and_the_wanted_side(self):
        made = self.strip(condition(ratio=2.1, low=1.9, high=2.2, wanted=1.3))
        threshold = next(line for line in made.lines if line[4] == "threshold")
        interval = next(line for line in made.lines if line[4].startswith("interval"))
        self.assertLess(threshold[0], interval[0])
        self.assertLess(interval[0], made.marks[0][0])
        self.assertLess(made.marks[0][0], interval[2])
        self.assertEqual(made.areas[0][0], threshold[0])
        below = self.strip(condition(sign="<=", wanted=1.3))
        self.assertEqual(below.areas[0][0], 0)
        self.assertIsNone(self.strip(condition(ratio=None)))

    def test_a_strip_of_counts(self):
        zero = condition(ratio=0, low=0, high=0, sign="==", wanted=0)
        self.assertIsNone(self.strip(zero))
        made = self.strip(zero, condition(ratio=48_213))
        self.assertEqual((made.areas, made.marks[0][0]), ([], next(line for line in made.lines if line[4] == "threshold")[0]))

    def test_a_curve_ends_where_few_answers_are_left(self):
        found = charts._curve([[10, 980], [20, 11], [30, 9]])
        self.assertEqual([point[1] for point in found], [10])
        self.assertEqual([point[1] for point in charts._curve([[10, 980], [20, 10], [30, 10]])], [10, 20])

    def test_every_chart_stays_inside_its_frame(self):
        for shown in view.experiments(report_fixture.everything()):
            for chart in charts.all_of(shown):
                for x, y, *_ in chart.marks:
                    self.assertTrue(0 <= x <= chart.width and 0 <= y <= chart.height, (shown.name, chart.title))

    def test_charts_of_each_kind(self):
        titles = {shown.name: [chart.title for chart in charts.all_of(shown)] for shown in view.experiments(report_fixture.everything())}
        self.assertEqual(titles["scaling"], ["CPU per request"])
        self.assertEqual(titles["blocked-loop"], ["p99", "Latency by percentile: alone", "Latency by percentile: blocking"])
        self.assertEqual(titles["overload"], ["goodput/capacity", "goodput over time: load 200 %", "p99 over time: load 200 %"])
        self.assertEqual(titles["work-mix"], [])


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
        style = (page.PARTS / "style.css").read_text(encoding="utf-8")
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
                                "process": "mode", "ceiling-processes": "ceiling", "mine": "also"})
        self.assertEqual([chosen[name] for name in ("event", "thread", "process")],
                         [chosen[name] for name in ("ceiling-epoll", "ceiling-threads", "ceiling-processes")])
        self.assertEqual(len({chosen[name] for name in ("event", "thread", "process", "mine")}), 4)


class WriteTest(unittest.TestCase):
    def test_all_files(self):
        with tempfile.TemporaryDirectory() as folder:
            report.write(report_fixture.results(1), folder)
            self.assertEqual(sorted(path.name for path in Path(folder).iterdir()), sorted(report.FILES))
