# SPDX-License-Identifier: MIT
"""Children: started, stopped, and nothing of them left."""

import os
import select
import signal
import subprocess
import sys
import unittest

from lab.machine.process import Child, describe_status
from lab.text.errors import LabError

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('x', flush=True); time.sleep(60)"
PARENT = ("import os, time\n"
          "child = os.fork()\n"
          "if child == 0: time.sleep(60)\n"
          "print(child, flush=True)\n")
# Leaves a process behind that has left its session, too, as a daemon does.
DAEMON = ("import os, time\n"
          "if os.fork() == 0:\n"
          "    os.setsid()\n"
          "    if os.fork(): os._exit(0)\n"
          "    print(os.getpid(), flush=True)\n"
          "    time.sleep(60)\n")


class ChildTest(unittest.TestCase):
    def test_output_status_and_resources(self):
        with Child(["sh", "-c", "echo out; echo one >&2; echo two >&2; exit 3"]) as child:
            self.assertTrue(child.ended(10))
            self.assertEqual(child.reap(), 3)
            self.assertEqual(child.read_output(), "out\n")
            self.assertEqual(child.error_line(), "two")
            self.assertGreater(child.rusage.ru_minflt, 0)

    def test_stop(self):
        with Child(["sleep", "60"]) as child:
            self.assertFalse(child.ended())
            self.assertEqual(child.stop(), -signal.SIGTERM)

    def test_a_child_that_ignores_the_signal_is_forced(self):
        with Child([sys.executable, "-c", STUBBORN]) as child:
            child.stdout.readline()
            self.assertEqual(child.stop(patience=0.1), -signal.SIGKILL)

    def test_what_the_child_left_behind_ends_with_it(self):
        with Child([sys.executable, "-c", PARENT]) as child:
            grandchild = int(child.stdout.readline())
            self.assertTrue(child.ended(10))
            handle = os.pidfd_open(grandchild)
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            self.assertEqual(poller.poll(0), [])
            child.reap()
            self.assertNotEqual(poller.poll(10_000), [])
            os.close(handle)

    def test_a_daemon_that_the_child_left_behind_ends_with_the_last_child(self):
        with Child(["sleep", "60"]) as other:
            with Child([sys.executable, "-c", DAEMON]) as child:
                handle = os.pidfd_open(int(child.stdout.readline()))
                self.assertTrue(child.ended(10))
            poller = select.poll()
            poller.register(handle, select.POLLIN)
            self.assertEqual(poller.poll(100), [])
            other.stop()
            self.assertNotEqual(poller.poll(0), [])
            os.close(handle)

    def test_what_others_have_started_goes_on(self):
        with subprocess.Popen(["sleep", "60"]) as own:
            with Child(["true"]) as child:
                self.assertTrue(child.ended(10))
            self.assertIsNone(own.poll())
            own.kill()

    def test_pinned(self):
        cpu = min(os.sched_getaffinity(0))
        with Child([sys.executable, "-c", "import os; print(os.sched_getaffinity(0))"], {cpu}) as child:
            self.assertTrue(child.ended(10))
            child.reap()
            self.assertEqual(child.read_output(), f"{{{cpu}}}\n")

    def test_no_such_program(self):
        with self.assertRaisesRegex(LabError, "cannot start /nowhere"):
            Child(["/nowhere"])

    def test_words_for_a_status(self):
        self.assertEqual(describe_status(1), "exited with status 1")
        self.assertEqual(describe_status(-6), "was ended by SIGABRT")
