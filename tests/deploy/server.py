# SPDX-License-Identifier: MIT
"""A server started for a test, on ports that the system chooses."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.append(os.path.join(ROOT, "tests"))

from support.settings import MODES  # noqa: E402, F401

ECHOD = os.path.join(ROOT, "build", "release", "echod")
PATIENCE = 20  # seconds for anything that must happen


def until(holds, what, patience=PATIENCE):
    """Returns what `holds` returned once that is true."""
    end = time.monotonic() + patience
    while not (value := holds()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {patience} s: {what}")
        time.sleep(0.02)
    return value


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def environment(variables=None):
    """Ours, without what would change a server."""
    return {name: value for name, value in os.environ.items()
            if not name.startswith(("ECHOD_", "LISTEN_", "NOTIFY_"))} | (variables or {})


class Echod:
    """In a `with`, at whose end it is killed unless stop() ended it. `lines`: listeners it prints."""

    def __init__(self, *flags, lines=1, program=ECHOD, wrapper=(), variables=None):
        self.child = subprocess.Popen([*wrapper, program, *flags], stdout=subprocess.PIPE, text=True,
                                      stdin=subprocess.DEVNULL, env=environment(variables))
        self.pid = self.child.pid
        try:
            said = [self.child.stdout.readline() for _ in range(lines)]
            self.ports = [int(re.match(r"listening on .*:(\d+)(?: \(admin\))?\n", line)[1]) for line in said]
        except BaseException:
            self.__exit__()
            raise
        if wrapper:
            self.pid = children(self.child.pid)[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
            self.child.kill()
            self.child.wait()
        self.child.stdout.close()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.ports[0]}"

    def get(self, path, **options):
        request = urllib.request.Request(self.url + path, **options)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def stop(self, number=signal.SIGTERM):
        """The exit status."""
        os.kill(self.pid, number)
        return self.child.wait(timeout=60)
