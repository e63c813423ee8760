# SPDX-License-Identifier: MIT
"""The report's page in headless Chromium: every chart draws, nothing is reported to the console, nobody is shut out."""

import json
import re
import shutil
import struct
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

import report_fixture  # noqa: E402
from chromium import Browser, PageServer  # noqa: E402
from lab import charts, picture, report_html, view  # noqa: E402

HOSTILE = "x\"'><img src=x onerror=hacked=1></script><script>hacked=2</script><!--"


def made_up():
    """Results with every kind of chart, and with names and reasons that try to break out."""
    results = report_fixture.results(7)
    scaling = results["experiments"][0]
    for x in (1, 64):
        for number in (1, 2, 3):
            scaling["measurements"].append(
                report_fixture.measurement(HOSTILE, x, number, {"cpu_us_per_request": 14.0 + number}, "also"))
    scaling["measurements"].append(report_fixture.measurement(HOSTILE, 1024, 1, {}, "also",
                                                              {"kind": "died", "reason": HOSTILE + "\x1b[31m"}))
    scaling["summary"] = report_fixture.summarised(scaling["measurements"])
    for name in ("title", "statement", "claim", "method", "command"):
        results["experiments"][3][name] += HOSTILE
    results["experiments"][3]["verdict"]["sentence"] += HOSTILE
    results["experiments"][3]["figures"][0] = dict(results["experiments"][3]["figures"][0], title=HOSTILE, meaning=HOSTILE)
    results["machine"]["cpu"] = HOSTILE
    return results


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.results = made_up()
        cls.experiments = view.experiments(cls.results)
        library = report_html.library()
        assert library, "Chart.js is not installed"
        (cls.folder / "report.html").write_text(report_html.page(cls.results, library), encoding="utf-8")
        for name in ("harness.html", "harness.js"):
            shutil.copy(HERE / name, cls.folder / name)

    def look(self, *flags):
        """What the harness found at each width, and the console's lines."""
        with PageServer(self.folder) as server, Browser(
                server.url("harness.html"), "--window-size=1300,1000", "--remote-debugging-port=0", *flags) as browser:
            found = json.loads(server.findings())
            console = browser.console()
        for one in found:
            self.assertNotIn("error", one)
        return found, console

    def test_light(self):
        found, console = self.look()
        self.assertEqual(console, [])
        self.assertEqual([one["width"] for one in found], [1200, 400])
        for one in found:
            with self.subTest(width=one["width"]):
                self.assertFalse(one["dark"])
                self.judge(one)
                self.judge_use(one)
                self.judge_structure(one)

    def test_dark(self):
        found, console = self.look("--force-dark-mode")
        self.assertEqual(console, [])
        for one in found:
            with self.subTest(width=one["width"]):
                self.assertTrue(one["dark"])
                self.assertLess(sum(map(int, re.findall(r"\d+", one["background"]))), 150)
                self.judge(one)

    def judge(self, one):
        """What must be so in every scheme and width: all is drawn, in all colours, is legible, and no script of others ran."""
        self.assertIsNone(one["hacked"])
        self.assertEqual(one["images"], 0)
        self.assertLessEqual(one["overflow"], 0)
        self.assertEqual(one["charts"], len(self.experiments))
        self.assertEqual([figure["experiment"] for figure in one["figures"]], [shown.name for shown in self.experiments])
        for shown, figure in zip(self.experiments, one["figures"]):
            with self.subTest(chart=shown.name):
                name = shown.charted.name
                self.assertEqual(figure["drawn"], sum(name in row.figures for row in shown.rows))
                self.assertEqual(figure["figure"], name)
                for subject, style in charts.styles(shown.subjects).items():
                    self.assertGreater(figure["ink"][str(style)], 40, f"nothing drawn of {subject}")
                self.assertGreater(figure["width"], 300)
                self.assertGreater(figure["height"], 150)
        self.assertGreaterEqual(one["worst"][0][0], 4.5, one["worst"])

    def judge_use(self, one):
        for shown, figure, hover, pressed, chosen in zip(
                self.experiments, one["figures"], one["hovers"], one["pressed"], one["chosen"]):
            with self.subTest(chart=shown.name):
                self.assertEqual(hover["opacity"], 1)
                row = shown.rows[0]
                self.assertTrue(any(f"{row.subject}: {view.cell(row, shown.charted)}" in line for line in hover["lines"]), hover)
                self.assertEqual(figure["value"], "logarithmic" if shown.charted.log else "linear")
                self.assertIn("lower is better", figure["note"])
                self.assertEqual("logarithmic axis" in figure["note"], shown.charted.log)
                if figure["type"] == "line":
                    self.assertEqual(figure["dashed"], [name for name, kind in shown.subjects.items() if kind == "ceiling"])
                if pressed:
                    self.assertEqual((pressed["pressed"], pressed["again"]), ("false", pressed["before"]))
                    self.assertLess(pressed["after"], pressed["before"])
                if chosen:
                    self.assertNotEqual(chosen["value"], chosen["first"])
                    self.assertEqual(chosen["figure"], chosen["value"])
                    self.assertEqual(chosen["title"], shown.figure(chosen["value"]).title)

    def judge_structure(self, one):
        self.assertEqual(one["headings"][0], 1)
        self.assertEqual(one["headings"].count(1), 1)
        self.assertTrue(all(after - before <= 1 for before, after in zip(one["headings"], one["headings"][1:])))
        self.assertEqual(one["captions"], one["tables"])
        self.assertEqual(one["linksToNowhere"], 0)
        for figure in one["figures"]:
            self.assertEqual(figure["role"], "img")
            self.assertRegex(figure["label"], "^Chart of .*The table below has its figures")
        printed = one["print"]
        self.assertEqual((printed["paper"], printed["classes"]), ("rgb(255, 255, 255)", ""))
        self.assertTrue(all(width <= 660 for width in printed["widths"]), printed["widths"])
        self.assertEqual(printed["widthsAfter"], [figure["width"] for figure in one["figures"]])

    def test_from_a_file_without_any_network(self):
        with Browser((self.folder / "report.html").as_uri(), "--dump-dom", "--virtual-time-budget=10000") as browser:
            page, console = browser.output(), browser.console()
        self.assertEqual(console, [])
        self.assertRegex(page, rf'<html[^>]* data-charts="{len(self.experiments)}"')
        self.assertEqual(len(re.findall(r'<canvas[^>]* data-drawn="[1-9]', page)), len(self.experiments))

    def test_on_paper(self):
        """A page for each experiment at least, and a picture of each chart; in the light colours though the screen is dark."""
        paper = self.folder / "report.pdf"
        with Browser((self.folder / "report.html").as_uri(), f"--print-to-pdf={paper}", "--no-pdf-header-footer",
                     "--force-dark-mode", "--virtual-time-budget=10000") as browser:
            browser.output()
            self.assertEqual(browser.console(), [])
        data = paper.read_bytes()
        self.assertGreater(len(re.findall(rb"/Type\s*/Page\b", data)), len(self.experiments))
        self.assertGreaterEqual(len(re.findall(rb"/Subtype\s*/Image", data)), len(self.experiments))

    def test_a_broken_chart_is_told(self):
        """That this test can fail: a page whose data is wrong draws one chart less and says so on the console."""
        page = (self.folder / "report.html").read_text(encoding="utf-8")
        broken = self.folder / "broken.html"
        broken.write_text(page.replace('"figure":"user_bytes_per_connection"', '"figure":"nothing"', 1), encoding="utf-8")
        with Browser(broken.as_uri(), "--dump-dom", "--virtual-time-budget=10000") as browser:
            self.assertIn(f'data-charts="{len(self.experiments) - 1}"', browser.output())
            self.assertEqual(len(browser.console()), 1)

    def test_the_policy_keeps_other_scripts_out(self):
        page = (self.folder / "report.html").read_text(encoding="utf-8")
        other = self.folder / "other.html"
        other.write_text(page.replace("</body>", "<script>document.documentElement.dataset.hacked = 1</script></body>"),
                         encoding="utf-8")
        with Browser(other.as_uri(), "--dump-dom", "--virtual-time-budget=10000") as browser:
            page = browser.output()
            self.assertIn("Content Security Policy", " ".join(browser.console()))
        self.assertNotIn("data-hacked", page)

    def test_a_picture_for_others_says_little_of_the_machine(self):
        path = self.folder / "picture.png"
        self.results["machine"]["mitigations"] = {"secret": "x"}
        picture.take(self.results, path, (600, 400))
        data = path.read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        self.assertEqual(struct.unpack(">II", data[16:24]), (600, 400))
        text = report_html.page(picture.general(self.results))
        self.assertIn("2 CPUs, Debian 12, Linux 6.18, commit 0123456789ab", text)
        self.assertNotIn("secret", text)


if __name__ == "__main__":
    unittest.main()
