# SPDX-License-Identifier: MIT
"""Ports of 127.0.0.1 for programs that cannot choose a free one themselves."""

import socket


def free():
    """A port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def listens(port):
    """Whether somebody accepts connections there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
