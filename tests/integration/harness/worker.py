# SPDX-License-Identifier: MIT
"""A process that runs one case after the other, and keeps servers for those that share one."""

import contextlib
import faulthandler
import os
import shutil
import signal
import tempfile
import time
import traceback

from . import cases, process, settings
from .checks import Failure, Skip
from .server import Server

SHARED_FLAGS = ("--listen", "127.0.0.1:0")
SHARED_MOST = 6  # servers kept at once


class Worker:
    """Runs in the child; `pipe` leads to the runner."""

    def __init__(self, pipe, selected):
        self.pipe = pipe
        self.selected = selected
        self.shared = {}
        self.folder = tempfile.mkdtemp(dir=settings.folder)
        self.stacks = open(os.path.join(settings.folder, f"stacks-{os.getpid()}"), "w")

    def serve(self):
        """Takes indices of cases from the pipe until None comes."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        process.die_with_parent()
        process.report = lambda pid, alive: self.pipe.send(("process", pid, alive))
        while (index := self.pipe.recv()) is not None:
            case = self.selected[index]
            faulthandler.dump_traceback_later(settings.patience(case.mark.timeout) - 2, file=self.stacks)
            begin = time.monotonic()
            outcome, text = self.run(case)
            faulthandler.cancel_dump_traceback_later()
            self.pipe.send(("done", index, outcome, text, time.monotonic() - begin))
        for key in list(self.shared):
            outcome, text = _guarded(lambda key=key: self.drop(key))
            name = f"shared server: ends well: {' '.join(key[1])} [{key[0]}]"
            self.pipe.send(("extra", name, outcome, text))
        self.pipe.send(("bye",))

    def run(self, case):
        with contextlib.ExitStack() as stack:
            fixtures = Fixtures(self, case, stack)
            outcome, text = _guarded(lambda: fixtures.call())
            if outcome == "ok":
                outcome, text = _guarded(fixtures.check_servers)
            if outcome == "FAIL":
                text += fixtures.last_words()
                for key in fixtures.used:
                    worse, more = _guarded(lambda key=key: self.drop(key))
                    text += f"\n(then its shared server: {more})" if worse != "ok" else ""
        return outcome, text

    def server(self, mode, flags):
        """A running server with those flags, shared by the cases that ask for the same."""
        key = (mode, flags)
        if key not in self.shared:
            while len(self.shared) >= SHARED_MOST:
                self.drop(next(iter(self.shared)))
            self.shared[key] = Server(mode, SHARED_FLAGS + flags)
        return self.shared[key]

    def drop(self, key):
        server = self.shared.pop(key, None)
        if server:
            try:
                server.stop()
            finally:
                server.close()


class Fixtures:
    """What one run of a case asked for."""

    def __init__(self, worker, case, stack):
        self.worker = worker
        self.case = case
        self.stack = stack
        self.used = []  # keys of shared servers
        self.own = []

    def call(self):
        given = {}
        rest = list(self.case.row)
        for name in cases.parameters(self.case.mark):
            given[name] = getattr(self, "make_" + name)() if name in cases.FIXTURES else rest.pop(0)
        assert not rest, f"a row with {len(rest)} items too many"
        self.case.mark.function(**given)

    def check_servers(self):
        """Servers the case left running end well; shared ones still run."""
        for server in self.own:
            if server.is_alive():
                server.stop()
        for key in self.used:
            self.worker.shared[key].check_alive()

    def last_words(self):
        text = ""
        for server in self.own:
            with contextlib.suppress(ValueError):
                if errors := server.errors():
                    text += f"\n(stderr of {server}:\n{errors[-3000:].rstrip()})"
        return text

    def make_mode(self):
        return self.case.mode

    def make_server(self):
        return self._shared(self.case.mode)

    def make_servers(self):
        return {mode: self._shared(mode) for mode in settings.modes}

    def _shared(self, mode):
        server = self.worker.server(mode, self.case.mark.flags)
        self.used.append((mode, self.case.mark.flags))
        return server

    def make_start(self):
        """start(*flags, ...): a server of the case's own, on a free port unless it says otherwise."""

        def start(*flags, listen=True, mode=self.case.mode, **options):
            flags = (("--listen", "127.0.0.1:0") if listen else ()) + tuple(str(flag) for flag in flags)
            server = Server(mode, flags, **options)
            self.own.append(server)
            self.stack.callback(server.close)
            return server

        return start

    def make_folder(self):
        folder = tempfile.mkdtemp(dir=self.worker.folder)
        self.stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if settings.launched:  # the server may be another user, who makes its sockets there
            os.chmod(self.worker.folder, 0o755)
            os.chmod(folder, 0o777)
        return folder


def _guarded(function):
    try:
        function()
        return "ok", ""
    except Skip as reason:
        return "skip", str(reason)
    except Failure as failure:
        return "FAIL", f"{failure}\n  at {_place(failure)}"
    except Exception:  # a case that breaks is a case that fails
        return "FAIL", traceback.format_exc()


def _place(failure):
    """Where in the test file it was."""
    frames = traceback.extract_tb(failure.__traceback__)
    own = [frame for frame in frames if os.path.basename(frame.filename).startswith("test_")]
    return ", ".join(f"{os.path.basename(frame.filename)}:{frame.lineno}" for frame in own) or "the harness"
