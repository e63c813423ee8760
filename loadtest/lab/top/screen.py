# SPDX-License-Identifier: MIT
"""The figures of all servers as one table: a column for each server if that fits, else a row."""

from rich.console import Group
from rich.text import Text

from ..text import streams, tables
from .figures import STATES

_NAME_MAX, _NAME_MIN = 24, 6  # characters of a server's name where each server is a row
_NOTHING = "-"


def number(value):
    """A figure that changes all the time: three digits are as many as can be read."""
    for unit in ("", "k", "M"):
        if value < 999.5:
            return f"{value:.{0 if value >= 99.95 or (not unit and value >= 9.95) or value == 0 else 1}f}{unit}"
        value /= 1000
    return f"{value:.1f}G"


def size(value):
    """Bytes, in MiB or GiB."""
    value /= 2 ** 20
    return f"{value:.1f}M" if value < 999.95 else f"{value / 1024:.1f}G"


def duration(seconds):
    if seconds >= 0.9995:
        return f"{seconds:.3g}s"
    return f"{seconds * 1000:.3g}ms"


def bound(between):
    """What a histogram knows of a duration: that it is at most so long."""
    return f"≤{duration(between.at_most_s)}" if between.at_most_s is not None else f">{duration(between.above_s)}"


# What is shown: its name in a column, its short name in a row (None: left out there), how it is read, how it is shown.
_LINES = (
    ("requests/s", "req/s", lambda f: f.requests_per_s, number),
    ("  with 5xx", "5xx", lambda f: f.answers_per_s["5xx"], number),
    ("p50", "p50", lambda f: f.p50, bound),
    ("p99", "p99", lambda f: f.p99, bound),
    ("connections", "conn", lambda f: f.connections["open"], str),
    *((f"  {state}", None, lambda f, state=state: f.connections[state], str) for state in STATES),
    ("  queued", "queue", lambda f: f.connections["queued"], str),
    ("  lingering", None, lambda f: f.connections["lingering"], str),
    ("  accepted/s", None, lambda f: f.connections_per_s, number),
    ("threads", "thr", lambda f: f.threads, str),
    ("memory", "memory", lambda f: f.memory_bytes, size),
    ("switches/s", "sw/s", lambda f: f.switches, number),
    ("CPU", "CPU", lambda f: f.cpu, lambda value: f"{value * 100:.0f}%"),
    ("scrape", None, lambda f: f.scrape_s, duration),
)


def _cell(state, read, show):
    if state.figures is None:
        return Text(_NOTHING, style="dim")
    value = read(state.figures)
    return Text(_NOTHING, style="dim") if value is None else Text(show(value), no_wrap=True)


def _mode(state):
    if state.figures is None:
        return Text("away", style="bold red")
    return Text(streams.printable(state.figures.mode or "?"), no_wrap=True)


def _columns(states):
    made = tables.table(["", *(state.server.name for state in states)])
    made.padding = (0, 1, 0, 0)
    made.add_row(Text("mode"), *map(_mode, states))
    for title, _, read, show in _LINES:
        made.add_row(Text(title), *(_cell(state, read, show) for state in states))
    return made


def _short(name, length):
    """Its end tells servers apart: a port, or the name of a socket."""
    return name if len(name) <= length else f"…{name[1 - length:]}"


def _rows(states, name_length):
    lines = [line for line in _LINES if line[1] is not None]
    made = tables.table(["server", "mode", *(line[1] for line in lines)], left=2)
    made.padding = 0
    for state in states:
        made.add_row(Text(_short(state.server.name, name_length), no_wrap=True), _mode(state),
                     *(_cell(state, read, show) for _, _, read, show in lines))
    return made


def _width(console, made):
    return console.measure(made, options=console.options.update(max_width=10_000)).maximum


def _remarks(states, now):
    for state in states:
        if state.error is not None:
            since = "" if state.away_since is None else f", for {now - state.away_since:.0f} s"
            yield Text(f"{state.server.name}: {streams.printable(state.error)}{since}", style="red")
        elif state.figures is not None and state.figures.restarted:
            yield Text(f"{state.server.name}: restarted", style="yellow")


def render(states, console, title, now, height=None):
    """As rich draws it. `now`: of the monotonic clock; `height`: lines that there is room for, None: any number."""
    remarks = list(_remarks(states, now))
    chosen = _columns(states)
    lines = 1 + 2 + 1 + len(_LINES) + len(remarks)  # the title, the headings and their rule, the mode
    if _width(console, chosen) > console.width or (height is not None and lines > height):
        tries = (_rows(states, length) for length in range(_NAME_MAX, _NAME_MIN - 1, -1))
        chosen = next((made for made in tries if _width(console, made) <= console.width), _rows(states, _NAME_MIN))
    return Group(Text(title, style="dim", no_wrap=True, overflow="ellipsis"), chosen, *remarks)
