# SPDX-License-Identifier: MIT
"""Polls and wake-ups, told from a trace; and the method on a server that stands in for echod's."""

import unittest

from lab.compare import engine
from lab.methods import futures
from lab.servers.subjects import Subject
from lab.text.errors import CellFailed, LabError

CONNECTIONS = 1 << 23


def of_connection(number, begin, end, name="GET /delay/1s"):
    return [{"ph": "B", "pid": CONNECTIONS, "tid": number, "ts": begin, "name": name},
            {"ph": "B", "pid": CONNECTIONS, "tid": number, "ts": begin + 1, "name": "wait"},
            {"ph": "E", "pid": CONNECTIONS, "tid": number, "ts": end - 1},
            {"ph": "E", "pid": CONNECTIONS, "tid": number, "ts": end}]


def of_thread(name, number, ts):
    return {"ph": "X", "pid": 9, "tid": 9, "ts": ts, "dur": 2, "name": name, "args": {"connection": number}}


def document(*events, overwritten=0):
    return {"traceEvents": list(events), "otherData": {"overwritten": overwritten, "dropped": 0}}


class LivesTest(unittest.TestCase):
    def test_polls_within_the_request_count(self):
        told = futures.lives(document(
            {"ph": "M", "pid": 9, "tid": 9, "ts": 0, "name": "thread_name", "args": {"name": "loop 0"}},
            *of_connection(1, 100, 900), *of_connection(2, 110, 950), *of_connection(3, 120, 200, "GET /plaintext"),
            of_thread("take over", 1, 90), of_thread("read", 1, 100), of_thread("resumed", 1, 890), of_thread("end of input", 1, 901),
            of_thread("read", 2, 110), of_thread("writable", 2, 500), of_thread("resumed", 2, 940), of_thread("work", 2, 600),
            of_thread("read", 3, 120)), "/delay/1s")
        self.assertEqual(sorted(told), [(2, 1), (3, 2)])

    def test_a_trace_with_losses_tells_nothing(self):
        with self.assertRaisesRegex(LabError, "lost 1,234 records"):
            futures.lives(document(overwritten=1234), "/delay/1s")

    def test_what_runs_elsewhere_leaves_no_trace(self):
        target = Subject("target", (), kind="target", url="http://127.0.0.1:1")
        with self.assertRaisesRegex(CellFailed, "no trace"):
            futures.measure(engine.Cell(None, target, 3, 1, 1.0, futures.WORKLOAD), None)
