# SPDX-License-Identifier: MIT
"""A server under measurement: started on a free port, pinned, watched, and stopped with the check that it ends well."""

import os
import re
import select
import time

from . import procfs
from .errors import LabError
from .process import Child, describe_status

_DRAINED = 35  # seconds: echod's own drain timeout is 30
_LISTENING = re.compile(rb"^listening on ([0-9.]+):([0-9]+)$", re.MULTILINE)


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
                raise LabError(f"{self.name}: cannot start: {self._reason(status)}")

    def _reason(self, status):
        line = self.child.error_line()
        return f"{describe_status(status)}{': ' + line if line else ''}"

    def check_alive(self):
        """LabError if the server has ended by itself."""
        if self.child.ended():
            raise LabError(f"{self.name}: the server died: {self._reason(self.child.stop())}")

    def usage(self):
        return procfs.usage(self.pid)

    def memory(self):
        return procfs.memory(self.pid)

    def stop(self, patience=_DRAINED):
        """SIGTERM, and the resources of the whole life: ended threads and reaped children included."""
        self.check_alive()
        status = self.child.stop(patience=patience)
        if status != 0:
            raise LabError(f"{self.name}: after SIGTERM the server {self._reason(status)}; 0 was due")
        used = self.child.rusage
        return {"cpu_s": used.ru_utime + used.ru_stime, "user_s": used.ru_utime, "system_s": used.ru_stime,
                "voluntary": used.ru_nvcsw, "involuntary": used.ru_nivcsw, "max_rss_bytes": used.ru_maxrss * 1024}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.close()
