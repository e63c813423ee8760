# SPDX-License-Identifier: MIT
"""Order and duration of the measurements."""

import unittest

from lab.load import plan


class PlanTest(unittest.TestCase):
    def test_interleaved_and_rotated(self):
        order = [(cell.round, cell.workload, cell.connections, cell.subject)
                 for cell in plan.cells(2, ["w"], [1, 64], ["a", "b"])]
        self.assertEqual(order, [(1, "w", 1, "a"), (1, "w", 1, "b"), (1, "w", 64, "a"), (1, "w", 64, "b"),
                                 (2, "w", 1, "b"), (2, "w", 1, "a"), (2, "w", 64, "b"), (2, "w", 64, "a")])
