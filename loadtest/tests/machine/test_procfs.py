# SPDX-License-Identifier: MIT
"""What is read from /proc, of samples and of a living process."""

import os
import subprocess
import sys
import unittest

import pytest
from lab.machine import procfs

STAT = "42 (a) b) S 1 42 42 0 -1 4194304 100 200 0 0 150 50 20 10 20 0 3 0 1000 0 0"
STATUS = "Name:\tx\nCpus_allowed_list:\t0\nvoluntary_ctxt_switches:\t70\nnonvoluntary_ctxt_switches:\t8\n"
ROLLUP = "55 - 7f ---p 0 00:00 0 [rollup]\nRss:  12 kB\nPss:  10 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 2 kB\nSwap: 0 kB\n"


class ParseTest(unittest.TestCase):
    def test_stat_of_a_name_with_a_parenthesis(self):
        tick = os.sysconf("SC_CLK_TCK")
        self.assertEqual(procfs.parse_stat(STAT), (150 / tick, 50 / tick, 20 / tick, 10 / tick))

    def test_switches(self):
        self.assertEqual(procfs.parse_switches(STATUS), (70, 8))
        self.assertEqual(procfs.parse_switches(""), (0, 0))

    def test_busy(self):
        text = "cpu  9 9 9 9 9 9 9 9 0 0\ncpu0 10 1 20 900 50 2 3 4 0 0\ncpu1 100 0 0 0 0 0 0 0 0 0\nintr 5 5\n"
        tick = os.sysconf("SC_CLK_TCK")
        self.assertEqual(procfs.parse_busy(text, {0}), 40 / tick)
        self.assertEqual(procfs.parse_busy(text, {0, 1}), 140 / tick)

    def test_kernel_memory(self):
        text = "MemTotal: 9 kB\nSlab:  4 kB\nKernelStack:  3 kB\nPageTables:\t2 kB\n"
        self.assertEqual(procfs.parse_kernel_memory(text), {"slab": 4096, "stacks": 3072, "tables": 2048})

    def test_time_that_was_taken_away(self):
        self.assertEqual(procfs.parse_steal("cpu0 1 1 1 1 1 1 1 200 0\ncpu1 0 0 0 0 0 0 0 9 0\n", {0}),
                         200 / os.sysconf("SC_CLK_TCK"))
        self.assertEqual(procfs.parse_throttled("nr_periods 3\nthrottled_usec 1500000\n"), 1.5)
        self.assertEqual(procfs.parse_throttled("nr_throttled 1\nthrottled_time 2000000000\n"), 2)
        self.assertEqual(procfs.parse_throttled(""), 0)

    def test_rollup(self):
        self.assertEqual(procfs.parse_rollup(ROLLUP),
                         {"Rss": 12288, "Pss": 10240, "Private_Clean": 1024, "Private_Dirty": 2048})


@pytest.mark.alone
class LivingTest(unittest.TestCase):
    BUSY = ("import os, threading\n"
            "thread = threading.Thread(target=lambda: sum(range(3_000_000)))\n"
            "thread.start(); thread.join()\n"
            "while len(os.listdir('/proc/self/task')) > 1: os.sched_yield()\n"
            "child = os.fork()\n"
            "if child == 0: os.read(0, 1); os._exit(0)\n"
            "os.write(1, b'x'); os.read(0, 1); os.waitpid(child, 0)\n")

    def test_a_thread_that_ended_and_a_child(self):
        with subprocess.Popen([sys.executable, "-c", self.BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as busy:
            self.assertEqual(busy.stdout.read(1), b"x")
            usage = procfs.usage(busy.pid)
            self.assertEqual(len(procfs.process_tree(busy.pid)), 2)
            self.assertEqual(len(usage.tasks), 2)
            self.assertGreater(procfs.memory(busy.pid)["pss"], 1 << 20)
            busy.stdin.close()
            os.waitid(os.P_PID, busy.pid, os.WEXITED | os.WNOWAIT)
            self.assertGreaterEqual(procfs.written(busy.pid), 1)
            _, _, rusage = os.wait4(busy.pid, 0)
            busy.returncode = 0
        # The thread's time is there although the thread is not; what the process did after the reading is little.
        self.assertAlmostEqual(usage.cpu, rusage.ru_utime + rusage.ru_stime, delta=0.05)
        self.assertGreater(usage.cpu, 0.01)

    def test_a_process_that_is_gone(self):
        with subprocess.Popen(["true"]) as gone:
            gone.wait()
        usage = procfs.usage(gone.pid)
        self.assertEqual((usage.cpu, usage.voluntary, usage.tasks), (0, 0, frozenset()))
        self.assertEqual(procfs.memory(gone.pid)["pss"], 0)
        self.assertIsNone(procfs.written(gone.pid))
