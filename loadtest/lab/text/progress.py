# SPDX-License-Identifier: MIT
"""What is being done and how long it will still take, on stderr: a bar on a terminal, else a line now and then."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress as Bar, TextColumn

from . import streams

_QUIET = 5  # seconds between two lines where the line cannot be rewritten


def duration(seconds):
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


class _Lossy:
    """A stream for rich: what cannot be written is lost."""

    def __init__(self, stream):
        self._stream = stream

    def write(self, text):
        streams.note(text, self._stream, end="")

    def __getattr__(self, name):
        return getattr(self._stream, name)


class Progress:
    """Steps of about equal length, or of lengths that are known in proportion."""

    def __init__(self, steps, estimate, stream=None, clock=time.monotonic, lengths=None, budget=None):
        self._steps = steps
        self._budget = budget  # seconds that all steps may take, after which some are left out; None: as long as they take
        self._lengths = lengths or [estimate] * steps  # seconds that the steps are thought to take
        self._clock = clock
        self._began = clock()
        self._done = 0
        self._last = None
        self._console = Console(file=_Lossy(stream or sys.stderr), highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._bar = Bar(BarColumn(20), TextColumn("{task.description}", markup=False), console=self._console, transient=True,
                        auto_refresh=False, redirect_stdout=False, redirect_stderr=False)
        self._task = self._bar.add_task("", total=sum(self._lengths))

    def left(self):
        """Seconds left: the estimate for the remaining steps, times the ratio of the actual to the estimated time of the steps so far.
        While the budget lasts, no more than is left of the budget."""
        thought, passed = sum(self._lengths[:self._done]), self._clock() - self._began
        left = sum(self._lengths[self._done:]) * (passed / thought if thought else 1)
        return left if self._budget is None or passed >= self._budget else min(left, self._budget - passed)

    def show(self, what):
        """Says what begins now."""
        now = self._clock()
        text = streams.printable(f"[{self._done + 1} of {self._steps}] {what}, {duration(self.left())} left")
        if self._console.is_terminal:
            self._bar.start()
            self._bar.update(self._task, completed=sum(self._lengths[:self._done]), description=text, refresh=True)
        elif self._last is None or now - self._last >= _QUIET:
            self._console.print(text)
            self._last = now

    def step(self, count=1):
        self._done += count

    def note(self, text):
        """A line that stays."""
        self._console.print(streams.printable(text))

    def close(self):
        if self._console.is_terminal:
            self._bar.stop()
