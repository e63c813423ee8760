# SPDX-License-Identifier: MIT
"""The progress on a terminal and in a log."""

import io
import os
import pty
import unittest
import unittest.mock

import terminal
from lab.text.progress import Progress, duration


class ProgressTest(unittest.TestCase):
    def progress(self, stream=None, **options):
        self.now = 0.0
        self.stream = stream or io.StringIO()
        return Progress(10, 3, self.stream, lambda: self.now, **options)

    def test_time_left(self):
        progress = self.progress()
        self.assertEqual(progress.left(), 30)
        self.now = 4.0
        progress.step()
        self.assertEqual(progress.left(), 36)

    def test_no_more_is_left_than_of_the_budget(self):
        progress = self.progress(budget=20)
        self.assertEqual(progress.left(), 20)
        self.now = 4.0
        progress.step()
        self.assertEqual(progress.left(), 16)
        self.now = 21.0
        progress.step(8)
        self.assertAlmostEqual(progress.left(), 21 / 9)

    def test_a_log_gets_lines_now_and_then(self):
        progress = self.progress()
        for _ in range(4):
            progress.show("something")
            progress.step()
            self.now += 2
        progress.note("careful \x1b[31m[red]")
        progress.close()
        self.assertEqual(self.stream.getvalue(),
                         "[1 of 10] something, 30 s left\n[4 of 10] something, 14 s left\ncareful  [31m[red]\n")

    def test_a_terminal_gets_a_bar_and_it_goes_at_the_end(self):
        leader, follower = pty.openpty()
        with open(follower, "w", encoding="utf-8") as stream, unittest.mock.patch.dict(os.environ, {"TERM": "xterm", "COLUMNS": "80"}):
            progress = self.progress(stream)
            progress.show("one")
            progress.step(5)
            self.now += 10
            progress.show("two")
            progress.note("careful")
            progress.close()
        shown = terminal.everything(leader)
        self.assertIn("[1 of 10] one, 30 s left", shown)
        self.assertIn("[6 of 10] two, 10 s left", shown)
        self.assertIn("━", shown)
        self.assertIn("careful\r\n", shown)
        self.assertTrue(shown.endswith("\x1b[2K"), repr(shown[-40:]))
        self.assertGreater(shown.rindex("\x1b[?25h"), shown.rindex("\x1b[?25l"))  # the cursor is there again

    def test_a_stream_that_has_gone_is_no_reason_to_fail(self):
        reader, writer = os.pipe()
        os.close(reader)
        stream = open(writer, "w", encoding="utf-8")
        progress = self.progress(stream)
        progress.show("one")
        progress.note("two")
        progress.close()
        stream.close()

    def test_duration(self):
        self.assertEqual([duration(5.4), duration(59.6), duration(125)], ["5 s", "1 min 00 s", "2 min 05 s"])
