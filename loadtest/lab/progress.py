# SPDX-License-Identifier: MIT
"""A line on stderr that says what is being done and how long it will still take."""

import os
import sys
import time

from . import streams

_QUIET = 5  # seconds between two lines where the line cannot be rewritten
_BAR = 20


def duration(seconds):
    minutes, rest = divmod(int(seconds + 0.5), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def fitted(text, part, columns):
    """The text with a bar before it if the line has room for one, else as much of the text as fits."""
    if len(text) + _BAR + 1 >= columns:
        return text[:max(0, columns - 1)]
    filled = int(_BAR * part)
    return f"{'█' * filled}{'░' * (_BAR - filled)} {text}"


class Progress:
    """Steps of about equal length, or of lengths that are known in proportion."""

    def __init__(self, steps, estimate, stream=None, clock=time.monotonic, lengths=None):
        self._steps = steps
        self._lengths = lengths or [estimate] * steps  # seconds that the steps are thought to take
        self._stream = stream or sys.stderr
        self._clock = clock
        self._began = clock()
        self._done = 0
        self._last = None
        self._terminal = self._stream.isatty()

    def left(self):
        """Seconds left: as many as thought, times what the steps so far took of what they were thought to take."""
        thought = sum(self._lengths[:self._done])
        scale = (self._clock() - self._began) / thought if thought else 1
        return sum(self._lengths[self._done:]) * scale

    def show(self, what):
        """Says what begins now."""
        now = self._clock()
        text = f"[{self._done + 1:>{len(str(self._steps))}}/{self._steps}] {what}, {duration(self.left())} left"
        if self._terminal:
            streams.note(f"\r\033[K{fitted(text, self._part(), self._columns())}", self._stream, end="")
        elif self._last is None or now - self._last >= _QUIET:
            streams.note(text, self._stream)
            self._last = now

    def _part(self):
        whole = sum(self._lengths)
        return sum(self._lengths[:self._done]) / whole if whole else 1

    def _columns(self):
        try:
            return os.get_terminal_size(self._stream.fileno()).columns
        except OSError:
            return 80

    def step(self, count=1):
        self._done += count

    def note(self, text):
        """A line that stays."""
        streams.note(f"{self._clear()}{text}", self._stream)

    def _clear(self):
        return "\r\033[K" if self._terminal else ""

    def close(self):
        streams.note(self._clear(), self._stream, end="")
