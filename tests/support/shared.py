# SPDX-License-Identifier: MIT
"""Servers that tests share: started for the first test that needs one with these flags, and kept for the next."""

import weakref

import pytest

from . import settings
from .checks import Failure
from .server import Server

LISTEN = ("--listen", "127.0.0.1:0")
KEPT_MAX = len(settings.MODES) + 1  # servers at once: a test may use one of each mode


class SharedServers:
    """Running servers by (mode, flags). Whatever drops one checks its exit status and its stderr."""

    _all = weakref.WeakSet()

    def __init__(self, kept=KEPT_MAX):
        """`kept`: so many at most; None: all."""
        self._all.add(self)
        self._running = {}
        self._kept = kept

    def get(self, mode, flags):
        """The server, started if necessary. If too many servers run, the least recently used one is stopped first."""
        key = (mode, flags)
        server = self._running.pop(key, None)
        if server is None:
            while self._kept is not None and len(self._running) >= self._kept:
                self.drop(next(iter(self._running)))
            server = Server(mode, LISTEN + flags)
        self._running[key] = server  # behind the others
        return server

    @classmethod
    def processes(cls):
        """Of all the servers that this process shares now."""
        return {server.child.pid for shared in cls._all for server in shared._running.values()}

    def check_alive(self, key):
        try:
            self._running[key].check_alive()
        except Failure:
            self._running.pop(key).close()
            raise

    def drop(self, key):
        server = self._running.pop(key, None)
        if server is None:
            return
        try:
            server.stop(seconds=60)
        except Failure as failure:
            raise Failure(f"{server}, which tests shared: {failure}") from None
        finally:
            server.close()

    def drop_all(self):
        """Drops all of them, and fails if one did not end well."""
        texts = []
        for key in list(self._running):
            try:
                self.drop(key)
            except (Failure, pytest.fail.Exception) as failure:  # the second is a timeout's
                texts.append(str(failure))
        if texts:
            raise Failure("\n".join(texts))
