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


class CpuSharedBetweenTest(unittest.TestCase):
    """Files as sched(7) and cgroups(7) describe them."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def shared_between(self, enabled, groups, *weights):
        files = {"proc/sys/kernel/sched_autogroup_enabled": enabled, "proc/self/cgroup": groups,
                 **{f"sys/fs/cgroup/{group}cpu.weight": "100" for group in weights}}
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n", encoding="utf-8")
        return system.cpu_shared_between(self.root)

    def test_sessions_of_a_machine_without_cpu_groups(self):
        self.assertEqual(self.shared_between("1", "0::/user.slice/session-1.scope"), "sessions")
        self.assertEqual(self.shared_between("1", "1:cpu:/\n4:memory:/of/one\n0::/"), "sessions")

    def test_threads_where_the_feature_is_off(self):
        self.assertEqual(self.shared_between("0", "0::/"), "threads")

    def test_threads_of_a_kernel_without_it(self):
        self.assertEqual(system.cpu_shared_between(self.root), "threads")

    def test_threads_in_a_cpu_group(self):
        self.assertEqual(self.shared_between("1", "0::/system.slice/a.service", "system.slice/"), "threads")

    def test_threads_in_a_container(self):
        self.assertEqual(self.shared_between("1", "0::/", ""), "threads")

    def test_threads_in_a_cpu_group_of_version_1(self):
        self.assertEqual(self.shared_between("1", "2:cpu,cpuacct:/docker/12\n0::/"), "threads")
