# SPDX-License-Identifier: MIT
"""Reports made from kept results by the command: --from, --merge, --baseline, --require. Nothing is measured."""

import json
import os
import pty
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from paths import LOADTEST
import report_fixture
import terminal


class AgainTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.output = self.folder / "output"

    def keep(self, name, results):
        path = self.folder / name
        path.write_text(json.dumps(results), encoding="utf-8")
        return str(path)

    def run_compare(self, *flags):
        return subprocess.run([sys.executable, str(LOADTEST / "compare.py"), "--output", str(self.output), *flags],
                              capture_output=True, text=True, timeout=240, check=False)

    def assert_refused(self, done, status, pattern):
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertRegex(done.stderr, pattern)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_the_report_is_made_again(self):
        done = self.run_compare("--from", self.keep("a.json", report_fixture.results(1)))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("✓ holds: An idle connection costs 13.1 KiB in thread", done.stdout)
        self.assertNotIn("\033", done.stdout)
        for name in ("report.html", "report.md", "results.csv"):
            self.assertIn(name, done.stdout)
            self.assertGreater((self.output / name).stat().st_size, 1000)
        for path in done.stdout.splitlines()[-1].split(", "):
            self.assertTrue((Path.cwd() / path).exists(), path)

    def test_colours_on_a_terminal(self):
        kept = self.keep("a.json", report_fixture.results(1))
        for extra, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
            with self.subTest(extra):
                environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
                primary, secondary = pty.openpty()
                child = subprocess.Popen([sys.executable, str(LOADTEST / "compare.py"), "--output", str(self.output),
                                          "--from", kept], stdout=secondary, env={**environment, "TERM": "xterm", **extra})
                os.close(secondary)
                self.assertEqual("\033[" in terminal.everything(primary), coloured)
                self.assertEqual(child.wait(60), 0)

    def test_require(self):
        kept = self.keep("a.json", report_fixture.results(1))
        met = "event.cpu_us_per_request < thread.cpu_us_per_request @ 64"
        unmet = "hybrid.p99_us < 0.001 * event.p99_us in blocked-loop"
        self.assertEqual(self.run_compare("--from", kept, "--require", met).returncode, 0)
        done = self.run_compare("--from", kept, "--require", met, "--require", unmet)
        self.assert_refused(done, 99, r"required hybrid\.p99_us < .* in blocked-loop: not met in blocked-loop: \d")
        self.assertIn("report.html", done.stdout)
        done = self.run_compare("--from", kept, "--require", "event.rps >= @")
        self.assert_refused(done, 2, "'@' where a number or SUBJECT.FIGURE should be")
        self.assertEqual(done.stdout, "")

    def test_baseline(self):
        old, new = (self.keep(name, report_fixture.results(i, 0.03, slower={"event": i}))
                    for name, i in (("a.json", 1), ("b.json", 2)))
        done = self.run_compare("--from", new, "--baseline", old)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("scaling: event is slower: CPU per request", done.stdout)
        self.assertIn("✗ slower", (self.output / "report.html").read_text(encoding="utf-8"))
        self.assertIn("No clear difference in any of", self.run_compare("--from", new, "--baseline", new).stdout)

    def test_merge(self):
        files = [self.keep(f"{i}.json", report_fixture.results(i)) for i in (1, 2, 3)]
        done = self.run_compare("--merge", *files)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("machine 3: A CPU", done.stdout)
        self.assertIn("medians of 9 interleaved rounds", " ".join(done.stdout.split()))
        merged = json.loads((self.output / "results.json").read_text(encoding="utf-8"))
        self.assertEqual(len(merged["machines"]), 3)
        again = self.run_compare("--from", str(self.output / "results.json"))
        self.assertEqual(again.stdout, done.stdout)

    def test_refusals(self):
        kept = self.keep("a.json", report_fixture.results(1))
        other = self.keep("other.json", {"format": "echod-bench", "version": 1})
        (self.folder / "broken.json").write_text("{", encoding="utf-8")
        damaged = report_fixture.results(1)
        del damaged["experiments"][0]["summary"][0]["subject"]
        damaged = self.keep("damaged.json", damaged)
        old = self.keep("old.json", {"format": "echod-compare", "version": 2, "experiments": []})
        for flags, status, pattern in ((["--from", "/nowhere"], 1, "/nowhere: No such file"),
                                       (["--from", str(self.folder / "broken.json")], 1, "broken.json: not JSON"),
                                       (["--from", kept, "--baseline", other], 1, "other.json: not the results of ./dev compare"),
                                       (["--from", damaged], 1, r"damaged.json: damaged: experiments\[0\].summary\[0\]: 'subject' is a required property"),
                                       (["--from", old], 1, "old.json: an older format, version 2; .*measure again with ./dev compare"),
                                       (["--from", kept, "--picture", str(self.output.parent)], 2, "--picture: .* is a folder"),
                                       (["--from", kept, "--picture", "/proc/x/y.png"], 1, "cannot write to /proc/x"),
                                       (["--merge", kept], 2, "--merge: give the results of two machines"),
                                       (["--merge", kept, self.keep("b.json", report_fixture.results(1))], 2,
                                        "--merge: .*b.json holds the same results as .*a.json"),
                                       (["--merge", kept, kept, "--from", kept], 2, "--from and --merge: one of them")):
            with self.subTest(flags):
                self.assert_refused(self.run_compare(*flags), status, pattern)
                self.assertFalse(self.output.exists() and any(self.output.iterdir()))
