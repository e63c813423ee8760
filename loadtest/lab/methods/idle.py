# SPDX-License-Identifier: MIT
"""Memory for each of a number of connections that were answered once and stay open. See lab/idle.py."""

from .. import idle
from ..errors import CellFailed
from . import Outcome

WORKLOAD = {"path": "/plaintext"}
NEEDS_PROCESS = True
_OVERHEAD, _EACH = 0.4, 0.0007  # seconds: for a measurement, for a connection


def find_tools():
    """It needs none."""


def connections(cell):
    return cell.x


def length(cell):
    return _OVERHEAD + _EACH * cell.x


def measure(cell, lab):
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        limit = server.limit()
        if limit and limit[0] < cell.x:
            raise CellFailed(f"at most {limit[0]:,} connections: {limit[1]}", "limit")
        grown = idle.growth(server, cell.workload["path"], cell.x)
        server.stop()
    figures = {"user_bytes_per_connection": grown["user"]}
    if len(grown) == 4:
        figures["kernel_bytes_per_connection"] = grown["slab"] + grown["stacks"] + grown["tables"]
        figures["stack_bytes_per_connection"] = grown["stacks"]
    return Outcome(figures, details={"growth": grown, "limit": limit})
