# SPDX-License-Identifier: MIT
"""The server's trace as the lab reads it."""

import json
import tempfile
import unittest
from pathlib import Path

from lab.text.errors import LabError
from lab.timeline import observed, trace
import timeline_fixture
from timeline_fixture import at


class TraceTest(unittest.TestCase):
    def test_threads_by_kind(self):
        names = ("acceptor", "loop 0", "worker 12", "thread of connection 7", "process of connection 8")
        read = trace.parse(timeline_fixture.value(*(timeline_fixture.thread(number, name) for number, name in enumerate(names, 1))))
        self.assertEqual([(one.kind, one.number) for one in read.threads.values()],
                         [("acceptor", 0), ("loop", 0), ("worker", 12), ("of connection", 7), ("of connection", 8)])

    def test_a_request_has_its_states_whichever_thread_wrote_them(self):
        # The worker's events stand before the loop's in the file: only their times put them in order.
        read = trace.parse(timeline_fixture.value(
            timeline_fixture.end(3, 1), timeline_fixture.begin(3, 1, "work"), timeline_fixture.end(8, 1),
            timeline_fixture.begin(1, 1, "connection"), timeline_fixture.begin(2, 1, "GET /block/5ms"), timeline_fixture.begin(2.5, 1, "queue"),
            timeline_fixture.end(9, 1), timeline_fixture.end(10, 1)))
        [one] = read.requests[1]
        self.assertEqual((one.text, one.start, one.end), ("GET /block/5ms", at(2), at(9)))
        self.assertEqual(one.states, [(at(2.5), at(3), "queue"), (at(3), at(8), "work")])

    def test_an_end_without_its_begin_is_passed_over(self):
        read = trace.parse(timeline_fixture.value(timeline_fixture.end(1, 4), timeline_fixture.request(4, "GET /plaintext", 2, 3), lost=17))
        self.assertEqual([one.text for one in read.requests[4]], ["GET /plaintext"])
        self.assertEqual(read.lost, 17)

    def test_what_is_no_request(self):
        """A connection that lingers, and one whose request was cut after 24 bytes."""
        read = trace.parse(timeline_fixture.value(
            timeline_fixture.begin(1, 4, "connection"), timeline_fixture.begin(2, 4, "lingering"), timeline_fixture.end(3, 4),
            timeline_fixture.connection(5, timeline_fixture.request(5, "GET /anything/very/long/…", 1, 2))))
        self.assertEqual({number: [one.text for one in requests] for number, requests in read.requests.items()},
                         {5: ["GET /anything/very/long/…"]})

    def test_fibers(self):
        read = trace.parse(timeline_fixture.value(timeline_fixture.begin(1, 4, "connection"), timeline_fixture.begin(2, 4, "fiber"), timeline_fixture.end(8, 4),
                                           timeline_fixture.end(9, 4)))
        self.assertEqual(read.fibers, {4: (at(2), at(8))})

    def test_no_trace(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "trace.json")
            for text in ("", "{", "[]", json.dumps({"traceEvents": [{"ph": "X"}], "otherData": {}})):
                path.write_text(text, encoding="utf-8")
                with self.subTest(text=text), self.assertRaisesRegex(LabError, "is no trace of echod"):
                    trace.load(path)
            with self.assertRaisesRegex(LabError, "has written no trace"):
                trace.load(Path(folder, "nothing"))

    def test_requests_that_the_trace_does_not_have(self):
        read = trace.parse(timeline_fixture.value(timeline_fixture.request(1, "GET /plaintext", 1, 2), lost=3))
        for connection, place, client in ((2, 0, timeline_fixture.CHEAP), (1, 1, timeline_fixture.CHEAP), (1, 0, timeline_fixture.BLOCK)):
            with self.subTest(connection=connection, place=place), self.assertRaisesRegex(LabError, "not in the trace, which has lost 3 records"):
                observed.match([timeline_fixture.asked(client, connection, 0, 3, place)], read)
