# SPDX-License-Identifier: MIT
"""Keys of a terminal, one at a time."""

import contextlib
import os
import select
import sys
import termios
import time
import tty

_QUIT = b"qQ"


@contextlib.contextmanager
def unbuffered():
    """While the block runs, keys come at once and are not shown. Gives a function wait(seconds): True as soon as q is pressed. Where
    stdin is no terminal, it only waits."""
    if not sys.stdin.isatty():
        yield _wait_alone
        return
    number = sys.stdin.fileno()
    before = termios.tcgetattr(number)
    try:
        tty.setcbreak(number, termios.TCSADRAIN)
        yield lambda seconds: _wait(number, seconds)
    finally:
        termios.tcsetattr(number, termios.TCSADRAIN, before)


def _wait_alone(seconds):
    time.sleep(max(0, seconds))
    return False


def _wait(number, seconds):
    due = time.monotonic() + seconds
    while True:
        ready, _, _ = select.select([number], [], [], max(0, due - time.monotonic()))
        if not ready:
            return False
        pressed = os.read(number, 64)
        if not pressed or any(key in _QUIT for key in pressed):  # nothing: the terminal has gone
            return True
