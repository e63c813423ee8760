# SPDX-License-Identifier: MIT
"""A crash while connections are open: which of them live on?

Some connections are opened and each is answered once. Then one of them sends several more requests. The thread or process whose
context switches increase most meanwhile serves this connection. It gets SIGSEGV, as if it had read memory that it must not read.
Then the other connections send a request again.
"""

import contextlib
import socket
import time

from ..load import http
from ..machine import procfs
from ..machine.process import signal_thread
from ..text.errors import CellFailed, LabError
from .outcome import Outcome

WORKLOAD = {"path": "/plaintext", "asks": 40}
_OVERHEAD, _EACH = 0.05, 0.002
_PATIENCE = 10  # seconds until an answer, and until the crash is seen


def find_tools():
    """It needs none."""


def connections(cell):
    return cell.x


def length(cell):
    return _OVERHEAD + _EACH * cell.x


def _ask(connection, server, path):
    """Whether it is answered rightly."""
    try:
        connection.sendall(http.request_bytes("GET", path, http.authority(server.address)))
        return http.receive(connection, time.monotonic() + _PATIENCE).status == 200
    except (OSError, LabError):
        return False


def _open(stack, server, path):
    try:
        connection = stack.enter_context(socket.create_connection(server.address, timeout=_PATIENCE))
    except OSError as error:
        server.check_alive()
        raise CellFailed(f"a connection could not be opened: {error.strerror or error}", "refused") from None
    if not _ask(connection, server, path):
        server.check_alive()
        raise CellFailed("a connection was not answered", "refused")
    return connection


def serving_task(server, connection, path, asks):
    """(process id, thread id) of what serves a connection: its switches grow most while that is asked."""
    before = procfs.switches_by_task(server.pid)
    for _ in range(asks):
        if not _ask(connection, server, path):
            raise CellFailed("the connection was not answered", "errors")
    after = procfs.switches_by_task(server.pid)
    grown = {task: count - before.get(task, 0) for task, count in after.items()}
    if not grown:
        raise LabError(f"{server.name}: the kernel does not tell its context switches")
    return max(grown, key=grown.get)


def _wait_for_end(connection):
    """Until the peer has closed or reset it; CellFailed if it does not."""
    try:
        if connection.recv(1):
            raise CellFailed("the connection that was to crash said something instead", "other")
    except TimeoutError:
        raise CellFailed(f"the crash was not seen within {_PATIENCE} s", "timeout") from None
    except OSError:
        pass  # reset


def _serves_on(server, path):
    """Whether a new connection is answered."""
    try:
        with socket.create_connection(server.address, timeout=_PATIENCE) as connection:
            return _ask(connection, server, path)
    except OSError:
        return False


def _crash(server, cell):
    """(figures, what was hit)."""
    path = cell.workload["path"]
    with contextlib.ExitStack() as stack:
        victim, *others = [_open(stack, server, path) for _ in range(cell.x)]
        process, thread = serving_task(server, victim, path, cell.workload["asks"])
        signal_thread(process, thread)
        _wait_for_end(victim)
        lived_on = sum(_ask(connection, server, path) for connection in others)
    figures = {"open_before": cell.x, "lived_on": lived_on, "lived_share": 100 * lived_on / max(1, len(others)),
               "serves_on": int(_serves_on(server, path))}
    return figures, {"process": "server" if process == server.pid else "child", "others": len(others)}


def measure(cell, lab):
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        limit = server.limit()
        if server.pid is None:
            raise CellFailed("what runs elsewhere is not signalled", "limit")
        figures, hit = _crash(server, cell)
        if not figures["serves_on"] and not server.child.ended(_PATIENCE):
            raise CellFailed("it serves nobody any more, but has not ended", "other")
        if figures["serves_on"]:
            server.stop()
    return Outcome(figures, details={"hit": hit, "limit": limit}, samples=dict.fromkeys(figures, cell.x))
