# SPDX-License-Identifier: MIT
"""From measurements to rows, tables and a sentence."""

import unittest

import context  # noqa: F401
from lab import summary, workload_report
from lab.reading import listing, sentence


def measurement(mode, connections, number, cpu, requests, limited=False, failure=None, pss=1 << 20, disturbed=False):
    entry = {"workload": "plaintext", "connections": connections, "mode": mode, "round": number, "failure": failure}
    if not failure:
        entry.update({
            "requests_per_s": requests, "latency_us": {"p50": 50, "p90": 90, "p99": 1200, "p99.9": 2000, "max": 3000},
            "cpu_us_per_request": cpu, "cpu_user_share": 0.1, "switches_per_request": 1.0, "voluntary_per_request": 0.9,
            "involuntary_per_request": 0.1, "server_cpus_busy": 1.0, "client_cpu_share": 0.5, "client_limited": limited,
            "threads": 3, "disturbed": disturbed, "others_cpu_share": 0.01, "memory": {"pss": pss, "rss": pss},
        })
    return entry


def rounds(mode, connections, cpu, requests, limited=(False, False, False)):
    return [measurement(mode, connections, i + 1, c, r, l) for i, (c, r, l) in enumerate(zip(cpu, requests, limited))]


class ReadingTest(unittest.TestCase):
    def read(self, *groups):
        return sentence(summary.rows([entry for group in groups for entry in group]))

    def test_listing(self):
        self.assertEqual([listing([1]), listing([1, 2]), listing([1, 2, 3])], ["1", "1 and 2", "1, 2 and 3"])

    def test_lead_and_no_difference(self):
        text = self.read(rounds("thread", 1, (10, 11, 12), (100, 101, 102)), rounds("event", 1, (11, 10, 12), (50, 51, 52)),
                         rounds("thread", 64, (10, 11, 12), (100, 101, 99)), rounds("event", 64, (5, 5.5, 6), (100, 99, 101)))
        self.assertEqual(text, "CPU per request: event lowest at 64 (0.50 × thread), no clear difference at 1; "
                               "requests/s: thread highest at 1 (1.98 × event), no clear difference at 64.")

    def test_the_client_is_the_limit(self):
        busy = (True, True, False)
        text = self.read(rounds("thread", 1, (1, 1, 1), (9, 9, 9), busy), rounds("event", 1, (1, 1, 1), (1, 1, 1), busy))
        self.assertIn("requests/s: the client is the limit at 1.", text)

    def test_three_modes(self):
        text = self.read(rounds("thread", 1, (10, 10, 10), (1, 1, 1)), rounds("event", 1, (5, 5, 5), (1, 1, 1)),
                         rounds("hybrid", 1, (5.1, 5, 5), (1, 1, 1)))
        self.assertIn("event and hybrid lowest at 1 (0.50 × thread)", text)

    def test_too_few_rounds(self):
        text = self.read(rounds("thread", 1, (10,), (1,)), rounds("event", 1, (5,), (9,)))
        self.assertEqual(text, "too few rounds to say more (3 are needed).")

    def test_failures(self):
        failed = [measurement("event", 1, 1, 0, 0, failure="5 read errors")]
        text = self.read(rounds("thread", 1, (10, 10, 10), (1, 1, 1)), failed)
        self.assertEqual(text, "nothing to compare; no figure for event at 1.")


class RowsTest(unittest.TestCase):
    def test_one_failed_round_leaves_no_figure(self):
        entries = rounds("event", 1, (1, 1), (1, 1)) + [measurement("event", 1, 3, 0, 0, failure="gone")]
        row = summary.rows(entries)[0]
        self.assertEqual((row.failure, row.figures), ("gone", {}))
        self.assertEqual(workload_report.table_rows([row]), [["1", "event", "-", "-", "-", "-", "-", "-", "-"]])
        self.assertEqual(workload_report.remarks([row]), ["event at 1 connection: no figure: gone"])

    def test_marks(self):
        for name, marks, entries in (("quiet", "", [measurement("event", 1, 1, 1, 1)]),
                                     ("both", "*!", [measurement("event", 1, 1, 1, 1, limited=True, disturbed=True)]),
                                     ("in one of three rounds", "", [measurement("event", 1, 1, 1, 1, disturbed=True),
                                                                     *[measurement("event", 1, i, 1, 1) for i in (2, 3)]])):
            with self.subTest(name):
                row = summary.rows(entries)[0]
                self.assertEqual(workload_report.table_rows([row])[0][2].split()[0], f"1{marks}")
                self.assertEqual([line[0] for line in workload_report.remarks([row])], list(marks))

    def test_cells(self):
        entries = rounds("event", 1, (4.0, 5.0, 6.0), (1000, 1100, 1200), (True, True, True)) + rounds("thread", 1, (9,), (7,))
        self.assertEqual(workload_report.table_rows(summary.rows(entries)), [
            ["1", "event", "1,100* ±9%", "50 µs ±0%", "1.20 ms ±0%", "5.00 µs ±20%", "1.00", "3", "1.00 MiB"],
            ["", "thread", "7", "50 µs", "1.20 ms", "9.00 µs", "1.00", "3", "1.00 MiB"]])

    def test_a_kernel_that_does_not_tell_memory(self):
        row = summary.rows([measurement("event", 1, 1, 1, 1, pss=None)])[0]
        self.assertEqual(workload_report.table_rows([row])[0][-1], "?")


if __name__ == "__main__":
    unittest.main()
