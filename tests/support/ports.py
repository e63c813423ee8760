# SPDX-License-Identifier: MIT
"""Ports of 127.0.0.1 for programs that cannot choose a free one themselves."""

import contextlib
import random
import socket

CHOICE = range(20000, 32768)  # below those that the kernel gives to whoever asks for any, as most tests do


def free():
    """A port that nobody listened on a moment ago."""
    for port in random.sample(CHOICE, 100):
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise OSError("no free port")


def several(count):
    """So many, all different."""
    found = set()
    while len(found) < count:
        found.add(free())
    return tuple(found)


def listens(port):
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
