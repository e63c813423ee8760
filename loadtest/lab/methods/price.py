# SPDX-License-Identifier: MIT
"""What a mode costs before it serves anything: the code that a connection runs through, the program's size, start-up; and a
request's price in instructions.

The lines are not a list made by hand: callgrind says which lines of a build with line numbers (build/lines) run for each connection
that opens, asks for a path ten times, and closes. The programs of a single mode (build/price) are release builds with ECHOD_MODES.
"""

import os
import re
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

from ..load import callgrind
from ..machine import command, program
from ..servers import modes
from .outcome import Outcome

WORKLOAD = {"path": "/plaintext", "starts": 5, "few": 500, "many": 1500, "programs": False}
LINES = command.ROOT / "build" / "lines" / "echod"
PROGRAMS = command.ROOT / "build" / "price"  # of each mode, echod-MODE
_COMMENTS = re.compile(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"", re.DOTALL)
_PER_START, _CALLGRIND = 0.05, 2.9  # seconds


def find_tools():
    callgrind.find_tools()


def connections(cell):
    return 1


def length(cell):
    return _PER_START * cell.workload["starts"] + (_CALLGRIND if cell.subject.kind == "mode" and modes.is_counted(cell.subject.name) else 0)


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


def own_lines(places):
    """(file below the project's folder, line) of those that are ours."""
    found = ((Path(os.path.normpath(file)), line) for file, line in places)
    return {(file.relative_to(command.ROOT), line) for file, line in found if file.is_relative_to(command.ROOT)}


def figures_of_lines(places):
    """Of our own lines, how many there are in all, in server/ and in common/, and all lines of their files."""
    folders = [file.parts[0] for file, _ in places]
    return {"lines_run": len(places), "lines_run_server": folders.count("server"), "lines_run_common": folders.count("common"),
            "code_lines": sum(count_lines((command.ROOT / file).read_text(encoding="utf-8")) for file in {file for file, _ in places})}


def _lines(cell):
    """(figures, details): the lines that a connection runs through, in the build with line numbers; none where that was not made."""
    if not LINES.exists():
        return {}, {"lines": f"not counted: {LINES.relative_to(command.ROOT)} is not built (./dev build lines)"}
    subject = replace(cell.subject, argv=(str(LINES), *cell.subject.argv[1:]))
    places = own_lines(callgrind.lines_run(subject, cell.workload["path"]))
    return figures_of_lines(places), {"files": sorted({str(file) for file, _ in places})}


def _programs(cell):
    """(figures, details): the size of the program that offers this mode alone, and of the libevent that it loads; none where it was
    not made."""
    path = PROGRAMS / f"echod-{cell.subject.name}"
    if not path.exists():
        return {}, {"program": f"not measured: {path.relative_to(command.ROOT)} is not built (./dev build modes)"}
    library = program.library_loaded(path, "libevent_core")
    sizes = {"program_bytes": program.stripped_bytes(path), "libevent_bytes": library and library.stat().st_size}
    return {name: size for name, size in sizes.items() if size is not None}, {"libevent": str(library) if library else "linked into it"}


def measure(cell, lab):
    given = cell.workload
    figures = {"startup_ms": median(_startup_ms(cell.subject, lab.pinning.server) for _ in range(given["starts"]))}
    if cell.subject.kind != "mode":
        return Outcome(figures)
    figures["binary_bytes"] = lab.server.stat().st_size
    if modes.is_counted(cell.subject.name):
        figures["instructions_per_request"] = callgrind.instructions_per_request(
            cell.subject, given["path"], given["few"], given["many"])
        lines, details = _lines(cell)
    else:
        lines, details = {}, {"instructions": "not counted: callgrind cannot run this mode"}
    programs, more = _programs(cell) if given["programs"] else ({}, {})
    return Outcome(figures | lines | programs, details=details | more)
