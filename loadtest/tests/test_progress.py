# SPDX-License-Identifier: MIT
"""The progress line on a terminal and in a log."""

import io
import unittest

import context  # noqa: F401
from lab.progress import Progress, duration, fitted


class Stream(io.StringIO):
    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


class ProgressTest(unittest.TestCase):
    def progress(self, terminal):
        self.now = 0.0
        self.stream = Stream(terminal)
        return Progress(10, 3, self.stream, lambda: self.now)

    def test_time_left(self):
        progress = self.progress(False)
        self.assertEqual(progress.left(), 30)
        self.now = 4.0
        progress.step()
        self.assertEqual(progress.left(), 36)

    def test_a_log_gets_lines_now_and_then(self):
        progress = self.progress(False)
        for _ in range(4):
            progress.show("something")
            progress.step()
            self.now += 2
        progress.close()
        self.assertEqual(self.stream.getvalue(), "[ 1/10] something, 30 s left\n[ 4/10] something, 14 s left\n")

    def test_a_terminal_gets_one_line_again_and_again(self):
        progress = self.progress(True)
        progress.show("one")
        progress.step()
        progress.note("careful")
        progress.close()
        self.assertNotIn("\n", self.stream.getvalue().replace("careful\n", ""))
        self.assertEqual(self.stream.getvalue().count("\r\033[K"), 3)

    def test_a_line_never_wraps(self):
        self.assertEqual(fitted("text", 0.5, 80), "██████████░░░░░░░░░░ text")
        self.assertEqual(fitted("text", 0.5, 25), "text")
        self.assertEqual(fitted("text", 0.5, 4), "tex")

    def test_duration(self):
        self.assertEqual([duration(5.4), duration(59.6), duration(125)], ["5 s", "1 min 00 s", "2 min 05 s"])


if __name__ == "__main__":
    unittest.main()
