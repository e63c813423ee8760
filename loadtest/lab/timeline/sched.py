# SPDX-License-Identifier: MIT
"""The kernel's scheduler as perf records it: which thread was on which CPU, and which was ready and waited for one.

perf takes CLOCK_MONOTONIC, the clock of the server's trace, so the two fit without any shift.
"""

import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from ..machine.process import Child
from ..text.errors import LabError

_EVENTS = "sched:sched_switch,sched:sched_wakeup,sched:sched_wakeup_new"
_PATIENCE = 15  # seconds
_LINE = re.compile(r"\s*\d+ +\[(\d+)\] +(\d+\.\d+): +sched:(\w+): (.*)")
_SWITCH = re.compile(r"prev_comm=(.*) prev_pid=(\d+) prev_prio=-?\d+ prev_state=(\S+) ==> next_comm=(.*) next_pid=(\d+) next_prio=-?\d+")
_WAKEUP = re.compile(r"comm=(.*) pid=(\d+) prio=-?\d+ target_cpu=\d+")


@dataclass(frozen=True)
class Running:
    tid: int
    name: str
    cpu: int
    start: float  # µs
    end: float


@dataclass(frozen=True)
class Ready:
    """A thread that could run and waited for a CPU."""

    tid: int
    start: float
    end: float


@dataclass
class Schedule:
    running: list = field(default_factory=list)
    ready: list = field(default_factory=list)

    @property
    def cpus(self):
        return sorted({one.cpu for one in self.running})

    def within(self, start, end, cpus):
        """What of it was in that time; `cpus`: those that it is about. A thread elsewhere is not seen."""
        return Schedule([one for one in self.running if one.end > start and one.start < end and one.cpu in cpus],
                        [one for one in self.ready if one.end > start and one.start < end])


def unavailable():
    """Why the scheduler cannot be recorded here; None if it can."""
    if not shutil.which("perf"):
        return "perf is not installed (Debian: linux-perf)"
    if os.geteuid() != 0:
        return "perf needs root to see the kernel's scheduler"
    return None


def parse(lines):
    """A Schedule from the lines of `perf script -F tid,cpu,time,event,trace`."""
    found, on, since = Schedule(), {}, {}  # by CPU: (tid, name, start); by thread: when it became ready
    for line in lines:
        match = _LINE.match(line)
        if not match:
            continue
        cpu, now, event, rest = int(match[1]), float(match[2]) * 1e6, match[3], match[4]
        if event == "sched_switch" and (switch := _SWITCH.match(rest)):
            _switch(found, on, since, cpu, now, switch)
        elif event != "sched_switch" and (woken := _WAKEUP.match(rest)):
            since.setdefault(int(woken[2]), now)
    return found


def _switch(found, on, since, cpu, now, switch):
    """One thread leaves a CPU, another takes it. Thread 0 is the idle CPU's."""
    before, state, after = int(switch[2]), switch[3], int(switch[5])
    begun = on.pop(cpu, None)
    if begun and begun[0] == before and before:
        found.running.append(Running(before, begun[1], cpu, begun[2], now))
    since.pop(before, None)
    if before and state.startswith("R"):
        since[before] = now  # it was put off the CPU, and goes on waiting for one
    if after in since:
        found.ready.append(Ready(after, since.pop(after), now))
    if after:
        on[cpu] = (after, switch[4], now)


class Recorder:
    """perf, while it records. Use as a context; `schedule()` ends the recording."""

    def __init__(self, folder):
        self._data, self._control, self._ack = (Path(folder, name) for name in ("perf.data", "perf.control", "perf.ack"))
        for fifo in (self._control, self._ack):
            os.mkfifo(fifo)
        # It starts with its events off, and says that they are on: nothing is lost at the begin.
        self._child = Child(["perf", "record", "-q", "-a", "-k", "CLOCK_MONOTONIC", "-e", _EVENTS, "-o", self._data, "-D", "-1",
                             "--control", f"fifo:{self._control},{self._ack}"])
        try:
            self._enable()
        except BaseException:
            self._child.close()
            raise

    def _enable(self):
        """Turns the events on, and waits until they are. Both ends are opened for reading and writing, which does not wait."""
        control, ack = os.open(self._control, os.O_RDWR), os.open(self._ack, os.O_RDWR | os.O_NONBLOCK)
        try:
            os.write(control, b"enable\n")
            deadline = time.monotonic() + _PATIENCE
            while not self._acknowledged(ack):
                if self._child.ended(0.005):
                    raise LabError(f"perf: {self._child.error_line() or 'it ended at once'}")
                if time.monotonic() > deadline:
                    raise LabError(f"perf has not begun within {_PATIENCE} s")
        finally:
            os.close(control)
            os.close(ack)

    @staticmethod
    def _acknowledged(descriptor):
        try:
            return b"ack" in os.read(descriptor, 64)
        except BlockingIOError:
            return False

    def schedule(self):
        """Ends the recording, and reads it."""
        self._child.stop(signal.SIGINT, patience=_PATIENCE)
        done = subprocess.run(["perf", "script", "-i", self._data, "--ns", "-F", "tid,cpu,time,event,trace"], capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, errors="replace", check=False)
        if done.returncode != 0:
            raise LabError(f"perf script: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
        return parse(done.stdout.splitlines())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.close()
