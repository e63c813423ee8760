# SPDX-License-Identifier: MIT
"""The comparison as people read it, on a terminal and as Markdown, made from the results alone."""

from . import table
from .machine import summary as machine_summary
from .reading import sentence

HEADINGS = ["connections", "mode", "requests/s", "p50", "p99", "CPU/request", "switches/request", "threads", "memory"]
_MARKS = {
    "*": ("client_limited", "* the client was at its limit: a faster server would show the same requests/s; CPU/request tells "
                            "them apart."),
    "!": ("disturbed", "! other programs used the CPUs in most rounds: measure again on a quiet machine."),
}


def _figures(row):
    figures = row.figures
    requests = figures["requests_per_s"]
    mark = "".join(mark for mark, (flag, _) in _MARKS.items() if getattr(row, flag))
    cpu = figures["cpu_us_per_request"]
    return [
        table.with_spread(f"{requests.median:,.0f}{mark}", requests),
        table.with_spread(table.microseconds(figures["p50_us"].median), figures["p50_us"]),
        table.with_spread(table.microseconds(figures["p99_us"].median), figures["p99_us"]),
        table.with_spread(f"{table.significant(cpu.median)} µs", cpu),
        f"{figures['switches_per_request'].median:.2f}",
        f"{figures['threads'].median:,.0f}",
        table.size(figures["pss_bytes"].median if "pss_bytes" in figures else None),
    ]


def table_rows(rows):
    """Cells for the rows of one workload; a number of connections stands once. Failed rows have dashes."""
    cells, last = [], None
    for row in rows:
        connections = "" if row.connections == last else str(row.connections)
        last = row.connections
        figures = ["-"] * (len(HEADINGS) - 2) if row.failure else _figures(row)
        cells.append([connections, row.mode, *figures])
    return cells


def by_workload(rows):
    groups = {}
    for row in rows:
        groups.setdefault(row.workload, []).append(row)
    return groups


def remarks(rows):
    """What must be known beside the figures: a line for each row that has none, and what the marks mean."""
    lines = [f"{row.mode} at {row.connections} connection{'' if row.connections == 1 else 's'}: no figure: {row.failure}"
             for row in rows if row.failure]
    lines += [text for flag, text in _MARKS.values() if any(getattr(row, flag) for row in rows)]
    return lines


def intro(results):
    """What was measured where, and how."""
    parameters = results["parameters"]
    rounds = parameters["rounds"]
    lengths = {entry["asked_s"] for entry in results["measurements"] if not entry["failure"]} or {parameters["seconds"]}
    span = f"{min(lengths):g}" if len(lengths) == 1 else f"{min(lengths):g} to {max(lengths):g}"
    lines = [
        machine_summary(results["machine"]),
        f"{results['pinning']['note']}; {span} s each after a warm-up; "
        + (f"medians of {rounds} interleaved rounds, ± half the range" if rounds > 1 else "one round"),
    ]
    if not results["complete"]:
        done, planned = len(results["measurements"]), parameters["planned"]
        lines.append(f"INCOMPLETE: {done} of {planned} measurements were made; {results['ended']}")
    return lines


def terminal(results, rows, titles):
    parts = ["\n".join(intro(results))]
    for name, group in by_workload(rows).items():
        lines = [f"{name}: {titles[name]}", table.plain(HEADINGS, table_rows(group), left=2)]
        lines += remarks(group)
        lines.append(f"=> {sentence(group)}")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def markdown(results, rows, titles, commands):
    parts = ["# echod: one server, several concurrency models",
             "\n".join(f"- {line}" for line in [f"taken {results['started']}", *intro(results)])]
    for name, group in by_workload(rows).items():
        parts.append(f"## {name}: {titles[name]}")
        parts.append(table.markdown(HEADINGS, table_rows(group), left=2))
        parts += ["\\" + line if line[0] in _MARKS else line for line in remarks(group)]
        parts.append(f"**{sentence(group)}**")
        parts.append("By hand:\n\n```\n" + "\n".join(commands[name]) + "\n```")
    parts.append("What the columns mean and how they are measured is in `loadtest/README.md`; every round is in "
                 "`results.json` beside this file.")
    return "\n\n".join(parts) + "\n"
