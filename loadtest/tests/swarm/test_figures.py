# SPDX-License-Identifier: MIT
"""swarm's figures against a server whose delays and faults are known.

Delays can only get longer on a busy machine, so that what is at least so long is asserted as it is; what is at most so
long has bounds that are generous, and three attempts.
"""

import unittest

from known_server import SWARM, Server, load, swarm

ERRORS = ("connect", "read", "write", "timeout", "status", "body")
ATTEMPTS = 3


@unittest.skipUnless(SWARM.exists(), f"{SWARM} is not built")
class SwarmTest(unittest.TestCase):
    def whole(self, figures):
        """Every request that counts ended in one way."""
        self.assertEqual(figures["requests"], figures["answers"] + figures["late"] + figures["refused"] + figures["unsent"] +
                         figures["unfinished"] + sum(figures["errors"].values()))
        self.assertEqual(figures["latency_us"]["samples"], figures["answers"] + figures["late"])
        self.assertEqual(figures["late_us"]["samples"], figures["late"])
        return figures

    def in_time(self, measure, at_most):
        """A measurement that is not above the bound in one of several attempts."""
        for attempt in range(ATTEMPTS):
            if (value := measure()) <= at_most:
                return
        self.fail(f"{value} is above {at_most} in each of {ATTEMPTS} attempts")


class LatencyTest(SwarmTest):
    def test_known_delay(self):
        def median():
            with Server() as server:
                figures, _ = load(server, "--connections", 4, "--each", 5, "/after/100")
            self.assertEqual(self.whole(figures)["answers"], 20)
            latency = figures["latency_us"]
            self.assertGreaterEqual(latency["min"], 100_000)
            ordered = [latency[name] for name in ("min", "p50", "p90", "p99", "p99.9", "max")]
            self.assertEqual(ordered, sorted(ordered))
            return latency["p50"]
        self.in_time(median, 150_000)

    def test_a_stall_counts_for_every_request_that_was_due_in_it(self):
        """500 requests/s, and once 400 ms without an answer: those due in its first 300 ms wait over 100 ms."""
        def affected():
            with Server() as server:
                figures, _ = load(server, "--rate", 500, "--connections", 8, "--duration", "1500ms", "--buckets",
                                  "/stall/100/400")
            self.assertEqual(self.whole(figures)["answers"], 750)
            latency = figures["latency_us"]
            count = sum(n for end, n in latency["buckets"] if end >= 100_000)
            self.assertGreaterEqual(count, 145)
            self.assertGreaterEqual(latency["max"], 395_000)
            self.assertGreaterEqual(figures["waited"]["count"], 150)
            return count
        self.in_time(affected, 220)

    def test_without_a_rate_the_same_stall_is_one_late_answer(self):
        def affected():
            with Server() as server:
                figures, _ = load(server, "--requests", 200, "--buckets", "/stall/100/400")
            latency = self.whole(figures)["latency_us"]
            self.assertGreaterEqual(latency["max"], 400_000)
            return sum(n for end, n in latency["buckets"] if end >= 100_000)
        self.in_time(affected, 3)

    def test_requests_beyond_capacity_wait(self):
        """One connection, 20 ms for each answer, 100 requests/s: 50 a second at most, and the last waits a second."""
        with Server() as server:
            figures, _ = load(server, "--rate", 100, "--duration", "1s", "/after/20")
        self.assertEqual((self.whole(figures)["requests"], figures["answers"]), (100, 100))
        self.assertEqual(figures["asked_rate"], 100)
        self.assertLessEqual(figures["achieved_rate"], 50)
        self.assertGreaterEqual(figures["latency_us"]["max"], 1_009_000)
        self.assertGreaterEqual(figures["waited"]["count"], 97)
        self.assertGreaterEqual(figures["waited"]["max_us"], 980_000)

    def test_without_grace_they_are_unsent(self):
        with Server() as server:
            figures, result = load(server, "--rate", 100, "--duration", "1s", "--grace", 0, "/after/20")
        self.assertEqual(self.whole(figures)["requests"], 100)
        self.assertGreaterEqual(figures["unsent"], 49)
        self.assertEqual((result["window_s"], result["ended"], result["complete"]), (1, "duration", True))

    def test_warm_up_is_in_no_figure(self):
        with Server() as server:
            figures, result = load(server, "--rate", 100, "--warmup", "500ms", "--duration", "500ms", "/stall/10/300")
        self.assertEqual((self.whole(figures)["requests"], figures["answers"]), (50, 50))
        self.assertEqual(len(server.heads), 100)
        self.assertEqual(result["warmup_s"], 0.5)

    def test_buckets_hold_all_samples(self):
        with Server() as server:
            figures, _ = load(server, "--requests", 300, "--connections", 3, "--buckets", "/")
        latency = self.whole(figures)["latency_us"]
        ends = [end for end, _ in latency["buckets"]]
        self.assertEqual(sum(n for _, n in latency["buckets"]), 300)
        self.assertEqual(ends, sorted(set(ends)))
        self.assertLessEqual(latency["max"], ends[-1])

    def test_in_flight_at_once(self):
        def last():
            with Server() as server:
                figures, result = load(server, "--connections", 200, "--each", 1, "/after/300")
            self.assertEqual(self.whole(figures)["answers"], 200)
            self.assertEqual(server.most_waiting, 200)
            self.assertGreaterEqual(figures["last_answer_s"], 0.3)
            self.assertEqual(result["ended"], "requests")
            return figures["last_answer_s"]
        self.in_time(last, 0.6)


class MixtureTest(SwarmTest):
    def test_classes_have_their_own_figures(self):
        with Server() as server:
            [result] = swarm("--target", f"127.0.0.1:{server.port}", "--duration", "1s",
                             "--class", "cheap", "--rate", 200, "--connections", 4, "/",
                             "--class", "dear", "--connections", 2, "/after/150")
        cheap, dear = map(self.whole, result["classes"])
        self.assertEqual((cheap["name"], cheap["model"], cheap["path"]), ("cheap", "rate", "/"))
        self.assertEqual((dear["name"], dear["model"], dear["path"]), ("dear", "closed", "/after/150"))
        self.assertEqual((cheap["requests"], cheap["answers"]), (200, 200))
        self.assertGreaterEqual(dear["latency_us"]["min"], 150_000)
        self.assertLess(cheap["latency_us"]["min"], 150_000)
        self.assertLessEqual(dear["answers"], 14)
        self.assertGreaterEqual(dear["answers"], 4)

    def test_healthy_ones_beside_trickling_senders(self):
        with Server() as server:
            [result] = swarm("--target", f"127.0.0.1:{server.port}", "--duration", "1s",
                             "--class", "healthy", "--rate", 100, "/",
                             "--class", "slow", "--connections", 5, "--trickle-send", "10:50ms", "/slow")
        healthy, slow = map(self.whole, result["classes"])
        self.assertEqual(healthy["answers"], 100)
        # "GET /slow HTTP/1.1", a Host and an empty line: over 40 bytes, so five pieces at least.
        if slow["answers"]:
            self.assertGreaterEqual(slow["latency_us"]["min"], 200_000)
        self.assertLessEqual(slow["requests"], 25)
        self.assertGreater(slow["bytes"]["sent"], 100)
        self.assertEqual(sum(slow["errors"].values()), 0)


class TrickleTest(SwarmTest):
    def test_sender(self):
        with Server() as server:
            figures, _ = load(server, "--each", 1, "--trickle-send", "5:10ms", "--data", "0123456789", "--expect-echo",
                              "/echo")
        self.assertEqual(self.whole(figures)["answers"], 1)
        pieces = -(-figures["bytes"]["sent"] // 5)
        self.assertGreaterEqual(figures["latency_us"]["min"], (pieces - 1) * 10_000)
        self.assertGreater(server.connections[0].pieces, 1)

    def test_reader(self):
        with Server() as server:
            figures, _ = load(server, "--each", 1, "--trickle-read", "1000:10ms", "--expect-length", 20_000,
                              "/bytes/20000")
        self.assertEqual(self.whole(figures)["answers"], 1)
        self.assertGreaterEqual(figures["latency_us"]["min"], 200_000)

    def test_they_are_not_waited_for(self):
        with Server() as server:
            figures, result = load(server, "--duration", "200ms", "--trickle-send", "1:100ms", "/")
        self.assertEqual(self.whole(figures)["unfinished"], 1)
        self.assertEqual(result["window_s"], 0.2)


class ErrorTest(SwarmTest):
    def only(self, figures, kind):
        self.whole(figures)
        errors = {name: count for name, count in figures["errors"].items() if count}
        self.assertEqual(errors, {kind: 3} if kind else {})
        self.assertEqual(tuple(figures["errors"]), ERRORS)
        if kind:
            self.assertTrue(figures["first_error"].startswith(kind + ": "), figures["first_error"])

    def test_each_in_its_kind(self):
        for kind, *arguments in (("read", "/reset"), ("read", "/cut"), ("read", "/garbage"), ("read", "/more"),
                                 ("write", "--body", "64m", "/deaf"), ("timeout", "--timeout", "100ms", "/never"),
                                 ("status", "/status/404"), ("status", "--expect-status", "201,202", "/"),
                                 ("body", "--expect-body", "hellO", "/"), ("body", "--expect-body", "hell", "/"),
                                 ("body", "--expect-length", 4, "/"),
                                 ("body", "--data", "abc", "--expect-echo", "/")):
            with self.subTest(arguments=arguments), Server() as server:
                figures, _ = load(server, "--requests", 3, *arguments)
                self.only(figures, kind)
                self.assertEqual(figures["answers"], 0)
                self.assertIsNone(figures["latency_us"]["p50"])

    def test_right_ones(self):
        for arguments in (("--expect-body", "hello", "/"), ("--expect-length", 5, "/"),
                          ("--expect-status", "200,404", "/status/404"), ("--body", "300k", "--expect-echo", "/echo"),
                          ("--expect-status", "503", "/status/503"), ("/close",)):
            with self.subTest(arguments=arguments), Server() as server:
                figures, _ = load(server, "--requests", 3, *arguments)
                self.only(figures, None)
                self.assertEqual((figures["answers"], figures["first_error"]), (3, None))

    def test_refusals_stand_apart(self):
        with Server() as server:
            figures, _ = load(server, "--requests", 3, "/status/503")
        self.only(figures, None)
        self.assertEqual((figures["refused"], figures["answers"], figures["statuses"]), (3, 0, {"503": 3}))

    def test_a_server_that_is_gone(self):
        with Server() as server:
            port = server.port
        [result] = swarm("--close", "--requests", 3, f"http://127.0.0.1:{port}/", expected=1)
        self.only(result["classes"][0], "connect")
