# SPDX-License-Identifier: MIT
"""One sentence on what the figures of a workload allow to be said, and no more than that."""

from .stats import ROUNDS_FOR_A_VERDICT, leaders


def listing(words):
    """`a`, `a and b`, `a, b and c`."""
    words = [str(word) for word in words]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _outcome(rows, figure, lowest):
    """(who leads, the ratio to the next that is clearly behind) at one number of connections; ratio None if nobody is."""
    samples = {row.mode: row.figures[figure] for row in rows}
    ahead = leaders(samples, lowest)
    behind = [name for name in samples if name not in ahead]
    if not behind:
        return None, ""
    pick = min if lowest else max
    best = pick(samples[name].median for name in ahead)
    runner_up = pick(behind, key=lambda name: samples[name].median)
    return listing(ahead), f"{best / samples[runner_up].median:.2f} × {runner_up}"


def _clauses(by_connections, figure, lowest, limited_matters):
    """What is said of one figure: where somebody leads, where nobody does, where the client is the limit."""
    leads, level, limited = {}, [], []
    for connections, rows in by_connections.items():
        if limited_matters and all(row.client_limited for row in rows):
            limited.append(connections)
            continue
        who, ratio = _outcome(rows, figure, lowest)
        if who is None:
            level.append(connections)
        else:
            leads.setdefault(who, []).append(f"{connections} ({ratio})")
    best = "lowest" if lowest else "highest"
    clauses = [f"{who} {best} at {listing(places)}" for who, places in leads.items()]
    if level:
        clauses.append(f"no clear difference at {listing(level)}")
    if limited:
        clauses.append(f"the client is the limit at {listing(limited)}")
    return ", ".join(clauses)


def sentence(rows):
    """The reading of one workload's rows."""
    sound = [row for row in rows if not row.failure]
    by_connections = {}
    for row in sound:
        by_connections.setdefault(row.connections, []).append(row)
    comparable = {count: group for count, group in by_connections.items() if len(group) > 1}
    parts = []
    if not comparable:
        parts.append("nothing to compare")
    elif min(len(row.figures["requests_per_s"].values) for row in sound) < ROUNDS_FOR_A_VERDICT:
        parts.append(f"too few rounds to say more ({ROUNDS_FOR_A_VERDICT} are needed)")
    else:
        parts.append("CPU per request: " + _clauses(comparable, "cpu_us_per_request", True, False))
        parts.append("requests/s: " + _clauses(comparable, "requests_per_s", False, True))
    if failed := [f"{row.mode} at {row.connections}" for row in rows if row.failure]:
        parts.append(f"no figure for {listing(failed)}")
    return "; ".join(parts) + "."
