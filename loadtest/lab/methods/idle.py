# SPDX-License-Identifier: MIT
"""Memory for each of a number of connections that were answered once and stay open. See lab/load/idle.py."""

from ..load import idle
from ..servers.subjects import KEEP_OPEN
from ..text.errors import CellFailed
from .outcome import Outcome

WORKLOAD = {"path": "/plaintext"}
AT_ONCE = True  # in all rounds, before the kernel has memory of other experiments to free
_OVERHEAD, _EACH = 0.4, 0.0007  # seconds: for a measurement, for a connection
_SOCKETS = 2048  # bytes that the two sockets of a connection take in the kernel at least
_STACKS = 64  # bytes of a connection by which the stacks may fall: a thread or two of others that ended


def find_tools():
    """It needs none."""


def connections(cell):
    return cell.x


def length(cell):
    return _OVERHEAD + _EACH * cell.x


def kernel_bytes(grown):
    """(the kernel's bytes for each connection or None, marks) of a growth. The kernel's counters are those of the whole machine. If
    they fell, or rose by less than the sockets take, other programs have freed memory, and the growth says nothing."""
    if not {"slab", "stacks", "tables"} <= set(grown):
        return None, ()
    kernel = grown["slab"] + grown["stacks"] + grown["tables"]
    if kernel < _SOCKETS or grown["stacks"] < -_STACKS:
        return None, ("unusable",)
    return kernel, ()


def figures_of(grown):
    """(figures, marks) of a growth."""
    figures = {"user_bytes_per_connection": grown["user"], "address_bytes_per_connection": grown["address"]}
    kernel, marks = kernel_bytes(grown)
    if kernel is None:
        return figures, marks
    return {**figures, "bytes_per_connection": grown["user"] + kernel, "kernel_bytes_per_connection": kernel,
            "stack_bytes_per_connection": max(0, grown["stacks"])}, ()


def measure(cell, lab):
    with cell.subject.start(lab.pinning.server, KEEP_OPEN) as server:
        server.wait_ready()
        limit = server.limit()
        if limit and limit[0] < cell.x:
            raise CellFailed(f"at most {limit[0]:,} connections: {limit[1]}", "limit")
        grown = idle.growth(server, cell.workload["path"], cell.x)
        server.stop()
    figures, marks = figures_of(grown)
    return Outcome(figures, marks, details={"growth": grown, "limit": limit})
