# SPDX-License-Identifier: MIT
"""Runs wrk with one of our scenarios, for a fraction of a second where wanted, and reads the figures it prints."""

import json
import math
import shutil
import signal
import tempfile
import time
from pathlib import Path

from ..machine import procfs
from ..machine.interrupts import shield
from ..machine.process import Child, quoted
from ..text.errors import CellFailed, LabError

_TIMEOUT = 8  # seconds after which wrk counts an answer as an error: no answer here may be slower, except for
_EACH = 0.001  # seconds more for each connection: one CPU may need that long for this many answers
_TICK = 0.1  # seconds between two moments at which wrk checks whether it should stop
_LOOK = 0.01  # seconds between two moments at which the lab checks whether wrk has stopped


def find():
    """The path of wrk, or LabError."""
    path = shutil.which("wrk")
    if not path:
        raise LabError("wrk is missing: install it (Debian: apt-get install wrk)")
    return path


def parse(output):
    """The figures in what a scenario printed: the last line that is a JSON object."""
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            try:
                figures = json.loads(line)
            except ValueError:
                break
            if "latency_us" in figures:
                return figures
    raise LabError(f"wrk printed no figures, but {quoted(output)}")


def problems(figures, answer_length, connections):
    """What was wrong with a run, in words; empty if nothing. `answer_length` is that of a checked answer, with its head."""
    found = [f"{count} {kind} errors" for kind, count in figures["errors"].items() if count]
    requests = figures["requests"]
    if not requests:
        found.append("no request was answered")
    elif answer_length:
        # In flight at the end: an answer for each request sent. `Connection: close` may be added to any answer.
        longest = answer_length + len("Connection: close\r\n")
        slack = connections * figures["depth"] * longest
        if not requests * answer_length - slack <= figures["bytes"] <= requests * longest + slack:
            found.append(f"answers of {figures['bytes'] / requests:.1f} bytes on average, not {answer_length}")
    return ", ".join(found)


class Run:
    """A wrk at work. It opens its connections and waits with its first request for open_gate(); with `hold` it keeps them open
    from end() to finish(). Context: gone afterwards."""

    def __init__(self, workload, url, connections, seconds, client_cpus, check=False, hold=False):
        self.connections = connections
        self._timeout = math.ceil(_TIMEOUT + _EACH * connections)
        self.threads = max(1, min(len(client_cpus), connections))
        self._folder = tempfile.TemporaryDirectory(prefix="echod-lab-")
        self._gate = Path(self._folder.name) / "open"
        self._hold = Path(self._folder.name) / "close" if hold else None
        self._lasted = None
        options = [*workload.options, f"gate={self._gate}", *(["check=1"] if check else []),
                   *([f"hold={self._hold}"] if hold else [])]
        # wrk knows whole seconds only: it is given more than enough and interrupted in time.
        self.argv = [find(), f"-t{self.threads}", f"-c{connections}", f"-d{math.ceil(seconds) + 60}s", f"-T{self._timeout}s",
                     "-s", workload.script, url + "/", "--", *options]
        try:
            self.child = Child(self.argv, client_cpus)
        except BaseException:
            self._folder.cleanup()
            raise
        self.pid = self.child.pid
        self.start = time.monotonic()

    def open_gate(self):
        """The requests begin; from now on the seconds count."""
        self._gate.touch()
        self.start = time.monotonic()

    def check_alive(self, timeout=0):
        """LabError if wrk ends by itself within that time."""
        if self.child.ended(timeout):
            self.child.stop()
            raise LabError(f"wrk ended too early: it {self.child.end_in_words()}")

    def sleep_until(self, seconds):
        """Waits until that long after the requests began."""
        self.check_alive(self.start + seconds - time.monotonic())

    def cpu(self):
        return procfs.cpu_clock(self.pid)

    def written(self):
        return procfs.written(self.pid)

    def _idle(self):
        """Whether it sends nothing any more."""
        return self.child.ended(_LOOK if self._hold else 5 * _TICK) or (self._hold and Path(f"{self._hold}.ended").exists())

    def end(self, patience=5):
        """No request is sent any more, all answers that count have come."""
        patience = math.ceil(patience + _EACH * self.connections)
        deadline, again = time.monotonic() + patience, 0.0
        while True:
            if time.monotonic() >= again:
                self.child.send(signal.SIGINT)  # until its handler is in place wrk ignores it
                again = time.monotonic() + 5 * _TICK
            if self._idle():
                break
            if time.monotonic() > deadline:
                raise CellFailed(f"wrk did not end within {patience} s")
        self._lasted = time.monotonic() - self.start

    def finish(self, patience=5):
        """Ends the run; (figures, bytes written in all)."""
        if self._lasted is None:
            self.end(patience)
        written = self.written()
        if self._hold:
            self._hold.touch()
            if not self.child.ended(patience + _EACH * self.connections):
                raise CellFailed(f"wrk did not close its connections within {patience} s")
        if self.child.reap() != 0:
            raise LabError(f"wrk {self.child.end_in_words()}")
        figures = parse(self.child.read_output())
        if self._lasted < self._timeout:  # none can be that late: wrk counts connections on which it has not asked yet
            figures["errors"]["timeout"] = 0
        return figures, written

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close()
        with shield():
            self._folder.cleanup()
