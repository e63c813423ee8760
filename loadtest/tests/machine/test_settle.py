# SPDX-License-Identifier: MIT
"""Before anything is measured the machine comes to rest."""

import io
import unittest

from lab.machine import settle


class Machine:
    """Two CPUs that are busy for so many seconds; time goes by as it is slept."""

    def __init__(self, busy_for, others=0.01):
        self.now, self.busy_for, self.others = 0.0, busy_for, others
        self.said = io.StringIO()

    def busy(self, cpus):
        return 2 * (min(self.now, self.busy_for) + self.others * self.now) if len(cpus) == 2 else None

    def sleep(self, seconds):
        self.now += seconds

    def rests(self):
        return settle.wait(frozenset((0, 1)), self.busy, lambda: self.now, self.sleep, self.said)


class SettleTest(unittest.TestCase):
    def test_a_machine_at_rest_is_measured_at_once(self):
        machine = Machine(0)
        self.assertTrue(machine.rests())
        self.assertLess(machine.now, 1)
        self.assertEqual(machine.said.getvalue(), "")

    def test_it_waits_until_others_are_done(self):
        machine = Machine(3.2)
        self.assertTrue(machine.rests())
        self.assertGreaterEqual(machine.now, 3.7)
        self.assertEqual(machine.said.getvalue().count("waiting for other programs"), 1)
        self.assertLess(machine.now, 5)

    def test_it_does_not_wait_for_ever(self):
        machine = Machine(1e9)
        self.assertFalse(machine.rests())
        self.assertLess(machine.now, 11)
