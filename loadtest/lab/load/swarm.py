# SPDX-License-Identifier: MIT
"""Runs swarm (loadtest/swarm): held connections, bursts, constant rates and mixtures, with figures for each class."""

import json
import os
import select
import subprocess
import time

from ..machine import command, procfs
from ..machine.process import Child, quoted
from ..text.errors import CannotConnect, CellFailed, LabError
from .http import authority

PATH = command.ROOT / "build" / "release" / "swarm"
GRACE = 10  # seconds that answers may take after the end
_OPENING = 60  # seconds that the connections may take to open
_UNOPENED = 1  # its exit status where connections could not be opened
_SETTLING = 5  # seconds that swarm may take besides


def find():
    """The path of swarm, or LabError."""
    path = os.environ.get("ECHOD_SWARM") or PATH
    if not os.access(path, os.X_OK):
        raise LabError(f"swarm is missing at {path}: build it with ./dev build")
    return path


def flags(of):
    """Flags of a table: its names are those of swarm's flags; True stands for a flag without a value."""
    words = []
    for name, value in of.items():
        if name not in ("path", "name") and value is not False:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return words


def arguments(classes, of_run, target, host=None):
    """The command line for classes of clients, each a table with name, path and swarm's flags of a class. `host`: how they
    call the server, if not by its address."""
    words = [*flags(of_run), "--target", target]
    naming = ["--header", f"Host: {host}"] if host else []
    for of in classes:
        words += ["--class", of["name"], *flags(of), *naming, of["path"]]
    return words


def parse(output):
    """The result among the lines that swarm printed, or LabError."""
    for line in reversed(output.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and found.get("event") == "result":
            return found
    raise LabError(f"swarm printed no result, but {quoted(output)}")


class Run:
    """A swarm at work. With a gate it waits for open_gate() once its connections are open. Context: gone afterwards."""

    def __init__(self, classes, of_run, server, client_cpus, gate=True):
        self.argv = [find(), *arguments(classes, {**of_run, "gate": gate}, authority(server.address), server.host)]
        self._server = server
        self._seen = b""
        self.child = Child(self.argv, client_cpus, stdin=subprocess.PIPE)
        self.pid = self.child.pid
        self.start = time.monotonic()

    def held(self):
        """Waits until the connections are open; what swarm says of them."""
        deadline = time.monotonic() + _OPENING
        while b"\n" not in self._seen:
            if not select.select([self.child.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise CellFailed(f"swarm's connections were not open after {_OPENING} s", "timeout")
            more = os.read(self.child.stdout.fileno(), 65536)
            if not more:
                self._fail()
            self._seen += more
        line, _, self._seen = self._seen.partition(b"\n")
        try:
            found = json.loads(line)
            return {name: found[name] for name in ("asked", "open")}
        except (ValueError, TypeError, KeyError):
            said = quoted(line.decode(errors="replace"))
            raise LabError(f"swarm did not say how many connections it holds, but {said}") from None

    def open_gate(self):
        """The requests begin; from now on the seconds count."""
        self.child.stdin.close()
        self.start = time.monotonic()

    def _fail(self):
        """swarm has ended without a result: the server's fault, or swarm's own word on it."""
        self._server.check_alive()
        self.child.ended(_SETTLING)
        status = self.child.stop()
        failed = CannotConnect if status == _UNOPENED else CellFailed
        raise failed(f"swarm ended without a result: it {self.child.end_in_words()}")

    def sleep_until(self, seconds):
        """Waits until that long after the requests began, or swarm's end; whether it is still at work."""
        return not self.child.ended(self.start + seconds - time.monotonic())

    def cpu(self):
        return procfs.cpu_clock(self.pid)

    def written(self):
        return None

    def finish(self, seconds):
        """Waits for the end, due after so many more seconds; the result."""
        output, deadline = self._seen, time.monotonic() + seconds + GRACE + _SETTLING
        while select.select([self.child.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
            more = os.read(self.child.stdout.fileno(), 1 << 16)
            if not more:
                break
            output += more
        if not self.child.ended(max(0, deadline - time.monotonic())):
            raise CellFailed(f"swarm did not end within {seconds + GRACE + _SETTLING:.0f} s", "timeout")
        self._seen = b""
        if self.child.reap() != 0:
            self._fail()
        return parse(output.decode(errors="replace"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close()
