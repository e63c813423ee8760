# SPDX-License-Identifier: MIT
"""System calls per request: strace counts those of a running server, the slope between two runs of different length."""

import shutil
import signal
import tempfile
from pathlib import Path

from ..load import callgrind
from ..machine import procfs
from ..machine.process import Child
from ..text.errors import LabError

_CONNECTIONS = 64
_FEW, _MANY = 1280, 6400
_PATIENCE = 10


def available():
    return shutil.which("strace") is not None


def parse(text):
    """The number of calls by name in a table of strace -c."""
    found = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 5 and words[3].isdecimal() and words[0][0].isdecimal() and words[-1] != "total":
            found[words[-1]] = int(words[3])
    return found


def _attach(server, path):
    pids = [word for pid in procfs.process_tree(server.pid) for word in ("-p", str(pid))]
    tracer = Child(["strace", "-f", "-c", "-o", path, *pids])
    traced = f"/proc/{server.pid}/status"
    while "TracerPid:\t0" in Path(traced).read_text(encoding="utf-8"):
        if tracer.ended(0.01):
            with tracer:
                tracer.reap()
                raise LabError(f"strace {tracer.end_in_words()}")
    return tracer


def _count(server, workload, requests, path):
    with _attach(server, path) as tracer:
        callgrind.load(server, workload.path, requests, _CONNECTIONS, workload.h2load)
        tracer.stop(signal.SIGINT, _PATIENCE)
    return parse(path.read_text(encoding="utf-8"))


def per_request(subject, workload):
    """Calls per request by name, those below a hundredth left out; `all` is their sum."""
    with tempfile.TemporaryDirectory(prefix="echod-lab-") as folder, subject.start() as server:
        server.wait_ready()
        few, many = (_count(server, workload, requests, Path(folder) / str(requests)) for requests in (_FEW, _MANY))
        server.stop()
    slopes = {name: (count - few.get(name, 0)) / (_MANY - _FEW) for name, count in many.items()}
    return {"all": sum(slopes.values()), **{name: slope for name, slope in sorted(slopes.items()) if slope >= 0.01}}
