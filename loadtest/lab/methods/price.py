# SPDX-License-Identifier: MIT
"""What a mode costs before it serves anything: lines of its own code, the program's size, start-up; and a request's price."""

import re
import time
from statistics import median

from .. import callgrind, command
from . import Outcome

WORKLOAD = {"path": "/plaintext", "starts": 5, "few": 500, "many": 1500, "sources": {}}
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_PER_START, _CALLGRIND = 0.05, 2.2  # seconds


def find_tools():
    callgrind.find_tools()


def connections(cell):
    return 1


def length(cell):
    return _PER_START * cell.workload["starts"] + (_CALLGRIND if cell.subject.kind == "mode" else 0)


def count_lines(text):
    """Lines of C that are neither blank nor comment."""
    bare = _COMMENTS.sub(lambda found: found[0] if found[0][0] == '"' else "", text)
    return sum(bool(line.strip()) for line in bare.splitlines())


def _startup_ms(subject, cpus):
    began = time.monotonic()
    with subject.start(cpus) as server:
        server.wait_ready()
        took = time.monotonic() - began
        server.stop()
    return took * 1e3


def measure(cell, lab):
    given = cell.workload
    figures = {"startup_ms": median(_startup_ms(cell.subject, lab.pinning.server) for _ in range(given["starts"]))}
    if cell.subject.kind != "mode":
        return Outcome(figures)
    sources = [command.ROOT / name for name in given["sources"].get(cell.subject.mode, ())]
    if sources:
        figures["code_lines"] = sum(count_lines(path.read_text(encoding="utf-8")) for path in sources)
    figures["binary_bytes"] = lab.server.stat().st_size
    figures["instructions_per_request"] = callgrind.instructions_per_request(
        cell.subject, given["path"], given["few"], given["many"])
    return Outcome(figures, details={"sources": [str(path.relative_to(command.ROOT)) for path in sources]})
