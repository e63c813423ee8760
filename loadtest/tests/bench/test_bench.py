# SPDX-License-Identifier: MIT
"""The bench: what it parses, its tables, its targets, and its comparison with an earlier run."""

import json
import tempfile
import unittest
from pathlib import Path
from types import SimpleNamespace

from lab.bench import against, calls, entries, main, run, targets, text, workloads
from lab.load import callgrind
from lab.results.stats import Sample
from lab.servers import peers
from lab.text.errors import LabError, UsageError

GOOD = ("requests: 2000 total, 2000 started, 2000 done, 2000 succeeded, 0 failed, 0 errored, 0 timeout\n"
        "status codes: 2000 2xx, 0 3xx, 0 4xx, 0 5xx\n")
STRACE = """% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 52.36    0.250666         599       418           epoll_wait
 33.84    0.162000          10     14765        12 sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.412666          15     15183        12 total
"""


def timed(*cpu):
    sample = Sample(cpu)
    return entries.Timed(sample, Sample((0.5,)), Sample((6.0,)), Sample((0.02,)), Sample((100000.0,)), False)


def entry(name, kind="mode", ceiling="epoll", **values):
    return entries.Entry(name, kind, ceiling, None, **values)


def bench(cpu=(6.0, 7.0, 8.0), instructions=1912.4, idle=300.0):
    """A mode, its ceiling and two peers."""
    return [entry("event", timed={"plaintext": timed(*cpu)}, instructions={"plaintext": instructions},
                  calls={"plaintext": {"all": 2.0, "recvfrom": 1.0, "sendto": 1.0}}, idle_bytes=idle,
                  start_ms=Sample((3.0, 6.0, 7.0))),
            entry("ceiling: epoll", "ceiling", timed={"plaintext": timed(5.0, 5.0, 5.0)}, idle_bytes=1.0),
            entry("nginx", "peer", timed={"plaintext": timed(10.0)}),
            entry("node", "peer", timed={"plaintext": timed(20.0)}, failures={"pipelined": "2 read errors"})]


class ParsingTest(unittest.TestCase):
    def test_callgrind_total(self):
        self.assertEqual(callgrind.parse_total("events: Ir\nfn=(1)\n1 2\nsummary: 12345\n\ntotals: 999\n"), 12345)
        with self.assertRaises(LabError):
            callgrind.parse_total("events: Ir\n")

    def test_load(self):
        callgrind.check_load(GOOD, 2000)
        for name, output in (("too few", GOOD.replace("2000 succ", "1999 succ")),
                             ("a 503", GOOD.replace("2000 2xx", "1999 2xx")), ("nothing", "")):
            with self.subTest(name), self.assertRaises(LabError):
                callgrind.check_load(output, 2000)

    def test_calls(self):
        self.assertEqual(calls.parse(STRACE), {"epoll_wait": 418, "sendto": 14765})

    def test_names(self):
        for name, parse in (("workload", lambda: workloads.choose("plaintext,echo", False)),
                            ("figure", lambda: run.figures_asked("cpu,heat")),
                            ("peer", lambda: peers.find("nginx,apache", Path(tempfile.gettempdir())))):
            with self.subTest(name), self.assertRaises(UsageError):
                parse()

    def test_nothing_named(self):
        for flag in ("--only", "--figures", "--modes", "--peers"):
            for value in ("", " ,"):
                with self.subTest(flag), self.assertRaisesRegex(UsageError, f"{flag}: nothing is named"):
                    main.parse([flag, value])

    def test_workloads(self):
        usual = [workload.name for workload in workloads.choose(None, False)]
        self.assertEqual(usual, ["plaintext", "plaintext-1024", "pipelined", "echo-64k"])
        self.assertEqual(len(workloads.choose(None, True)), 8)
        self.assertEqual(workloads.BY_NAME["echo-64k"].ceiling, ("echo", "65536"))
        self.assertEqual(workloads.BY_NAME["churn"].ceiling, ("close",))
        self.assertEqual(workloads.PLAINTEXT.ceiling, ())
        for workload in workloads.WORKLOADS:
            self.assertTrue(workload.script.is_file(), workload.name)


class PeersTest(unittest.TestCase):
    def test_configuration(self):
        with tempfile.TemporaryDirectory() as folder:
            for peer in peers.PEERS:
                with self.subTest(peer.name):
                    text_ = peers._configure(peer, 8080, Path(folder)).read_text(encoding="utf-8")
                    for word in ("@PORT@", "@FOLDER@", "@AS_ROOT@"):
                        self.assertNotIn(word, text_)

    def test_none(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(peers.find("none", Path(folder)), ([], []))


class TimedTest(unittest.TestCase):
    def of(self, *rounds):
        return entries.Timed.of([{"cpu_us_per_request": cpu, "cpu_user_share": 0.25, "switches_per_request": 0.0,
                                  "requests_per_s": 1000, "disturbed": disturbed is True,
                                  "throttled": disturbed == "throttled"} for cpu, disturbed in rounds])

    def test_disturbed_rounds_are_left_out(self):
        timed = self.of((8.0, False), (20.0, True), (6.0, False))
        self.assertEqual((timed.cpu.values, timed.user.values, timed.disturbed), ((8.0, 6.0), (2.0, 1.5), False))

    def test_rounds_in_which_the_host_took_the_cpus_are_left_out(self):
        timed = self.of((8.0, False), (20.0, "throttled"), (6.0, False))
        self.assertEqual((timed.cpu.values, timed.disturbed), ((8.0, 6.0), False))

    def test_unless_they_are_most(self):
        timed = self.of((8.0, False), (20.0, True), (22.0, True))
        self.assertEqual((timed.cpu.values, timed.disturbed), ((8.0, 20.0, 22.0), True))


class FailureTest(unittest.TestCase):
    def test_what_was_measured_before_and_after_it_stays(self):
        event, ceiling, nginx, node = bench()
        whole = run.Bench.__new__(run.Bench)
        whole.entries = [event, ceiling, nginx, node]
        self.assertFalse(whole.faults())  # a peer is none of ours

        def fail(_entry, _workload):
            raise LabError("it died")

        def succeed(entry, workload):
            entry.instructions[workload] = 2000.0
        steps = [(event, "start", fail, None), (event, "instructions", succeed, "browser")]
        whole._measure_fixed(steps, SimpleNamespace(show=lambda _: None, step=lambda: None))
        self.assertEqual((event.failures, event.instructions["browser"]), ({"start": "it died"}, 2000.0))
        self.assertTrue(whole.faults())

    def test_a_round_that_failed_once_is_no_fault(self):
        whole = run.Bench.__new__(run.Bench)
        whole.entries = bench()
        whole.entries[0].failures["plaintext"] = "2 read errors"
        self.assertFalse(whole.faults())


class TableTest(unittest.TestCase):
    def test_timed(self):
        rows = text.timed_rows(bench(), "plaintext")
        self.assertEqual(rows[0], ["event", "7.00 µs ±14%", "6.00 µs", "0.50 µs", "6.00 µs", "0.020", "100,000", "1.40",
                                   "1.20", "0.70"])
        self.assertEqual([row[7] for row in rows], ["1.40", "1.00", "2.00", "4.00"])
        self.assertEqual(text.timed_rows(bench(), "pipelined")[0][:2], ["node", "2 read errors"])

    def test_counted(self):
        self.assertEqual(text.counted_rows(bench(), "plaintext"),
                         [["event", "1,912", "2.00", "recvfrom 1.00, sendto 1.00"]])

    def test_fixed(self):
        self.assertEqual(text.fixed_rows(bench()),
                         [["event", "300", "6.0 ms", "3.0 ms"], ["ceiling: epoll", "1", "-", "-"]])

    def test_all(self):
        found = bench()
        shown = text.render(found, workloads.WORKLOADS, targets.judge(found, {}))
        self.assertIn("GET /plaintext, 64 connections\n", shown)
        self.assertIn("event, plaintext, user instructions per request", shown)


class TargetsTest(unittest.TestCase):
    def judged(self, found, sizes=None):
        return {verdict.figure: verdict.met for verdict in targets.judge(found, sizes or {})}

    def test_verdicts(self):
        self.assertEqual(self.judged(bench()), {
            "event, plaintext, user instructions per request": True,
            "event, plaintext, server CPU per request, to the ceiling": False,
            "event, plaintext, server CPU per request, to the best peer": True,
            "event, bytes of user memory per idle connection": True,
            "event, start to first answer": None})

    def test_missed(self):
        judged = self.judged(bench(cpu=(5.0, 5.1, 9.0), instructions=2201.0, idle=401.0))
        self.assertFalse(judged["event, plaintext, user instructions per request"])
        self.assertTrue(judged["event, plaintext, server CPU per request, to the ceiling"])
        self.assertFalse(judged["event, bytes of user memory per idle connection"])

    def test_unclear(self):
        judged = self.judged(bench(cpu=(5.0, 6.0, 9.0)))
        self.assertIsNone(judged["event, plaintext, server CPU per request, to the ceiling"])

    def test_to_the_ceiling(self):
        found = [entry("thread", ceiling="threads", idle_bytes=1301.0),
                 entry("ceiling: threads", "ceiling", "threads", idle_bytes=1000.0)]
        self.assertEqual(self.judged(found), {"thread, bytes of user memory per idle connection": False})

    def test_sizes(self):
        self.assertEqual(self.judged([], {"stripped_bytes": 1 << 20, "own_bytes": 120 << 10, "static_bytes": None}),
                         {"program, stripped, without libraries": True})


class AgainstTest(unittest.TestCase):
    def results(self, found):
        return {"format": main.FORMAT, "version": main.VERSION, "started": "then", "machine": {"commit": "abc"},
                "servers": [one.as_dict() for one in found]}

    def test_changed(self):
        before, now = self.results(bench()), self.results(bench(cpu=(9.0, 9.5, 9.9), instructions=1900.0, idle=302.0))
        cells, both = against.rows(json.loads(json.dumps(before)), now)
        self.assertEqual(cells, [["event", "plaintext, µs/request", "7.00", "9.50", "1.36"]])
        self.assertEqual(both, 8)
        self.assertTrue(against.render(before, now).startswith("1 of 8 figures changed since the run of then (abc)"))

    def test_alike(self):
        self.assertEqual(against.render(self.results(bench()), self.results(bench())),
                         "0 of 8 figures changed since the run of then (abc)")

    def test_unreadable(self):
        cut = self.results(bench())
        del cut["servers"][0]["workloads"]
        word = self.results(bench())
        word["servers"][0]["idle_bytes_per_connection"] = "few"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.json"
            path.write_text(json.dumps(self.results(bench())), encoding="utf-8")
            self.assertEqual(against.load(path, main.FORMAT, main.VERSION)["started"], "then")
            for content in ("", "[]", '{"format": "echod-compare", "version": 2}', "[" * 100_000, json.dumps(cut), json.dumps(word),
                            f'{{"format": "echod-bench", "version": {main.VERSION}}}'):
                path.write_text(content, encoding="utf-8")
                with self.subTest(content[:80]), self.assertRaises(LabError):
                    against.load(path, main.FORMAT, main.VERSION)
