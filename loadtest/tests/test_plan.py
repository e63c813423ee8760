# SPDX-License-Identifier: MIT
"""Order and duration of the measurements."""

import unittest

import context  # noqa: F401
from lab import plan


class PlanTest(unittest.TestCase):
    def test_interleaved_and_rotated(self):
        order = [(cell.round, cell.workload, cell.connections, cell.subject)
                 for cell in plan.cells(2, ["w"], [1, 64], ["a", "b"])]
        self.assertEqual(order, [(1, "w", 1, "a"), (1, "w", 1, "b"), (1, "w", 64, "a"), (1, "w", 64, "b"),
                                 (2, "w", 1, "b"), (2, "w", 1, "a"), (2, "w", 64, "b"), (2, "w", 64, "a")])

    def test_two_to_five_modes_fit_into_the_budget(self):
        for modes in (1, 2, 3, 4, 5):
            cells = modes * 3 * 3 * 3
            timing = plan.timing(cells)
            self.assertLessEqual(cells * (timing.warmup + timing.seconds + plan.OVERHEAD), 120, modes)
            self.assertGreaterEqual(timing.seconds, 0.4)

    def test_as_asked(self):
        self.assertEqual(plan.timing(1000, 5), plan.Timing(1.0, 5))


if __name__ == "__main__":
    unittest.main()
