# SPDX-License-Identifier: MIT
"""A server that a test starts with flags of its own, asks with urllib and ends itself."""

import os
import signal
import urllib.request

from support import procfs, server
from support.checks import check

PATIENCE = 20  # seconds for anything that must happen


class Echod(server.Server):
    """In a `with`, at whose end it is killed unless stop() ended it; what it has said must be no complaint."""

    def __init__(self, *flags, lines=1, program=None, wrapper=(), variables=None, expect_ready=True, **options):
        super().__init__("", flags, env=variables, lines=lines, program=program, wrapper=wrapper, expect_ready=expect_ready,
                         **options)
        if wrapper and expect_ready:
            self.pid = procfs.children(self.child.pid)[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._errors.closed:
            return
        said = self.errors()
        self.close()
        check(not server.COMPLAINT.search(said), f"the server complains:\n{said[:3000]}")

    @property
    def ports(self):
        return [address[1] for address in self.addresses]

    def get(self, path, **options):
        request = urllib.request.Request(self.url + path, **options)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def stop(self, number=signal.SIGTERM):  # pylint: disable=arguments-differ
        """The exit status."""
        os.kill(self.pid, number)
        return self.child.wait(timeout=60)
