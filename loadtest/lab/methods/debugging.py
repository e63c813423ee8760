# SPDX-License-Identifier: MIT
"""Requests that wait while a debugger looks: how many does it show?

On each of many connections a request waits in /delay. gdb attaches, follows by itself the arguments of the threads' frames
(plain_gdb_script.py), and then loads tools/echod-gdb.py; the server stands still meanwhile. What is counted are the requests that each
names, by their targets, which no other request has.
"""

import contextlib
import re
import shutil
import socket
import struct
import subprocess
import time
from pathlib import Path

from ..load import http
from ..machine.command import ROOT
from ..text.errors import CellFailed, LabError
from .outcome import Outcome

WORKLOAD = {"path": "/delay/9s"}
_PLAIN = Path(__file__).with_name("plain_gdb_script.py")
_SCRIPT = ROOT / "tools" / "echod-gdb.py"
_OVERHEAD, _EACH = 8.0, 0.01
_BETWEEN = "%%"  # what gdb prints between the two
_PATIENCE = 60  # seconds for gdb
_BEGUN, _POLL = 5, 0.05  # seconds until all wait; between two looks


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
    connection = stack.enter_context(socket.create_connection(server.address, timeout=_PATIENCE))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # its end is a reset, so that nothing waits on
    connection.sendall(http.request_bytes("GET", target, http.authority(server.address)))


def _look(server, targets):
    """Figures. The script shows when all requests, which were sent, have begun to wait."""
    deadline = time.monotonic() + _BEGUN
    while True:
        by_frames, by_script = (named(text, targets) for text in gdb(server.pid))
        if by_script == len(targets) or time.monotonic() > deadline:
            return {"requests_by_frames": by_frames, "requests_by_script": by_script}
        time.sleep(_POLL)


def measure(cell, lab):
    if cell.subject.kind == "target":
        raise CellFailed("a debugger cannot be attached to what runs elsewhere", "limit")
    targets = [f"{cell.workload['path']}?{number}" for number in range(cell.x)]
    with cell.subject.start(lab.pinning.server) as server:
        server.wait_ready()
        limit = server.limit()
        with contextlib.ExitStack() as stack:
            for target in targets:
                _open(stack, server, target)
            figures = _look(server, targets)
        server.stop()
    return Outcome(figures, details={"limit": limit}, samples=dict.fromkeys(figures, cell.x))
