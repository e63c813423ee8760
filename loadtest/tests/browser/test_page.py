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
sys.path[:0] = [str(HERE), str(HERE.parent)]

import report_fixture  # noqa: E402
from chromium import Browser, PageServer  # noqa: E402
from lab.report import charts, page, picture  # noqa: E402
from lab.results import view  # noqa: E402

HOSTILE = "x\"'><img src=x onerror=hacked=1></script><script>hacked=2</script><!--"


def made_up():
    """Results with every kind of chart, and with names and reasons that try to break out."""
    results = report_fixture.everything(7)
    scaling, bodies = results["experiments"][0], results["experiments"][3]
    for x in (1, 64):
        for number in (1, 2, 3):
            scaling["measurements"].append(
                report_fixture.measurement(HOSTILE, x, number, {"cpu_us_per_request": 14.0 + number}, "also"))
    scaling["measurements"].append(report_fixture.measurement(HOSTILE, 1024, 1, {}, "also",
                                                              {"kind": "died", "reason": HOSTILE + "\x1b[31m"}))
    scaling["summary"] = report_fixture.summarised(scaling["measurements"])
    for name in ("title", "about", "command"):
        bodies[name] += HOSTILE
    bodies["claims"] = [report_fixture.claim(HOSTILE, HOSTILE, report_fixture.verdict(
        sentence=HOSTILE, conditions=[report_fixture.condition(HOSTILE)]))]
    bodies["figures"][0] = dict(bodies["figures"][0], title=HOSTILE, meaning=HOSTILE)
    results["machine"]["cpu"] = HOSTILE
    lane = next(entry for entry in results["experiments"] if "timelines" in entry)["timelines"][0]["groups"][0]["lanes"][0]
    lane["blocks"][0][3] = HOSTILE
    return results


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.results = made_up()
        cls.experiments = view.experiments(cls.results)
        (cls.folder / "report.html").write_text(page.page(cls.results), encoding="utf-8")
        for name in ("harness.html", "harness.js"):
            shutil.copy(HERE / name, cls.folder / name)

    def look(self, *flags):
        """What the harness found in each view, and the console's lines."""
        with PageServer(self.folder) as server, Browser(
                server.url("harness.html"), "--window-size=1300,1000", "--remote-debugging-port=0", *flags) as browser:
            found = json.loads(server.findings())
            console = browser.console()
        for one in found:
            self.assertNotIn("error", one)
        return found, console

    def test_light_and_on_paper(self):
        found, console = self.look()
        self.assertEqual(console, [])
        self.assertEqual([one["width"] for one in found], [1200, 400, 688])
        for one in found:
            with self.subTest(width=one["width"]):
                self.assertFalse(one["dark"])
                self.judge(one)
                self.judge_structure(one)

    def test_dark(self):
        found, console = self.look("--force-dark-mode")
        self.assertEqual(console, [])
        for one in found:
            with self.subTest(width=one["width"]):
                self.assertTrue(one["dark"])
                shade = sum(map(int, re.findall(r"\d+", one["background"])))
                self.assertTrue(shade == 765 if one.get("paper") else shade < 150, one["background"])  # paper is white always
                self.judge(one)

    def judge(self, one):
        """What must be so in every scheme and width: all is drawn, within its frame, is legible, and no script of others ran."""
        self.assertIsNone(one["hacked"])
        self.assertEqual(one["images"], 0)
        self.assertLessEqual(one["overflow"], 0)
        drawn = [chart for chart in one["charts"] if not chart["strip"] and not chart["timeline"]]
        strips = [chart for chart in one["charts"] if chart["strip"]]
        self.assertEqual(sorted(chart["label"] for chart in drawn),
                         sorted(chart.finding for shown in self.experiments for chart in charts.all_of(shown)))
        self.assertEqual(len(strips), sum(condition.ratio is not None for shown in self.experiments for claim in shown.claims
                                          for verdict in claim.verdicts for condition in verdict.conditions))
        self.assertEqual(sum(chart["timeline"] for chart in one["charts"]), sum(len(shown.timelines) for shown in self.experiments))
        for chart in one["charts"]:
            with self.subTest(chart=chart["label"]):
                self.assertEqual(chart["faults"], [])
                if not chart["timeline"]:
                    self.assertGreater(chart["marks"], 0)
                self.assertGreater(chart["width"], 200)
                self.assertGreater(chart["letters"], 8)
        self.assertTrue(all(chart["thresholds"] == 1 for chart in strips))
        self.assertGreaterEqual(one["worst"][0][0], 4.5, one["worst"])

    def judge_structure(self, one):
        self.assertEqual(one["headings"][0], 1)
        self.assertEqual(one["headings"].count(1), 1)
        self.assertTrue(all(after - before <= 1 for before, after in zip(one["headings"], one["headings"][1:])))
        self.assertEqual(one["captions"], one["tables"])
        self.assertEqual(one["linksToNowhere"], 0)
        self.assertEqual(one["landmarks"], ["header", "main", "nav", "footer"])
        if not one.get("paper"):
            self.assertEqual(one["scrolled"], 0)  # what is scrolled can be reached by the keyboard
            self.assertEqual(one["skip"]["href"], "#when")
            self.assertGreaterEqual(one["skip"]["left"], 0)

    def test_from_a_file_without_any_network(self):
        with Browser((self.folder / "report.html").as_uri(), "--dump-dom", "--virtual-time-budget=10000") as browser:
            text, console = browser.output(), browser.console()
        self.assertEqual(console, [])
        self.assertIn("Which one, when?", text)

    def test_on_paper(self):
        """A4, and a page or more for most experiments."""
        paper = self.folder / "report.pdf"
        with Browser((self.folder / "report.html").as_uri(), f"--print-to-pdf={paper}", "--no-pdf-header-footer",
                     "--force-dark-mode", "--virtual-time-budget=10000") as browser:
            browser.output()
            self.assertEqual(browser.console(), [])
        data = paper.read_bytes()
        self.assertGreater(len(re.findall(rb"/Type\s*/Page\b", data)), len(self.experiments) / 2)
        boxes = {tuple(round(float(part)) for part in box.split()) for box in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", data)}
        self.assertEqual({box[2:] for box in boxes}, {(595, 842)})

    def test_a_fault_is_told(self):
        """That this test can fail: a text outside of its chart, a page that is too wide."""
        text = (self.folder / "report.html").read_text(encoding="utf-8")
        broken = text.replace('<text class="subject" x="', '<text class="subject" x="-', 1)
        self.assertNotEqual(broken, text)
        wide = broken.replace("<header>", '<header><svg width="1500" height="2"></svg>', 1)
        folder = self.folder / "broken"
        folder.mkdir()
        for name in ("harness.html", "harness.js"):
            shutil.copy(HERE / name, folder / name)
        (folder / "report.html").write_text(wide, encoding="utf-8")
        with PageServer(folder) as server, Browser(server.url("harness.html"), "--remote-debugging-port=0") as browser:
            found = json.loads(server.findings())
            self.assertEqual(browser.console(), [])
        self.assertGreater(found[1]["overflow"], 1000)
        self.assertTrue(any("outside: " in fault for chart in found[0]["charts"] for fault in chart["faults"]))

    def test_the_policy_keeps_scripts_out(self):
        text = (self.folder / "report.html").read_text(encoding="utf-8")
        other = self.folder / "other.html"
        other.write_text(text.replace("</body>", "<script>document.documentElement.dataset.hacked = 1</script></body>"),
                         encoding="utf-8")
        with Browser(other.as_uri(), "--dump-dom", "--virtual-time-budget=10000") as browser:
            text = browser.output()
            self.assertIn("Content Security Policy", " ".join(browser.console()))
        self.assertNotIn("data-hacked", text)

    def test_a_picture_for_others_says_little_of_the_machine(self):
        path = self.folder / "picture.png"
        self.results["machine"]["mitigations"] = {"secret": "x"}
        picture.take(self.results, path)
        data = path.read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        self.assertEqual(width, picture.WIDTH)
        self.assertGreater(height, 800)
        text = page.picture(picture.general(self.results))
        self.assertIn("2 CPUs, Debian 12, Linux 6.18, commit 0123456789ab", text)
        self.assertNotIn("secret", text)
        self.assertEqual(text.count('role="img"'), 2)
