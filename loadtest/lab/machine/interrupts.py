# SPDX-License-Identifier: MIT
"""Ctrl-C at any moment, without losing a process that was just started."""

import contextlib
import signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_shields = 0
_pending = None
_raised = False


class Interrupted(BaseException):
    """Raised once, by the first of SIGINT, SIGTERM or SIGHUP."""

    def __init__(self, number):
        super().__init__(signal.Signals(number).name)
        self.number = number


def _raise_once(number):
    global _raised
    if not _raised:
        _raised = True
        raise Interrupted(number)


def _handler(number, _frame):
    global _pending
    if _shields:
        _pending = number
    else:
        _raise_once(number)


def install():
    """From now on the first signal raises Interrupted; further ones are ignored, since cleaning up takes bounded time."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handler)


@contextlib.contextmanager
def shield():
    """Holds a signal back until the block has ended."""
    global _shields, _pending
    _shields += 1
    try:
        yield
    finally:
        _shields -= 1
    if not _shields and _pending is not None:
        number, _pending = _pending, None
        _raise_once(number)


def end():
    """Ignores the signals from now on, because nothing is left to interrupt: Python restores their default action as it ends."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
