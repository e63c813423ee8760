# SPDX-License-Identifier: MIT
"""Sizes of programs, and the libraries that they load."""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.machine import program

LDD = """\tlinux-vdso.so.1 (0x00007f9d9a076000)
\tlibevent-2.1.so.7 => /lib/libevent-2.1.so.7 (0x00007f9d99ff3000)
\tlibevent_core-2.1.so.7 => /lib/x86_64-linux-gnu/libevent_core-2.1.so.7 (0x00007f9d99fd3000)
\tlibgone.so.1 => not found
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f9d99df1000)
"""


class ProgramTest(unittest.TestCase):
    def test_size(self):
        path = Path("/bin/sh").resolve()
        self.assertIn(program.stripped_bytes(path), (None, *range(1, path.stat().st_size + 4096)))
        with tempfile.NamedTemporaryFile() as file:
            self.assertIsNone(program.stripped_bytes(Path(file.name)))

    def test_library(self):
        done = subprocess.CompletedProcess([], 0, LDD)
        with mock.patch.object(program.shutil, "which", lambda name: name), mock.patch.object(program.subprocess, "run", lambda *_, **__: done):
            self.assertEqual(program.library_loaded("echod", "libevent_core"), Path("/lib/x86_64-linux-gnu/libevent_core-2.1.so.7"))
            self.assertEqual(program.library_loaded("echod", "libc"), Path("/lib/x86_64-linux-gnu/libc.so.6"))
            self.assertIsNone(program.library_loaded("echod", "libgone"))
            self.assertIsNone(program.library_loaded("echod", "libvent"))

    @unittest.skipUnless(shutil.which("ldd"), "there is no ldd")
    def test_library_of_a_program_here(self):
        found = program.library_loaded(sys.executable, "libc")
        self.assertTrue(found and found.is_file(), found)
        with tempfile.NamedTemporaryFile() as file:
            self.assertIsNone(program.library_loaded(file.name, "libc"))
