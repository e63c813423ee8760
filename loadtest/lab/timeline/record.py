# SPDX-License-Identifier: MIT
"""Runs the script against one mode, with the server's trace and, where it can be had, the kernel's schedule."""

import os
import tempfile
import threading
from contextlib import contextmanager, nullcontext
from pathlib import Path

from ..machine import cpus
from ..servers.server import Server
from . import clients, observed, sched, trace

# So that the lanes are few. Modes without a row have neither loops nor workers.
_FLAGS = {"event": ("--loops", "1"), "hybrid": ("--loops", "1", "--workers", "2"), "pool": ("--workers", "4"),
          "fiber": ("--loops", "1", "--workers", "2"), "uring": ("--loops", "1")}
_BESIDE = 20_000  # µs that the schedule is kept before and after the script


def flags(mode):
    return _FLAGS.get(mode, ())


def server_cpus(allowed):
    """Two CPUs of different cores where there are such: fewer show no parallelism, more make no better picture."""
    firsts = [min(core) for core in cpus.cores(allowed)]
    return frozenset((firsts if len(firsts) > 1 else sorted(allowed))[:2])


@contextmanager
def _on(chosen):
    """This thread, which plays the clients, on those CPUs for a while."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Recorder:
    """Records one mode after the other, each with the same script, on the same CPUs. The clients get others of those allowed, if there
    are any."""

    def __init__(self, binary, with_schedule, server, allowed):
        self._binary, self._with_schedule = binary, with_schedule
        self.cpus, self.client_cpus = server, allowed - server or server
        self.script = None  # known once a mode was recorded

    @property
    def shares(self):
        """Whether the clients run on the server's CPUs."""
        return self.client_cpus == self.cpus

    def _start(self, mode, *more):
        argv = [self._binary, "--mode", mode, "--listen", "127.0.0.1:0", *flags(mode), *more]
        return Server.command(argv, mode, self.cpus)

    def _prepare(self, mode):
        """Finds out how many rounds of /compute take the time that they are to take here."""
        with self._start(mode) as server:
            server.wait_ready()
            rounds = clients.rounds_that_fit(server.address)
            server.stop()
        self.script = clients.script(rounds)

    def record(self, mode):
        """An Observed."""
        with _on(self.client_cpus):
            if self.script is None:
                self._prepare(mode)
            return self._record(mode)

    def _record(self, mode):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trace.json")
            with self._start(mode, "--trace", str(path)) as server:
                server.wait_ready()
                with sched.Recorder(folder) if self._with_schedule else nullcontext() as recorder:
                    found = clients.run(server.address, self.script)
                    schedule = recorder.schedule() if recorder else None
                server.stop()
            read = trace.load(path)
        end = found.begin + clients.LENGTH * 1000
        if schedule:
            schedule = schedule.within(found.begin - _BESIDE, end + _BESIDE, self.cpus)
        requests = observed.match(found.requests, read)
        return observed.Observed(mode, self.script, found.begin, end, requests, read, schedule, threading.get_native_id())
