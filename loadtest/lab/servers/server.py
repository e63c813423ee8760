# SPDX-License-Identifier: MIT
"""A server under measurement: started on a free port, pinned, watched, and stopped with the check that it ends well."""

import os
import re
import select
import socket
import subprocess
import time
from urllib.parse import urlsplit

from ..machine import procfs, sockdiag
from ..machine.process import Child, described
from ..text.errors import CannotStart, CellFailed, LabError, ServerDied

_DRAINED = 35  # seconds: echod's own drain timeout is 30
_ENDED = 5  # seconds that any other server may take to end
_LISTENING = re.compile(rb"^listening on ([0-9.]+):([0-9]+)$", re.MULTILINE)

_LIMIT = re.compile(r"at most (\d+) connections \((.*)\)$", re.MULTILINE)
_FULL = re.compile(r"full: (.*); refusing more$", re.MULTILINE)
_DYING = 0.2  # seconds from a connection's reset to the end of the process that had it
_POLL = 0.02  # seconds between two tries to connect


def clean_environment(extra=None):
    """The environment without the variables that change what the server does."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("ECHOD_")}
    env.update(extra or {})
    return env


class Server:
    """Use as a context: whatever happens, the process is gone afterwards."""

    def __init__(self, child, name):
        self.child = child
        self.name = name
        self.pid = child.pid
        self.address = None
        self.host = None  # how clients call it, if not by its address

    @classmethod
    def command(cls, argv, name, cpus=None, env=None):
        return cls(Child(argv, cpus, clean_environment(env)), name)

    @property
    def url(self):
        return f"http://{self.address[0]}:{self.address[1]}"

    def wait_ready(self, timeout=10, refused=None):
        """Waits for `listening on`. None if it ended with the status `refused` instead; LabError for any other end."""
        deadline = time.monotonic() + timeout
        seen = b""
        poller = select.poll()
        poller.register(self.child.stdout, select.POLLIN)
        while True:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise LabError(f"{self.name}: no 'listening on' line after {timeout} s")
            if not poller.poll(remaining * 1000):
                continue
            more = os.read(self.child.stdout.fileno(), 4096)
            seen += more
            if found := _LISTENING.search(seen):
                self.address = (found[1].decode(), int(found[2]))
                return self
            if not more:
                self.child.ended(timeout)
                status = self.child.stop()
                if status == refused:
                    return None
                raise CannotStart(f"{self.name}: cannot start: {self._reason(status)}")

    def _reason(self, status):
        line = self.child.error_line()
        if _LIMIT.search(line):  # what -v says at the start is no reason
            line = ""
        return described(status, line)

    def check_alive(self):
        """LabError if the server has ended by itself."""
        if self.child.ended():
            raise self._died()

    def _died(self):
        return ServerDied(f"{self.name}: the server died: {self._reason(self.child.stop())}")

    def usage(self):
        """With its context switches: while nothing is measured."""
        return procfs.usage(self.pid)

    def spent(self):
        """Within a measurement."""
        return procfs.spent(self.pid)

    def memory(self):
        return procfs.memory(self.pid)

    def sockets(self):
        """How many sockets it has open on its port, or None where that cannot be seen."""
        return sockdiag.accepted(self.address[1])

    def limit(self):
        """(the most connections it serves at once, what sets that limit), as it says on stderr with -v; None if it does not."""
        found = _LIMIT.search(self.child.errors())
        return (int(found[1]), found[2]) if found else None

    def refusing(self):
        """Why it has refused connections, as it says on stderr; None if it has refused none."""
        found = _FULL.search(self.child.errors())
        return found[1] if found else None

    def stop(self, patience=_DRAINED):
        """SIGTERM, and the resources of the whole life: ended threads and reaped children included."""
        self.check_alive()
        status = self.child.stop(patience=patience)
        if status != 0:
            raise LabError(f"{self.name}: after SIGTERM the server {self._reason(status)}; 0 was due")
        return self.resources()

    def resources(self):
        """What an ended one has used."""
        used = self.child.rusage
        return {"cpu_s": used.ru_utime + used.ru_stime, "user_s": used.ru_utime, "system_s": used.ru_stime,
                "voluntary": used.ru_nvcsw, "involuntary": used.ru_nivcsw, "max_rss_bytes": used.ru_maxrss * 1024}

    def __enter__(self):
        return self

    def __exit__(self, _kind, error, _traceback):
        """What failed because the server has ended by itself is told as that."""
        died = None
        if isinstance(error, (LabError, CellFailed)) and not isinstance(error, (ServerDied, CannotStart)):
            if self.child.status is None and self.child.ended(_DYING):
                died = self._died()
        self.child.close()
        if died:
            raise died from None


class Foreign(Server):
    """Any other program that serves HTTP: told its port, ready when it accepts a connection, ended however it likes."""

    @classmethod
    def on_free_port(cls, argv, name, cpus=None):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        argv = [word.replace("{port}", str(port)) for word in argv]
        # A pipe that nobody reads would stop one that writes a line for each request.
        server = cls(Child(argv, cpus, clean_environment(), stdout=subprocess.DEVNULL), name)
        server.address = ("127.0.0.1", port)
        return server

    def wait_ready(self, timeout=10, refused=None):
        """Waits until it accepts a connection."""
        deadline = time.monotonic() + timeout
        while True:
            if self.child.ended():
                raise CannotStart(f"{self.name}: cannot start: {self._reason(self.child.stop())}")
            try:
                socket.create_connection(self.address, timeout=1).close()
                return self
            except OSError:
                if time.monotonic() > deadline:
                    raise CannotStart(f"{self.name}: does not accept on port {self.address[1]} after {timeout} s") from None
            time.sleep(_POLL)

    def limit(self):
        return None

    def refusing(self):
        return None

    def stop(self, patience=_ENDED):
        self.check_alive()
        self.child.stop(patience=patience)
        return self.resources()


class Remote:
    """A server that runs elsewhere: it is loaded and never touched. What only its own machine knows is None."""

    pid = None

    def __init__(self, url, name):
        parts = urlsplit(url)
        self.name = name
        self.url = url
        self.host = parts.netloc
        self.address = (parts.hostname, parts.port or 80)

    def wait_ready(self, timeout=10, refused=None):
        try:
            with socket.create_connection(self.address, timeout=timeout) as connection:
                self.address = connection.getpeername()[:2]  # swarm takes no names
        except OSError as error:
            raise CannotStart(f"{self.name}: cannot connect to {self.url}: {error.strerror or error}") from None
        return self

    def check_alive(self):
        """It is not ours to watch: requests that fail are counted."""

    def usage(self):
        return None

    def spent(self):
        return None

    def memory(self):
        return None

    def sockets(self):
        return None

    def limit(self):
        return None

    def refusing(self):
        return None

    def stop(self, patience=0):
        """Leaves the server running. ServerDied if it has gone: in an experiment about failures the figures do not show that."""
        try:
            socket.create_connection(self.address, timeout=1).close()
        except ConnectionRefusedError:
            raise ServerDied(f"{self.name}: the server died: it accepts no connection any more") from None
        except OSError:
            pass  # full or far, but there

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass
