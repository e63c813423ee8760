# SPDX-License-Identifier: MIT
"""stdout and stderr that are closed, full, or pipes whose reader has gone: what was measured is kept, and nothing is raised."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from paths import LOADTEST
import report_fixture

FILES = {"report.html", "report.md", "results.csv"}


class StreamsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.output = Path(folder.name) / "output"
        self.kept = Path(folder.name) / "kept.json"
        self.kept.write_text(json.dumps(report_fixture.results(1)), encoding="utf-8")

        self.argv = [sys.executable, str(LOADTEST / "compare.py"), "--from", str(self.kept), "--output", str(self.output)]

    def run_in_shell(self, redirections, *flags, limit=""):
        """compare --from, under a shell's redirections."""
        return subprocess.run(["sh", "-c", f'{limit}"$@" {redirections}', "sh", *self.argv, *flags], capture_output=True,
                              text=True, timeout=240, check=False)

    def assert_kept(self, done, status, lines):
        self.assertEqual((done.returncode, done.stderr.splitlines()), (status, lines))
        self.assertEqual({path.name for path in self.output.iterdir()}, FILES)

    def test_a_reader_that_has_gone(self):
        reader, writer = os.pipe()
        os.close(reader)
        self.addCleanup(os.close, writer)
        for flags, status, lines in (([], 0, 0), (["--require", "event.rps < 1 @ 1"], 99, 1)):
            with self.subTest(flags):
                done = subprocess.run([*self.argv, *flags], stdout=writer, stderr=subprocess.PIPE, text=True, timeout=240, check=False)
                self.assertEqual((done.returncode, len(done.stderr.splitlines())), (status, lines), done.stderr)

    def test_closed(self):
        for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                self.assert_kept(self.run_in_shell(closed), 0, [])

    def test_full(self):
        self.assert_kept(self.run_in_shell(">/dev/full"), 1, ["compare: cannot write to stdout: No space left on device"])
        self.assert_kept(self.run_in_shell("2>/dev/full", "--require", "event.rps < 1 @ 1"), 99, [])

    def test_a_folder_that_is_full(self):
        """The terminal has the figures all the same, and no half of a file stays."""
        done = self.run_in_shell("", limit="ulimit -f 8; ")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"^compare: cannot write .*report\.html: File too large\n$")
        self.assertIn("✓ holds: An idle connection costs 13.1 KiB in thread", done.stdout)
        self.assertEqual(list(self.output.iterdir()), [])
