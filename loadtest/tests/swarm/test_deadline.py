# SPDX-License-Identifier: MIT
"""swarm's deadline, offered rate and series against a server whose delays are known.

As in test_figures.py: what is at least so is asserted as it is, what is at most so has three attempts.
"""

import subprocess

from known_server import PATIENCE, Server, command, load
from test_figures import SwarmTest


class DeadlineTest(SwarmTest):
    def test_a_known_number_of_late_answers(self):
        """Each fifth of 100 answers comes after 700 ms; all others at once."""
        def late():
            with Server() as server:
                figures, _ = load(server, "--rate", 100, "--duration", "1s", "--connections", 100, "--deadline", "400ms",
                                  "--buckets", "/every/5/700")
            self.assertEqual(self.whole(figures)["requests"], 100)
            self.assertEqual(figures["answers"] + figures["late"], 100)
            self.assertGreaterEqual(figures["late"], 20)
            self.assertGreater(figures["late_us"]["min"], 400_000)
            self.assertGreaterEqual(figures["late_us"]["max"], 700_000)
            self.assertEqual(figures["late_us"]["max"], figures["latency_us"]["max"])
            self.assertEqual(sum(count for _, count in figures["late_us"]["buckets"]), figures["late"])
            self.assertEqual(figures["deadline_s"], 0.4)
            return figures["late"]
        self.in_time(late, 20)

    def test_it_counts_from_when_a_request_was_due_and_not_from_sending(self):
        """One connection, 20 ms for each answer, 100 requests/s: number n is answered 20 + 10 n ms after it was due at least,
        though never long after it was sent. A timeout of the same length finds nothing wrong."""
        with Server() as server:
            figures, _ = load(server, "--rate", 100, "--duration", "1s", "--deadline", "300ms", "--timeout", "5s", "/after/20")
        self.assertEqual(self.whole(figures)["requests"], 100)
        self.assertGreaterEqual(figures["late"], 71)
        self.assertEqual(figures["errors"]["timeout"], 0)
        self.assertLessEqual(figures["goodput"], 29)

    def test_a_server_that_stalls(self):
        """500 requests/s and 400 ms without an answer: those due in its first 200 ms are later than 200 ms."""
        def late():
            with Server() as server:
                figures, _ = load(server, "--rate", 500, "--connections", 8, "--duration", "1500ms", "--deadline", "200ms",
                                  "/stall/100/400")
            self.assertEqual(self.whole(figures)["answers"] + figures["late"], 750)
            self.assertGreaterEqual(figures["late"], 97)
            return figures["late"]
        self.in_time(late, 160)

    def test_late_answers_of_the_warm_up_are_in_no_figure(self):
        def late():
            with Server() as server:
                figures, _ = load(server, "--rate", 100, "--warmup", "600ms", "--duration", "500ms", "--deadline", "100ms",
                                  "/stall/10/300")
            self.assertEqual(self.whole(figures)["requests"], 50)
            return figures["late"]
        self.in_time(late, 0)

    def test_a_server_that_does_not_answer_gives_no_late_ones(self):
        with Server() as server:
            figures, _ = load(server, "--rate", 50, "--connections", 50, "--duration", "500ms", "--deadline", "100ms",
                              "--timeout", "300ms", "/never")
        self.assertEqual((self.whole(figures)["answers"], figures["late"], figures["errors"]["timeout"]), (0, 0, 25))
        self.assertIsNone(figures["late_us"]["p50"])

    def test_without_one_nothing_is_late(self):
        with Server() as server:
            figures, _ = load(server, "--connections", 4, "--each", 2, "/after/50")
        self.assertEqual((self.whole(figures)["answers"], figures["late"], figures["deadline_s"]), (8, 0, None))


class OfferedTest(SwarmTest):
    """Whether the rate that was asked for was offered."""

    def offered(self, *arguments):
        """(figures, what swarm said on stderr)."""
        with Server() as server:
            figures, _ = load(server, *arguments)
            said = subprocess.run(command("--target", f"127.0.0.1:{server.port}", *arguments), stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=PATIENCE, check=True).stderr
        return figures, said

    def test_too_few_connections_offer_less(self):
        """4 connections that are busy for 100 ms with each request begin 40 a second and 4 more, at most."""
        figures, said = self.offered("--rate", 200, "--connections", 4, "--duration", "1s", "/after/100")
        self.assertEqual((self.whole(figures)["requests"], figures["asked_rate"]), (200, 200))
        self.assertLessEqual(figures["offered_rate"], 44)
        self.assertRegex(said, r"\Aswarm: class main: \d+ of 200 requests/s were offered: its connections are too few, .*\n\Z")

    def test_enough_of_them_offer_all(self):
        def missing():
            figures, said = self.offered("--rate", 200, "--connections", 100, "--duration", "1s", "/after/100")
            self.whole(figures)
            return 200 - figures["offered_rate"] + (10 if said or figures["waited"]["count"] else 0)
        self.in_time(missing, 4)


class SeriesTest(SwarmTest):
    def test_a_stall_shows_in_its_intervals(self):
        """500 requests/s; from the 250th on nothing is answered for 600 ms."""
        def answered():
            """Of the four intervals that lie within the stall, how many have an answer."""
            with Server() as server:
                figures, result = load(server, "--rate", 500, "--connections", 700, "--duration", "2s", "--interval", "100ms",
                                       "--deadline", "200ms", "/stall/250/600")
            self.whole(figures)
            rows = figures["series"]
            self.assertEqual([row["end_s"] for row in rows], [round(0.1 * (number + 1), 3) for number in range(20)])
            for name in ("goodput", "offered"):
                rate = figures["offered_rate" if name == "offered" else name]
                self.assertAlmostEqual(sum(row[name] for row in rows) / 20, rate, delta=0.1)
            silent = [row for row in rows if row["goodput"] + row["late"] == 0]
            self.assertTrue(all(row["p99_us"] is None for row in silent))
            self.assertGreater(sum(row["late"] for row in rows), 0)
            self.assertGreaterEqual(max(row["p99_us"] or 0 for row in rows), 590_000)
            self.assertEqual(result["window_s"], 2)
            return 4 - len(silent)
        self.in_time(answered, 0)

    def test_refused_and_failed_stand_apart(self):
        for path, name in (("/status/503", "refused"), ("/status/404", "failed"), ("/", "goodput")):
            with self.subTest(path), Server() as server:
                figures, _ = load(server, "--rate", 100, "--connections", 50, "--duration", "500ms", "--interval", "250ms",
                                  path)
            for other in ("goodput", "late", "refused", "failed"):
                total = sum(row[other] for row in figures["series"])
                self.assertEqual(total > 0, other == name, other)

    def test_without_an_interval_there_is_none(self):
        with Server() as server:
            figures, _ = load(server, "--requests", 3, "/")
        self.assertNotIn("series", figures)
