# SPDX-License-Identifier: MIT
"""The timeline's page in headless Chromium, as wide as a desk and as a phone, light and dark."""

import json
import shutil
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent.parent)]

import timeline_fixture  # noqa: E402
from chromium import Browser, PageServer  # noqa: E402
from lab.report import picture  # noqa: E402
from lab.timeline import clients, pages  # noqa: E402

HOSTILE = "x\"'><img src=x onerror=hacked=1></script><script>hacked=2</script><!--"
MACHINE = {"cpu": HOSTILE, "cpus": 2, "cpus_usable": [0, 1], "memory_bytes": 1 << 33, "system": "Debian 12", "kernel": "Linux 6.18.4",
           "versions": {"server": "echod 0.1.0", "wrk": None}, "commit": "0123456789ab"}
ABOUT = {"machine": MACHINE, "started": "2026-11-29T12:00:00+00:00", "models": {"event": HOSTILE}, "no_schedule": None,
         "script": clients.script(1_000_000), "place": "The server has CPUs 0 and 1"}


def runs():
    """Modes with every kind of lane; without a schedule they are drawn, too."""
    return [timeline_fixture.blocked_loop(timeline_fixture.schedule()), timeline_fixture.with_workers(), timeline_fixture.with_threads()]


class TimelineTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        (cls.folder / "report.html").write_text(pages.report(runs(), ABOUT, (0, 100)), encoding="utf-8")
        for name in ("harness.html", "harness.js"):
            shutil.copy(HERE / name, cls.folder / name)

    def look(self, *flags):
        with PageServer(self.folder) as server, Browser(
                server.url("harness.html"), "--window-size=1300,1000", "--remote-debugging-port=0", *flags) as browser:
            found, console = json.loads(server.findings()), browser.console()
        self.assertEqual(console, [])
        self.assertEqual([one.get("width") for one in found], [1200, 400, 688], found)
        return found

    def judge(self, one):
        """All is drawn, legible and within the page, and no script of others ran."""
        self.assertIsNone(one["hacked"])
        self.assertEqual(one["images"], 0)
        self.assertLessEqual(one["overflow"], 0)
        self.assertEqual(len(one["charts"]), 3)
        for chart in one["charts"]:
            with self.subTest(chart=chart["label"]):
                self.assertEqual(chart["faults"], [])
                self.assertGreater(chart["width"], 200)
                self.assertGreater(chart["letters"], 8)
        self.assertGreaterEqual(one["worst"][0][0], 4.5, one["worst"])

    def test_light(self):
        for one in self.look():
            with self.subTest(width=one["width"]):
                self.assertFalse(one["dark"])
                self.judge(one)
                self.assertEqual(one["headings"][0], 1)
                self.assertTrue(all(after - before <= 1 for before, after in zip(one["headings"], one["headings"][1:])))
                self.assertEqual(one["linksToNowhere"], 0)
                self.assertEqual(one["captions"], one["tables"])
                self.assertEqual(one["skip"]["href"], "#modes")
                if not one.get("paper"):
                    self.assertEqual(one["scrolled"], 0)

    def test_dark(self):
        for one in self.look("--force-dark-mode"):
            with self.subTest(width=one["width"]):
                self.assertTrue(one["dark"])
                self.judge(one)

    def test_a_picture_for_others_says_little_of_the_machine(self):
        path = self.folder / "picture.png"
        text = pages.picture(runs(), ABOUT)
        picture.draw(text, path)
        self.assertEqual(path.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertIn("2 CPUs, Debian 12, Linux 6.18; commit 0123456789ab", text)
        self.assertEqual(text.count('role="img"'), 2)
        self.assertNotIn("onerror", text)
