# SPDX-License-Identifier: MIT
"""How fast a CPU is just now. A host may slow a virtual CPU down without saying so: another machine may use the other hardware
thread of its core. Then every server costs more for a while, and a figure cannot be repeated an hour later."""

import os
import time

SLOW = 1.15  # the factor by which a probe may take longer than the fastest one of the run
_TRIES = 3
_STEPS = 1500  # about a quarter of a millisecond
_PAUSE = 0.2  # seconds between two probes of a slow CPU


def probe(cpu):
    """Microseconds that a fixed piece of work takes on this CPU: the least of some tries. The calling thread moves there and back."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        return min(_work() for _ in range(_TRIES))
    finally:
        os.sched_setaffinity(0, before)


def _work():
    """Computing and system calls, as a server does."""
    began, total = time.perf_counter_ns(), 0
    for number in range(_STEPS):
        total += number * number
        if number % 10 == 0:
            os.getppid()
    return (time.perf_counter_ns() - began) / 1000


class Watch:
    """The probes of a run: which measurements were made while a CPU was slow."""

    def __init__(self, patience, measure=probe, sleep=time.sleep):
        self._patience = patience  # seconds that the run may wait for fast CPUs, in all
        self._measure = measure
        self._sleep = sleep
        self._best = {}  # by CPU, the fastest probe

    def look(self, cpu):
        """A probe, in microseconds, and whether the CPU was slow."""
        found = self._measure(cpu)
        self._best[cpu] = min(found, self._best.get(cpu, found))
        return found, found > SLOW * self._best[cpu]

    def wait(self, cpu):
        """The same once the CPU is fast, or the run's patience is over."""
        found, is_slow = self.look(cpu)
        while is_slow and self._patience >= _PAUSE:
            self._patience -= _PAUSE
            self._sleep(_PAUSE)
            found, is_slow = self.look(cpu)
        return found, is_slow
