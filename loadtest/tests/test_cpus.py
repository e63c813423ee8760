# SPDX-License-Identifier: MIT
"""Who gets which CPU."""

import unittest

import context  # noqa: F401
from lab.machine import cpus


def alone(cpu):
    return {cpu}


def pairs(cpu):
    return {cpu & ~1, cpu | 1}


class CpusTest(unittest.TestCase):
    def test_lists(self):
        self.assertEqual(cpus.parse_list("0-2,7\n"), {0, 1, 2, 7})
        self.assertEqual(cpus.show({3, 1}), "1,3")

    CASES = (
        ("one", {4}, alone, {4}, {4}),
        ("two cores", {0, 1}, alone, {0}, {1}),
        ("three cores", {0, 1, 5}, alone, {0}, {1, 5}),
        ("eight cores", set(range(8)), alone, {0, 1}, set(range(2, 8))),
        ("two hardware threads of one core", {0, 1}, pairs, {0}, {1}),
        ("two cores of two hardware threads", {0, 1, 2, 3}, pairs, {0, 1}, {2, 3}),
        ("a core of which one hardware thread is allowed", {1, 2, 3}, pairs, {1}, {2, 3}),
    )

    def test_split(self):
        for name, allowed, siblings, server, client in self.CASES:
            with self.subTest(name):
                pinning = cpus.split(allowed, siblings)
                self.assertEqual((pinning.server, pinning.client), (server, client))

    def test_sharing_is_said(self):
        self.assertIn("share CPU 4", cpus.split({4}, alone).note)
        self.assertIn("slow each other down", cpus.split({0, 1}, pairs).note)
        self.assertNotIn("slow", cpus.split({0, 1}, alone).note)


if __name__ == "__main__":
    unittest.main()
