# SPDX-License-Identifier: MIT
"""What is known of a CPU's speed: a slow one is waited for, not for ever, and said."""

import os
import unittest

from lab.machine import speed


class WatchTest(unittest.TestCase):
    def watch(self, probes, patience=1.0):
        self.slept = []
        left = iter(probes)
        return speed.Watch(patience, lambda cpu: next(left), self.slept.append)

    def test_slower_than_at_its_best_by_more_than_15_per_cent(self):
        watch = self.watch([100, 114, 116, 90, 104])
        self.assertEqual([watch.look(0) for _ in range(5)], [(100, False), (114, False), (116, True), (90, False), (104, True)])

    def test_each_cpu_has_its_own_best(self):
        watch = self.watch([100, 200, 200])
        self.assertEqual([watch.look(cpu)[1] for cpu in (0, 1, 0)], [False, False, True])

    def test_a_slow_one_is_waited_for(self):
        watch = self.watch([100, 150, 150, 101])
        watch.look(0)
        self.assertEqual(watch.wait(0), (101, False))
        self.assertEqual(len(self.slept), 2)

    def test_but_not_for_ever(self):
        watch = self.watch([100] + [150] * 20, patience=1.1)
        watch.look(0)
        self.assertEqual([watch.wait(0), watch.wait(0)], [(150, True), (150, True)])
        self.assertAlmostEqual(sum(self.slept), 1.0)

    def test_a_probe_leaves_the_thread_where_it_was(self):
        before = os.sched_getaffinity(0)
        self.assertGreater(speed.probe(min(before)), 0)
        self.assertEqual(os.sched_getaffinity(0), before)
