# SPDX-License-Identifier: MIT
"""The command: asks all servers at once, again and again, and shows what they say."""

import argparse
import json
import re
import signal
import threading
import time
from dataclasses import asdict
from datetime import datetime, timezone

from rich.console import Console
from rich.live import Live

from ..machine import command
from ..machine.interrupts import Interrupted
from ..text import streams
from ..text.errors import LabError, UsageError
from . import figures, keys, screen
from .server import Server

FORMAT, VERSION = "echod-top", 1
_TIMEOUT = 2  # seconds that a scrape may take at least
_SERVERS_MAX = 100
_INTERVAL = re.compile(r"(\d+(?:\.\d+)?)(ms|s|)", re.ASCII)


class State:
    """What is known of a server."""

    def __init__(self, server):
        self.server = server
        self.figures = None  # None: it is away
        self.error = None  # why it is away
        self.away_since = None  # of the monotonic clock
        self._page = None

    def look(self, timeout):
        """Asks it. Rates begin anew once it has been away."""
        try:
            page = self.server.scrape(timeout)
        except LabError as error:
            self.figures, self._page, self.error = None, None, str(error)
            if self.away_since is None:
                self.away_since = time.monotonic()
            return
        self.figures = figures.between(self._page, page)
        self._page, self.error, self.away_since = page, None, None

    def as_dict(self):
        """One of the servers in the JSON."""
        shown = {"url": self.server.url, "up": self.figures is not None, "error": self.error}
        return shown | (asdict(self.figures) if self.figures else {})


def interval(text):
    """A type for durations such as 1s, 500ms or 2."""
    found = _INTERVAL.fullmatch(text)
    value = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else 0
    if not 0.1 <= value <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration from 100ms to 3600s")
    return value


def parse(argv):
    parser = command.Parser(prog="top", description="Show what running servers do right now, side by side, from their /metrics: "
                            "requests/s, latency, connections, threads, memory, context switches and CPU. See loadtest/README.md.",
                            epilog="q or Ctrl-C ends it.")
    parser.add_argument("urls", metavar="URL", nargs="+", help="http://HOST:PORT, with a path if it is not /metrics, or unix:PATH; "
                        "of a server with --admin-listen, that address")
    parser.add_argument("--interval", metavar="TIME", type=interval, default=1.0, help="time from one scrape to the next [1s]")
    parser.add_argument("--once", action="store_true", help="scrape twice, one interval apart, print the figures and end; exit status "
                        "1 if no server answered")
    parser.add_argument("--json", action="store_true", help="print a line of JSON instead of a table, each interval")
    options = parser.parse_args(argv)
    if len(options.urls) > _SERVERS_MAX:
        raise UsageError(f"at most {_SERVERS_MAX} servers")
    return options


def look(states, seconds):
    """Asks all servers at the same time; returns when each has answered or is late."""
    asking = [threading.Thread(target=state.look, args=(max(seconds, _TIMEOUT),), daemon=True) for state in states]
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()


class Ticks:
    """Times that are `seconds` apart, however long what happens in between takes; one that has passed is left out."""

    def __init__(self, seconds, clock=time.monotonic):
        self._seconds = seconds
        self._clock = clock
        self._due = clock()

    def left(self):
        """Seconds to the next one."""
        now = self._clock()
        self._due = max(self._due + self._seconds, now)
        return self._due - now


def _line(states):
    return json.dumps({"format": FORMAT, "version": VERSION, "at": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
                       "servers": [state.as_dict() for state in states]}, allow_nan=False)


def _title(words):
    return f"{datetime.now():%H:%M:%S}, {words}"


def over(states, interval):
    """The time over which the rates were taken, in words: longer than the interval if a server was slow to answer, so that it may
    differ from server to server."""
    found = [state.figures.interval_s for state in states if state.figures and state.figures.interval_s is not None] or [interval]
    shortest, longest = (f"{seconds:.1f}" for seconds in (min(found), max(found)))
    return f"over {shortest} s" if shortest == longest else f"over {shortest} to {longest} s"


def _text(states, options, console):
    if options.json:
        return _line(states)
    with console.capture() as captured:
        title = _title(over(states, options.interval) if options.once else f"every {options.interval:g} s")
        console.print(screen.render(states, console, title, time.monotonic()))
    lines = [line.rstrip() for line in captured.get().rstrip("\n").splitlines()]
    return "\n".join(lines if options.once else [*lines, ""])


def _once(states, options, console):
    ticks = Ticks(options.interval)
    look(states, options.interval)
    time.sleep(ticks.left())
    look(states, options.interval)
    streams.say(_text(states, options, console))
    return 0 if any(state.figures for state in states) else command.FAILED


def _print(states, options, console):
    """A snapshot each interval, until nobody reads them any more."""
    ticks = Ticks(options.interval)
    look(states, options.interval)
    while True:
        time.sleep(ticks.left())
        look(states, options.interval)
        if not streams.say(_text(states, options, console)):
            return 0


def _live(states, options, console):
    ticks = Ticks(options.interval)
    with keys.unbuffered() as wait, Live(console=console, screen=True, auto_refresh=False) as live:
        while True:
            look(states, options.interval)
            title = _title(f"every {options.interval:g} s; q ends")
            live.update(screen.render(states, console, title, time.monotonic(), console.height), refresh=True)
            if wait(ticks.left()):
                return 0


def main(argv):
    options = parse(argv)
    states = [State(Server(url)) for url in options.urls]
    console = Console(highlight=False, markup=False, emoji=False)
    if options.once:
        return _once(states, options, console)
    show = _live if console.is_terminal and not console.is_dumb_terminal and not options.json else _print
    try:
        return show(states, options, console)
    except Interrupted as signalled:
        if signalled.number != signal.SIGINT:
            raise
        return 0  # Ctrl-C is the way to end it
