# SPDX-License-Identifier: MIT
"""Child processes: started pinned, waited for without polling, signalled by a handle that cannot hit another process."""

import ctypes
import mmap
import os
import resource
import select
import signal
import struct
import subprocess
import tempfile
import time

from ..text.errors import LabError
from ..text.streams import printable
from . import procfs
from .interrupts import shield

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_PATIENCE = 5  # seconds that what was killed may take to go
_SHOWN = 60  # characters of unexpected output
_CLOCK = struct.Struct("d")
_libc = ctypes.CDLL(None, use_errno=True)
_living = []


class Child:
    """One child in a session of its own, so that a terminal's Ctrl-C reaches the lab alone. Output: a pipe, or nothing where
    it is not read; stderr: a file."""

    def __init__(self, argv, cpus=None, env=None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE):
        self.argv = [str(word) for word in argv]
        self.status = None
        self.rusage = None
        self._errors = tempfile.TemporaryFile()
        clock = mmap.mmap(-1, _CLOCK.size)

        def prepare():
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if cpus:
                os.sched_setaffinity(0, cpus)
            _CLOCK.pack_into(clock, 0, time.monotonic())

        with shield():
            _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # what a child leaves behind comes to this process: see _end_strays
            try:
                self._popen = subprocess.Popen(self.argv, stdin=stdin, stdout=stdout,
                                               stderr=self._errors, env=env, start_new_session=True,
                                               preexec_fn=prepare)
            except OSError as error:
                self._errors.close()
                raise LabError(f"cannot start {self.argv[0]}: {error.strerror}") from None
            self.began = _CLOCK.unpack_from(clock)[0]  # when it was about to run its program, by the monotonic clock
            self.pid = self._popen.pid
            self.stdin = self._popen.stdin  # None unless asked for
            self.stdout = self._popen.stdout
            self._handle = os.pidfd_open(self.pid)
            _living.append(self)

    def send(self, number):
        if self.status is None:
            try:
                signal.pidfd_send_signal(self._handle, number)
            except ProcessLookupError:
                pass

    def _signal_group(self):
        """Ends what the child has started and left behind. Its group is its own, and its id taken until it is reaped."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def ended(self, timeout=0):
        """Whether the child has ended within `timeout` seconds. It is not reaped yet: /proc still knows it."""
        if self.status is not None:
            return True
        poller = select.poll()
        poller.register(self._handle, select.POLLIN)
        return bool(poller.poll(max(0, timeout) * 1000))

    def read_output(self):
        """What is left on its stdout, once it has ended."""
        return self.stdout.read().decode(errors="replace")

    def errors(self):
        """What it wrote on stderr so far."""
        size = os.fstat(self._errors.fileno()).st_size
        return os.pread(self._errors.fileno(), size, 0).decode(errors="replace")

    def error_line(self):
        """The last line of that without control characters, for use in a message."""
        lines = self.errors().strip().splitlines()
        return printable(lines[-1]).strip() if lines else ""

    def end_in_words(self):
        """What became of one that was reaped, with the last line it wrote on stderr."""
        return described(self.status, self.error_line())

    def reap(self):
        """The exit status (negative: a signal) of a child that has ended, with the resources it used in self.rusage."""
        if self.status is None:
            self._signal_group()
            _, status, self.rusage = os.wait4(self.pid, 0)
            self.status = self._popen.returncode = os.waitstatus_to_exitcode(status)
            os.close(self._handle)
            _living.remove(self)
            if not _living:
                _end_strays()
        return self.status

    def stop(self, number=signal.SIGTERM, patience=5):
        """Asks the child to end, forces it after `patience` seconds; gives its exit status."""
        with shield():
            self.send(number)
            if not self.ended(patience):
                self._signal_group()
                self.ended(patience)
            return self.reap()

    def close(self):
        """Leaves nothing behind, whatever state the child is in."""
        with shield():
            if self.status is None:
                self.stop()
            if self.stdin:
                self.stdin.close()
            if self.stdout:
                self.stdout.close()
            self._errors.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _strays():
    """What children have left behind, now children of this process. Each child began a session of its own, so none of theirs is
    in this process's."""
    known, own = [child.pid for child in _living], os.getsid(0)
    return [pid for pid in procfs.children(os.getpid()) if pid not in known and os.getsid(pid) != own]


def _end_strays():
    """Ends them, and what they leave behind in turn: a server that went into the background must not disturb what is measured
    next. Until they are reaped here, their ids are taken."""
    deadline = time.monotonic() + _PATIENCE
    while (pids := _strays()) and time.monotonic() < deadline:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            while not os.waitpid(pid, os.WNOHANG)[0] and time.monotonic() < deadline:
                time.sleep(0.001)


def stop_all():
    """The last resort at the lab's end: also children that an interruption kept from being handed to anybody."""
    with shield():
        for child in list(_living):
            child.send(signal.SIGTERM)
        for child in list(_living):
            child.close()


def signal_thread(process, thread, number=signal.SIGSEGV):
    """Sends a signal to one thread of a process that a child of this one is, or has started. What it ends of leaves no core file."""
    try:
        resource.prlimit(process, resource.RLIMIT_CORE, (0, 0))
        if _libc.tgkill(process, thread, number) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    except OSError as error:
        raise LabError(f"cannot signal thread {thread} of process {process}: {error.strerror}") from None


def describe_status(status):
    """An exit status in words."""
    if status < 0:
        return f"was ended by {signal_name(-status)}"
    return f"exited with status {status}"


def signal_name(number):
    """SIGTERM; of a real-time signal, which Python has no name for, its number."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def described(status, line):
    """A status, and the line that a program said at its end, if it said one."""
    return f"{describe_status(status)}{f': {line}' if line else '' if status < 0 else ' and said nothing on stderr'}"


def quoted(output):
    """The last line of what a program printed, cut, for a message that says it was not what was expected."""
    lines = output.strip().splitlines()
    if not lines:
        return "nothing"
    last = lines[-1].strip()
    return repr(last if len(last) <= _SHOWN else last[:_SHOWN] + "…")
