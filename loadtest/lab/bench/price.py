# SPDX-License-Identifier: MIT
"""What is paid once: the time from starting a server to its first answer, and the size of its program."""

import time

from ..load.http import ask
from ..machine.command import ROOT
from ..machine.program import stripped_bytes
from ..results.stats import Sample
from ..text.errors import LabError
from .workloads import PLAINTEXT

SHARED, STATIC = (ROOT / "build" / preset / "echod" for preset in ("shared", "static"))
_PATIENCE = 10
_POLL = 0.0002


def _first_answer(server):
    """Asks until there is an answer."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return ask(server.address, "GET", PLAINTEXT.path)
        except LabError:
            server.check_alive()
            if time.monotonic() > deadline:
                raise
            time.sleep(_POLL)


def start_ms(subject, starts, listens):
    """Milliseconds from running the program to its first answer, several times. `listens`: it says when it listens."""
    values = []
    for _ in range(starts):
        with subject.start() as server:
            if listens:
                server.wait_ready()
            _first_answer(server)
            values.append((time.monotonic() - server.child.began) * 1e3)
            server.stop()
    return Sample(tuple(values))


def _holds_llhttp(program):
    """Whether it was linked into the program after all, as where there is no shared library of it."""
    return b"llhttp__internal__run" in program.read_bytes()


def sizes(program):
    """Bytes of the program, of the build that has no library in it, and of that which has all, where those were made."""
    own = stripped_bytes(SHARED) if SHARED.is_file() and not _holds_llhttp(SHARED) else None
    static = STATIC.stat().st_size if STATIC.is_file() else None
    return {"stripped_bytes": stripped_bytes(program), "own_bytes": own, "static_bytes": static}
