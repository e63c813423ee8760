# SPDX-License-Identifier: MIT
"""Measures real builds, on a quiet machine, for about two minutes: a slower one is called slower, the same one is not.

    ./dev build && python3 -m pytest --verbose loadtest/tests/measured

Not part of ./dev test: what other programs do meanwhile can spoil it. The slower build is the same server with a library
preloaded that computes a few microseconds before it sends.
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LOADTEST = Path(__file__).resolve().parent.parent.parent
SERVER = LOADTEST.parent / "build" / "release" / "echod"
RUN = ["--only", "scaling", "--modes", "thread,event", "--connections", "64", "--rounds", "7", "--seconds", "0.4"]


def made_slower(folder):
    """A command that starts the server with the library preloaded."""
    library, wrapper = folder / "slow.so", folder / "slow-echod"
    source = Path(__file__).with_name("slow.c")
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    wrapper.write_text(f'#!/bin/sh\nLD_PRELOAD={library} exec {SERVER} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    return wrapper


@unittest.skipUnless(SERVER.exists(), "there is no release build")
class BuildsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.before = cls.measure("before", SERVER)

    @classmethod
    def measure(cls, name, server, *flags):
        """Runs the comparison; its results.json."""
        output = cls.folder / name
        argv = [sys.executable, LOADTEST / "compare.py", "--server", server, "--output", output, *RUN, *flags]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stderr)
        return output / "results.json"

    def changes(self, name, server):
        path = self.measure(name, server, "--baseline", self.before)
        return json.loads(path.read_text(encoding="utf-8"))["baseline"]["changes"]

    def test_the_same_build_is_not_called_different(self):
        self.assertEqual(self.changes("same", SERVER), [])

    def test_a_slower_build_is_called_slower(self):
        found = self.changes("slower", made_slower(self.folder))
        slower = {change["subject"] for change in found if change["figure"] == "cpu_us_per_request" and change["ratio"] > 1.2}
        self.assertEqual(slower, {"thread", "event"})
