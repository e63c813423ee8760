# SPDX-License-Identifier: MIT
"""Requests that wait while a debugger looks: how many does it show?

On each of many connections a request waits in /delay; the server's own metrics say when all of them wait. gdb then attaches, follows by
itself the arguments of the threads' frames (plain_gdb_script.py), and loads tools/echod-gdb.py; the server is stopped meanwhile. Each
request has a target of its own, and counts if that target is printed.
"""

import contextlib
import re
import select
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

from ..load import http
from ..machine.command import ROOT
from ..machine.process import quoted
from ..text.errors import CellFailed, LabError
from .outcome import Outcome

WORKLOAD = {"path": "/delay/5m"}
_PLAIN = Path(__file__).with_name("plain_gdb_script.py")
_SCRIPT = ROOT / "tools" / "echod-gdb.py"
_OVERHEAD, _EACH = 8.0, 0.01
_BETWEEN = "%%"  # what gdb prints between the two
_PATIENCE = 60  # seconds for gdb
_BEGUN, _POLL = 10, 0.2  # seconds until all wait; between two looks at the metrics
_FLAGS = ("--max-delay", "10m")


def find_tools():
    if not shutil.which("gdb"):
        raise LabError("gdb is missing: install it (Debian: apt-get install gdb)")


def connections(cell):
    return cell.x


def length(cell):
    return _OVERHEAD + _EACH * cell.x


def gdb(process):
    """What gdb prints about a process that goes on afterwards: by itself, and with the script."""
    argv = ["gdb", "-nx", "-batch", "-p", str(process), "-x", str(_PLAIN), "-ex", f"echo {_BETWEEN}\\n",
            "-x", str(_SCRIPT), "-ex", "echod connections"]
    try:
        run = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise LabError(f"gdb did not end within {_PATIENCE} s") from None
    if re.search(r"^ptrace: |Operation not permitted", run.stdout, re.MULTILINE):
        raise CellFailed("the system does not allow gdb to attach", "limit")
    plain, _, scripted = run.stdout.partition(_BETWEEN)
    return plain, scripted


def named(text, targets):
    """How many of the targets stand in what gdb has printed, each as a word."""
    return len(set(text.split()) & set(targets))


def _open(stack, server, target):
    """A connection on which the request is sent."""
    connection = stack.enter_context(socket.create_connection(server.address, timeout=_PATIENCE))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its end is a reset, so that nothing waits on
    connection.sendall(http.request_bytes("GET", target, http.authority(server.address)))
    return connection


def _waiting(server):
    """How many requests wait, as the server's metrics say."""
    page = http.ask(server.address, "GET", "/metrics").body.decode("utf-8", "replace")
    found = re.search(r'^echod_connections\{[^}]*state="waiting"[^}]*\} (\d+)$', page, re.MULTILINE)
    return int(found[1]) if found else 0


def _await_waiting(server, count):
    """Until so many requests wait, as the server's metrics say; CellFailed if that takes too long."""
    deadline = time.monotonic() + _BEGUN
    while (waiting := _waiting(server)) < count:
        if time.monotonic() > deadline:
            raise CellFailed(f"after {_BEGUN} s {waiting} of {count} requests wait", "other")
        time.sleep(_POLL)


def _look(server, connections, targets):
    """Figures. CellFailed if the requests did not wait while gdb looked, or if the script failed."""
    _await_waiting(server, len(targets))
    plain, scripted = gdb(server.pid)
    if select.select(connections, [], [], 0)[0]:
        raise CellFailed("requests were over before gdb had looked", "other")
    if not re.search(r"^connections: \d+, mode: ", scripted, re.MULTILINE):
        raise CellFailed(f"gdb: {quoted(scripted)}", "other")
    return {"requests_by_frames": named(plain, targets), "requests_by_script": named(scripted, targets)}


def measure(cell, lab):
    if cell.subject.kind == "target":
        raise CellFailed("a debugger cannot be attached to what runs elsewhere", "limit")
    targets = [f"{cell.workload['path']}?{number}" for number in range(cell.x)]
    with cell.subject.start(lab.pinning.server, extra=_FLAGS) as server:
        server.wait_ready()
        limit = server.limit()
        with contextlib.ExitStack() as stack:
            connections = [_open(stack, server, target) for target in targets]
            figures = _look(server, connections, targets)
        server.stop()
    return Outcome(figures, details={"limit": limit}, samples=dict.fromkeys(figures, cell.x))
