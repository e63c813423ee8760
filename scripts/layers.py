#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that includes and imports go one way only: `./dev check layers` runs it.

TABLE names every folder, and the folders that its files may include or import. Any other arrow is a fault, and so is a
circle of files. A header and its source count as one file. Each fault is a line; the exit status is 1 if there is one.
An argument is the tree to check, instead of the one that this file is in.
"""

import ast
import os
import re
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

# A row is a folder, or a file without its suffix, and what it may use besides itself. A name stands for all that is below it.
# A name with a slash is a path; one without stands beside the row: `base` in the row common/http is common/base.
TABLE = {
    "common/base": "",
    "common/http": "base",
    "common/session": "base http",
    "common/handlers": "base http session",
    "server/net": "common/base",
    "server/system": "common/base",
    "server/settings": "common/base common/http net",
    "server/drivers/shared": "common/ server/net server/settings server/system",
    "server/drivers/event": "common/ server/net server/settings server/system shared",
    "server/drivers/blocking": "common/ server/net server/settings server/system shared",
    "server/drivers/fiber": "common/ server/net server/settings server/system shared event server/drivers/blocking/conversation",
    "server/drivers/uring": "common/ server/net server/settings server/system shared server/drivers/event/lingerers",
    "server/modes": "common/ net settings system drivers",
    "server/acceptor": "common/ net settings system drivers modes server/trace/trace_file",
    "server/trace": "common/base server/net/warn server/drivers/shared/pump",
    "server/health_check": "common/base net",
    "server/main": "common/ server/",
    "deploy": "server/settings server/modes",
    "loadtest/swarm/timing": "common/base",
    "loadtest/swarm/stats": "common/base timing",
    "loadtest/swarm/settings": "common/base timing",
    "loadtest/swarm/http": "common/base settings",
    "loadtest/swarm": "common/base timing stats settings http",
    "loadtest/lab/__init__": "",
    "loadtest/lab/text": "",
    "loadtest/lab/machine": "text",
    "loadtest/lab/results": "text",
    "loadtest/lab/servers": "text machine",
    "loadtest/lab/load": "text machine results",
    "loadtest/lab/methods": "text machine results servers load",
    "loadtest/lab/report": "text machine results",
    "loadtest/lab/timeline": "text machine results servers load report",
    "loadtest/lab/compare": "text machine results servers load methods report timeline",
    "loadtest/lab/bench": "text machine results servers load",
    "loadtest/lab/top": "text machine load",
}
# Headers of the system that a folder must not include, and the one file that may: common knows neither libevent nor threads.
SYSTEM = (("common", re.compile(r"event2?[/.]|ev(dns|http|rpc|util)"), None),
          ("common", re.compile(r"pthread\.h"), "common/base/sync"))
FILES = {"common": "*.[ch]", "server": "*.[ch]", "deploy": "*.[ch]", "loadtest/swarm": "*.[ch]", "loadtest/lab": "*.py"}
INCLUDE = re.compile(r"^\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", re.MULTILINE)


def is_below(name, folder):
    return name == folder or name.startswith(folder.rstrip("/") + "/")


def is_allowed(row, name):
    """Whether files of the row may use that file."""
    names = [word if "/" in word else f"{row.rpartition('/')[0]}/{word}" for word in TABLE[row].split()]
    return any(is_below(name, allowed) for allowed in (row, *names))


def is_banned(module, header):
    """Whether it is a header of the system that the file must not include."""
    return any(is_below(module, folder) and headers.match(header) and module != only for folder, headers, only in SYSTEM)


def included(tree, path):
    """What the #include lines of a file name, files of the tree by their path in it."""
    for quote, name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        is_beside = quote == '"' and not (tree / name).is_file() and (path.parent / name).is_file()
        yield os.path.relpath(path.parent / name, tree) if is_beside else name


def imported(tree, path):
    """The files of the tree that a file imports."""
    def file_of(*parts):
        module = Path("loadtest", *parts)
        return next((str(file) for file in (module.with_suffix(".py"), module / "__init__.py") if (tree / file).is_file()), None)

    package = path.relative_to(tree / "loadtest").parent.parts
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (file_of(*alias.name.split(".")) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[:len(package) - node.level + 1] if node.level else ()
            start = (*above, *(node.module.split(".") if node.module else ()))
            yield from (file_of(*start, alias.name) or file_of(*start) for alias in node.names)


def faults(tree):
    """The lines."""
    arrows = {}  # by file without its suffix, the files that it uses
    for path in sorted(path for folder, pattern in FILES.items() for path in (tree / folder).rglob(pattern)):
        file, module = str(path.relative_to(tree)), str(path.relative_to(tree).with_suffix(""))
        row = max((row for row in TABLE if is_below(module, row)), key=len, default=None)
        if row is None:
            yield f"{file}: has no row in the table of scripts/layers.py"
            continue
        verb, used = ("imports", imported) if path.suffix == ".py" else ("includes", included)
        for name in dict.fromkeys(filter(None, used(tree, path))):
            is_ours, other = (tree / name).is_file(), str(Path(name).with_suffix(""))
            if is_banned(module, name) or (is_ours and not is_allowed(row, other)):
                yield f"{file}: {verb} {name}, which {row} must not"
            if is_ours and other != module:
                arrows.setdefault(module, set()).add(other)
    while True:
        try:
            return TopologicalSorter(arrows).prepare()
        except CycleError as error:
            circle = error.args[1][::-1]
            yield f"circle: {' -> '.join(circle)}"
            arrows[circle[0]].discard(circle[1])  # to find the next


if __name__ == "__main__":
    lines = faults(Path(sys.argv[1] if sys.argv[1:] else Path(__file__).parent.parent).resolve())
    sys.exit("\n".join(lines) or None)
