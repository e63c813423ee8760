# SPDX-License-Identifier: MIT
"""Waits for the machine to come to rest before the first measurement: what a build has left to do goes on for seconds."""

import time

from ..text import streams
from . import procfs

QUIET = 0.05  # of the CPUs' time: what others take of a machine at rest
_LOOK = 0.5  # seconds from one look to the next
_PATIENCE = 10  # seconds after which it is measured all the same: the figures' marks will say what others did


def wait(cpus, busy=procfs.busy, clock=time.monotonic, sleep=time.sleep, stream=None):
    """Returns whether these CPUs are at rest. Says so if it takes more than a look."""
    began, said = clock(), False
    while clock() - began < _PATIENCE:
        when, spent = clock(), busy(cpus)
        sleep(_LOOK)
        if busy(cpus) - spent < QUIET * (clock() - when) * len(cpus):
            return True
        if not said:
            said = True
            streams.note(f"waiting for other programs to leave the CPUs, at most {_PATIENCE} s", stream)
    return False
