# SPDX-License-Identifier: MIT
"""stdout and stderr, also where they are closed, full, or a pipe whose reader has gone: no measurement is lost for it."""

import os
import sys

from .errors import LabError

_NAMES = ("stdin", "stdout", "stderr")


def prepare():
    """Fills closed ones, so that no other file takes their place. A locale without µ and ± is no reason to fail."""
    for number, name in enumerate(_NAMES):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")


def printable(text):
    """A text without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else " " for c in text)


def _silence(stream):
    """What it still holds, and whatever follows, goes nowhere."""
    try:
        number = stream.fileno()
    except (OSError, ValueError):
        return  # no file behind it
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)


def say(text):
    """A text on stdout. False if its reader has had enough (`| head`), which misses the rest; LabError if it cannot be written."""
    try:
        print(text, flush=True)
        return True
    except BrokenPipeError:
        _silence(sys.stdout)
        return False
    except OSError as error:
        _silence(sys.stdout)
        raise LabError(f"cannot write to stdout: {error.strerror}") from None


def note(text, stream=None, end="\n"):
    """A text on stderr, or on another stream of that kind: lost where it cannot be written."""
    stream = stream or sys.stderr
    try:
        stream.write(text + end)
        stream.flush()
    except OSError:
        _silence(stream)
