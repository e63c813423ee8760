# SPDX-License-Identifier: MIT
"""The system has no descriptor, thread, process or memory for a connection more: what clients, /readyz, /metrics and stderr say,
and what becomes of the kernel's queue when the server drains meanwhile."""

import collections
import contextlib
import os
import resource
import shutil
import signal

from harness import process, procfs, settings
from harness.answer import check_problem
from harness.cases import case
from harness.checks import Skip, at_most, check, equal, pause, until
from harness.corpus import get, post
from harness.wire import Wire

PLAIN = get(b"/plaintext")
READY = get(b"/readyz")
UPLOAD = post(b"/echo", b"x" * 2000)


@contextlib.contextmanager
def many(server, count):
    """That many connections, open at once."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.connect(seconds=30)) for _ in range(count)]


def outcomes(wires):
    """How each ended: its status, or how the connection did."""
    found = collections.Counter()
    for wire in wires:
        if wire.at_end():
            found[wire.ended] += 1
        else:
            found[wire.answer().status] += 1
            check(wire.at_end(), "more than an answer")
        wire.close()
    return found


# The drain


@case(rows=[("180 held", 180), ("more held than there is room for", 260)], timeout=120)
def a_drain_without_descriptors(start, held):
    """What has come is answered or refused, however many it is: as connections end, their descriptors serve the next."""
    server = start("--drain-timeout", "1m", limits={"NOFILE": 200})
    with many(server, held), many(server, 300) as wires:
        for wire in wires:
            wire.send(UPLOAD)
        server.signal(signal.SIGTERM)
        found = outcomes(wires)
        equal(found[200] + found[503], 300, f"answers of 300, {dict(found)}")
        server.wait(0, seconds=30)
