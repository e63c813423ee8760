# SPDX-License-Identifier: MIT
"""What is recorded of the machine and the tree."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.machine import system
from paths import LOADTEST

GIT = """#!/bin/sh
echo "warning: unable to access '.config/git/ignore': Permission denied" >&2
case $* in
*rev-parse*) echo 0123456789ab ;;
*status*) printf %s "$CHANGED" ;;
esac
"""


class CommitTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        git = Path(folder.name) / "git"
        git.write_text(GIT, encoding="utf-8")
        git.chmod(0o755)

    def commit(self, changed):
        with mock.patch.dict(os.environ, {"PATH": f"{self.folder}:{os.environ['PATH']}", "CHANGED": changed}):
            return system.describe(LOADTEST)["commit"]

    def test_a_warning_of_git_is_no_change(self):
        self.assertEqual(self.commit(""), "0123456789ab")

    def test_a_change_is_said(self):
        self.assertEqual(self.commit(" M README.md\n"), "0123456789ab+changes")

    def test_no_tree(self):
        with mock.patch.object(system.subprocess, "run", side_effect=subprocess.TimeoutExpired("git", 10)):
            self.assertIsNone(system.describe(LOADTEST)["commit"])
