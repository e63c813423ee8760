# SPDX-License-Identifier: MIT
"""A run beside an earlier one: which figures changed by more than their rounds spread."""

import json

from ..results.stats import Sample, differ
from ..text.errors import LabError
from ..text.tables import plain
from ..text.units import significant

HEADINGS = ["server", "figure", "before", "now", "now/before"]
_SMALLEST = 0.01  # of figures that hardly vary: instructions, memory


def load(path, format_, version):
    """The earlier run, or LabError."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LabError(f"--against: cannot read {path}: {error}") from None
    if not isinstance(value, dict) or value.get("format") != format_ or value.get("version") != version:
        raise LabError(f"--against: {path} holds no results of the bench of version {version}")
    try:
        render(value, value)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):  # not at the end of a run
        raise LabError(f"--against: {path} is damaged") from None
    return value


def _figures(server):
    """(name, value or values, whether it is a sample) of a server's results."""
    for workload, timed in server["workloads"].items():
        yield f"{workload}, µs/request", Sample(tuple(timed["cpu_us_per_request"]["values"]))
    for workload, value in server["instructions_per_request"].items():
        yield f"{workload}, instructions/request", value
    for workload, calls in server["calls_per_request"].items():
        yield f"{workload}, calls/request", calls["all"]
    if server["idle_bytes_per_connection"] is not None:
        yield "bytes/idle connection", server["idle_bytes_per_connection"]


def _changed(before, now):
    if isinstance(now, Sample):
        return differ(before, now)
    return abs(now - before) > _SMALLEST * max(abs(before), abs(now), 1)


def _value(figure):
    return figure.median if isinstance(figure, Sample) else figure


def rows(before, now):
    """The figures of both runs that changed, as cells, and how many both have."""
    old = {server["name"]: dict(_figures(server)) for server in before["servers"]}
    cells, both = [], 0
    for server in now["servers"]:
        for name, figure in _figures(server):
            earlier = old.get(server["name"], {}).get(name)
            if earlier is None:
                continue
            both += 1
            if _changed(earlier, figure):
                one, two = _value(earlier), _value(figure)
                ratio = f"{two / one:.2f}" if one else "-"
                cells.append([server["name"], name, significant(one), significant(two), ratio])
    return cells, both


def render(before, now):
    cells, both = rows(before, now)
    commit = before.get("machine", {}).get("commit") or "an unknown commit"
    said = f"{len(cells)} of {both} figures changed since the run of {before['started']} ({commit})"
    return f"{said}\n{plain(HEADINGS, cells, left=2)}" if cells else said
