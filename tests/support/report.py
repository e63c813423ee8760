# SPDX-License-Identifier: MIT
"""The report that SIGUSR1 has the server print: how many connections are in each state, and what each loop or worker does."""

import re
import signal

from . import settings
from .checks import equal, until

STATES = ("queued", "idle", "reading", "sending", "waiting", "working", "lingering")


def report(server):
    """The next report: connections by state, workers by name."""
    before = len(server.errors())
    server.signal(signal.SIGUSR1)
    text = until(lambda: whole(server.errors()[before:]), "the report is there", settings.patience(10))
    states = {name: int(count) for name, count in re.findall(r"^echod: connections (\w+): (\d+)$", text, re.MULTILINE)}
    equal(tuple(states), STATES, "the states")
    return states, dict(re.findall(r"^echod: ((?:loop|worker) \d+): (\w+)$", text, re.MULTILINE))


def whole(text):
    return text if f"connections {STATES[-1]}: " in text and text.endswith("\n") else ""


def until_report(server, what, **wanted):
    """Until the states are these, and no connection is in another."""
    full = {**dict.fromkeys(STATES, 0), **wanted}
    return until(lambda: (found := report(server))[0] == full and found, f"{what}: {full}, not {report(server)[0]}")
