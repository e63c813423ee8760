# SPDX-License-Identifier: MIT
"""A server that has nothing to do uses next to no processor time."""

from . import procfs
from .checks import at_most, pause

IDLE_SHARE = 0.05  # of a processor, at most


def check_idle(server, seconds=1.0):
    """The server and its children. A busy machine may need a second look."""
    for last in (False, False, True):
        before = procfs.cpu_seconds_of_all(server.pid)
        pause(seconds)
        used = procfs.cpu_seconds_of_all(server.pid) - before
        if last or used / seconds <= IDLE_SHARE:
            at_most(used / seconds, IDLE_SHARE, "share of a processor used while nothing happens")
            return
