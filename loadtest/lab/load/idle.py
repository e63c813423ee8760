# SPDX-License-Identifier: MIT
"""Memory of an idle connection: how much PSS, and the kernel's memory, grow while connections are opened, each answered
once and then left."""

import contextlib
import socket
import time

from ..machine import procfs
from ..text.errors import CellFailed, LabError
from .http import receive, request_bytes

_FIRST = 64  # connections open before the count begins, so that what is touched once is not in it
_PER_ADDRESS = 20_000  # connections from one loopback address: each has about 28,000 ports
_IP_BIND_ADDRESS_NO_PORT = 24  # of linux/in.h: the port is chosen when connecting, so that one may serve several servers
_PATIENCE = 10
_POLL = 0.05


def _open(stack, server, path, source):
    """One connection from the address `source`, answered once; it stays open until the stack is unwound."""
    host, port = server.address
    try:
        connection = stack.enter_context(socket.socket())
        connection.settimeout(_PATIENCE)
        connection.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
        connection.bind((source, 0))
        connection.connect((host, port))
        connection.sendall(request_bytes("GET", path, f"{host}:{port}"))
        answer = receive(connection)
    except OSError as error:
        server.check_alive()
        raise LabError(f"{server.name}: an idle connection could not be opened: {error}") from None
    if answer.status != 200:
        raise LabError(f"{server.name}: GET {path} answered {answer.status}, not 200")


def _settled(server):
    """Bytes of PSS once two readings in a row agree."""
    deadline = time.monotonic() + _PATIENCE
    last = server.memory()["pss"]
    if last is None:
        raise LabError(f"{server.name}: the kernel does not tell its memory (smaps_rollup)")
    while True:
        time.sleep(_POLL)
        server.check_alive()
        now = server.memory()["pss"]
        if now == last or time.monotonic() > deadline:
            return now
        last = now


def _reading(server):
    return {"user": _settled(server), "address": procfs.address_space(server.pid), **procfs.kernel_memory()}


def growth(server, path, connections):
    """Bytes that each of so many connections adds, by kind: `user` (PSS), `address` (VmSize), and of the kernel `slab`, `stacks`, `tables`.
    CellFailed if the server has closed any of them meanwhile: the growth would be that of fewer."""
    listening = server.sockets()
    with contextlib.ExitStack() as stack:
        for _ in range(_FIRST):
            _open(stack, server, path, "127.0.0.1")
        before = _reading(server)
        for number in range(connections):
            _open(stack, server, path, f"127.0.0.{1 + number // _PER_ADDRESS}")
        after = _reading(server)
        opened, held = _FIRST + connections, server.sockets()
        if None not in (listening, held) and held - listening < opened:
            raise CellFailed(f"{opened - (held - listening):,} of {opened:,} connections were closed before the memory was read", "other")
        return {kind: (after[kind] - before[kind]) / connections for kind in after if kind in before}


def bytes_per_connection(server, path, connections):
    """The growth of user memory for each of so many connections."""
    return growth(server, path, connections)["user"]
