# SPDX-License-Identifier: MIT
"""How a case says that something is not as it should be, so that the line in the report shows the difference."""

import difflib
import select
import time
import unittest

Skip = unittest.SkipTest  # this case cannot run here; the text says why


class Failure(AssertionError):
    """The server does not behave as documented."""


SHOWN_MOST = 600  # characters of a value that a message repeats


def shown(value):
    text = value if isinstance(value, str) else repr(value)
    if len(text) > SHOWN_MOST:
        half = SHOWN_MOST // 2
        text = f"{text[:half]} ... ({len(text)} characters) ... {text[-half:]}"
    return text


def fail(text):
    __tracebackhide__ = True
    raise Failure(text)


def check(condition, text):
    __tracebackhide__ = True
    if not condition:
        raise Failure(text)


def equal(got, wanted, what):
    __tracebackhide__ = True
    if got == wanted:
        return
    if isinstance(got, bytes) and isinstance(wanted, bytes) and len(got) + len(wanted) > 160:
        raise Failure(f"{what} differs:\n{difference(wanted, got)}")
    raise Failure(f"{what}: expected {shown(wanted)}, got {shown(got)}")


def difference(wanted, got):
    """A diff by lines of two byte strings, - for what was expected, + for what came; long ones from where they part."""
    if len(wanted) + len(got) > 20000:
        at = next((i for i, (a, b) in enumerate(zip(wanted, got)) if a != b), min(len(wanted), len(got)))
        return (f"- {len(wanted)} bytes, at {at}: {wanted[at:at + 60]!r}\n"
                f"+ {len(got)} bytes, at {at}: {got[at:at + 60]!r}")
    lines = [[shown(line) for line in text.splitlines(keepends=True)] for text in (wanted, got)]
    return "\n".join(line for line in difflib.ndiff(*lines) if not line.startswith("?"))


def at_most(got, bound, what):
    __tracebackhide__ = True
    check(got <= bound, f"{what}: expected at most {bound}, got {got}")


def at_least(got, bound, what):
    __tracebackhide__ = True
    check(got >= bound, f"{what}: expected at least {bound}, got {got}")


def until(condition, what, seconds=10, every=0.01):
    """Asks again and again until the condition holds, and returns what it gave; for what sends no event."""
    __tracebackhide__ = True
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        check(time.monotonic() < deadline, f"not within {seconds:g} s: {what}")
        pause(every)


def pause(seconds):
    """Lets time pass that the case itself is about."""
    select.select((), (), (), seconds)
