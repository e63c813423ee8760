# SPDX-License-Identifier: MIT
"""A server under test: started on a free port, watched, and stopped with the check that it ended well."""

import contextlib
import os
import re
import select
import signal
import subprocess
import tempfile
import time

from . import process, procfs, settings
from .checks import Failure, check, equal, fail, shown, until
from .settings import patience
from .wire import Wire

LISTENING = re.compile(r"listening on (.+?)( \(admin\))?\n")

# What must never be on the standard error of a server: reports of sanitizers and complaints of libevent.
COMPLAINT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|LeakSanitizer|^\[(warn|err)\]|"
                       r"free\(\)|malloc\(\)|stack smashing|Assertion", re.MULTILINE)


def environment(extra=None):
    """This environment without what changes the server, with what makes sanitizers strict."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("ECHOD_", "LISTEN_", "NOTIFY_")) and name != "PORT"}
    for name, wanted in (("ASAN_OPTIONS", "quarantine_size_mb=16:detect_stack_use_after_return=0:handle_sigill=1"),
                         ("UBSAN_OPTIONS", "print_stacktrace=1"),
                         ("TSAN_OPTIONS", "second_deadlock_stack=1:halt_on_error=0")):
        env[name] = wanted + (":" + env[name] if env.get(name) else "")
    env.update(extra or {})
    return env


def parse_address(text):
    """What a Wire connects to, of the text behind `listening on`."""
    if text.startswith("unix:"):
        return text[len("unix:"):]
    match = re.match(r"(?:\[([0-9a-f:.]+)\]|([0-9.]+)):(\d+)\Z", text)
    check(match and match[3] != "0", f"not an address with a port: {text!r}")
    return (match[1] or match[2], int(match[3]))


@contextlib.contextmanager
def many(server, count, **options):
    """That many connections, open at once."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.connect(**options)) for _ in range(count)]


class Server:
    """Use stop() or wait(), which check; close() only sees that it is gone."""

    def __init__(self, mode, flags=("--listen", "127.0.0.1:0"), env=None, lines=1, program=None, wrapper=(),
                 expect_ready=True, stdout=subprocess.PIPE, **options):
        self.mode = mode
        self.flags = ("--mode", mode, *flags) if mode else tuple(flags)
        self.listening = []
        self.are_admin = []  # whether each of these is said to be an admin listener
        self._errors = tempfile.TemporaryFile()
        self._output = b""
        self._checked = False  # whether somebody has looked at how it ended
        check(program or os.access(settings.server_path, os.X_OK),
              f"there is no server {settings.server_path}; ./dev build asan makes build/asan/echod")
        self.child = process.spawn([*wrapper, program or settings.server_path, *self.flags], stdout=stdout,
                                   stderr=self._errors, env=environment(env), **options)
        self.pid = self.child.pid
        if expect_ready:
            try:
                if not self.wait_ready(lines):
                    self.child.wait()
                    fail(f"the server did not start: status {self.child.returncode}, {self.errors()!r}")
                self._find_process()
            except BaseException:
                self.close()
                raise

    # Starting

    def wait_ready(self, lines=1):
        """Whether it says that it listens; False if its stdout ends before."""
        deadline = time.monotonic() + patience(15)
        while True:
            text = self._output.decode()
            found = LISTENING.findall(text)
            self.listening = [address for address, _ in found]
            self.are_admin = [bool(admin) for _, admin in found]
            if len(self.listening) >= lines and text.endswith("\n"):
                return True
            left = deadline - time.monotonic()
            check(left > 0, f"no {lines} lines of 'listening on' in time: {text!r} {self.errors()!r}")
            if select.select([self.child.stdout], [], [], left)[0]:
                more = os.read(self.child.stdout.fileno(), 65536)
                if not more:
                    return False
                self._output += more

    def _find_process(self):
        """The server's own process, where a launcher runs it."""
        if settings.launched:
            self.pid = procfs.children(self.child.pid)[0]

    @property
    def addresses(self):
        return [parse_address(text) for text in self.listening]

    @property
    def address(self):
        return self.addresses[0]

    @property
    def url(self):
        host, port = self.address
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    # Talking

    def connect(self, **options):
        return Wire(self.address, **options)

    def ask(self, request, **options):
        """One request on a connection of its own."""
        with self.connect(**options) as wire:
            return wire.ask(request)

    # Looking

    def errors(self):
        """What it has written to stderr so far."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def is_alive(self):
        return self.child.poll() is None

    def check_alive(self):
        if not self.is_alive():
            fail(f"the server died: status {self.child.returncode}, stderr:\n{self.errors()[-3000:]}")
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ends just now
            if procfs.status(self.pid, "State").startswith("T"):
                self.signal(signal.SIGCONT)
                fail("the test has left the server stopped by a signal")

    def cpu_share(self, seconds=1.0):
        """Processor time it takes per second, while the case does nothing."""
        begin, used = time.monotonic(), procfs.cpu_seconds(self.pid)
        select.select((), (), (), seconds)
        return (procfs.cpu_seconds(self.pid) - used) / (time.monotonic() - begin)

    # Ending

    def signal(self, number):
        os.kill(self.pid, number)
        if number == signal.SIGSTOP:
            until(lambda: procfs.status(self.pid, "State").startswith("T"), "the server is stopped", patience(10))

    def wait(self, status=0, seconds=15):
        """Waits for its end and checks status, stdout and stderr; `status` may be a tuple. Returns stderr."""
        try:
            self.child.wait(patience(seconds))
        except subprocess.TimeoutExpired:
            text = self.errors()
            self.close()
            raise Failure(f"the server did not end within {patience(seconds):g} s; stderr:\n{text[-2000:]}") from None
        self._checked = True
        text = self.errors()
        if COMPLAINT.search(text):
            fail(f"the server complains:\n{text[:6000]}")
        wanted = status if isinstance(status, tuple) else (status,)
        check(self.child.returncode in wanted,
              f"expected exit status {wanted}, got {self.child.returncode}; stderr:\n{text[-2000:]}")
        self._check_output()
        return text

    def _check_output(self):
        if self.child.stdout is None or self.child.stdout.closed:
            return
        self._output += self.child.stdout.read()
        rest = LISTENING.sub("", self._output.decode())
        if "--access-log" not in self.flags:
            equal(rest, "", "what else was on stdout")
            equal(len(LISTENING.findall(self._output.decode())), len(self.listening), "lines of 'listening on'")

    def stop(self, status=0, seconds=15):
        """SIGTERM, and the server ends well."""
        self.check_alive()
        self.signal(signal.SIGTERM)
        return self.wait(status, seconds)

    def finish(self):
        """Stops it unless the test has; it must have ended well in any case."""
        if self.is_alive():
            self.stop()
        elif not self._checked:
            self.wait()

    def close(self):
        process.end(self.child)
        self._errors.close()

    def __str__(self):
        return f"server {shown(' '.join(self.flags))}"
