# SPDX-License-Identifier: MIT
"""Lanes, figures, sentences and the merged trace of small runs."""

import unittest

from lab.timeline import clients, findings, lanes, merged, value
from lab.timeline.lanes import Block
import timeline_fixture


def drawn(run):
    """{lane: [(from ms, to ms, kind)]} of all groups, lanes of one name together."""
    found = {}
    for group in value.of(run)["groups"]:
        for lane in group["lanes"]:
            found.setdefault((group["title"].partition(",")[0], lane["name"]), []).extend(tuple(block[:3]) for block in lane["blocks"])
    return found


class LanesTest(unittest.TestCase):
    def test_a_blocked_loop(self):
        found = drawn(timeline_fixture.blocked_loop())
        self.assertIn((10.0, 90.0, "blocking"), found["threads", "loop 0"])
        self.assertIn((20.0, 90.3, "unread"), found["requests", "plaintext 1"])
        self.assertEqual([block for block in found["requests", "delay 1"] if block[2] in ("waiting", "overdue")],
                         [(5.0, 25.0, "waiting"), (25.0, 90.2, "overdue")])
        self.assertEqual(list(found), [("requests", "plaintext 1"), ("requests", "delay 1"), ("requests", "block 1"),
                                       ("threads", "acceptor"), ("threads", "loop 0")])

    def test_workers(self):
        found = drawn(timeline_fixture.with_workers())
        self.assertEqual(found["threads", "worker 0"], [(11.0, 91.0, "blocking")])
        self.assertFalse([block for block in found["threads", "loop 0"] if block[2] == "blocking"])
        self.assertIn((10.1, 11.0, "queued"), found["requests", "block 1"])
        self.assertLess(sum(end - start for start, end, kind in found["requests", "plaintext 1"] if kind == "unread"), 1)

    def test_work_that_computes(self):
        read = timeline_fixture.value(timeline_fixture.thread(102, "worker 0", (1, 9, "work", 1)),
                                      timeline_fixture.request(1, "GET /compute/5", 1, 9, states=[(1, 9, "work")]))
        run = timeline_fixture.run("hybrid", read, [timeline_fixture.asked(clients.Client("compute 1", "/compute/5", 0), 1, 1, 9)])
        self.assertEqual(drawn(run)["threads", "worker 0"], [(1.0, 9.0, "computing")])

    def test_a_thread_sleeps_with_its_request(self):
        run = timeline_fixture.with_threads()
        [group] = [group for group in value.of(run)["groups"] if "one for each connection" in group["title"]]
        self.assertEqual([lane["name"] for lane in group["lanes"]], ["delay 1"])
        self.assertIn([5.1, 25.2, "waiting"], [block[:3] for block in group["lanes"][0]["blocks"]])

    def test_a_write_that_waits_for_its_client_is_no_answering(self):
        reader = clients.Client("slow reader", "/bytes/9", 0, slow=True)
        read = timeline_fixture.value(timeline_fixture.thread(103, "thread of connection 1", (1, 2, "read", 1), (10, 60, "writable", 1)),
                                      timeline_fixture.request(1, "GET /bytes/9", 1, 60))
        found = drawn(timeline_fixture.run("thread", read, [timeline_fixture.asked(reader, 1, 1, 70)]))
        self.assertEqual(found["requests", "slow reader"], [(1.0, 2.0, "answering"), (2.0, 70.0, "sending")])
        self.assertEqual(found["threads: one for each connection", "slow reader"], [(1.0, 2.0, "answering"), (2.0, 60.0, "sending")])

    def test_cpus_and_states_of_threads(self):
        run = timeline_fixture.blocked_loop(timeline_fixture.schedule())
        found = drawn(run)
        self.assertEqual([kind for _, _, kind in found["CPUs", "CPU 0"]], ["answering", "client", "answering"])
        self.assertEqual(found["CPUs", "CPU 1"], [(0.0, 100.0, "other")])
        [loop] = [lane for group in lanes.groups(run) for lane in group.lanes if lane.name == "loop 0"]
        self.assertEqual([(one.kind, one.end - one.start) for one in loop.strip], [("running", 500.0), ("running", 1000.0), ("ready", 3000.0)])

    def test_every_block_says_its_request(self):
        texts = [block[3] for group in value.of(timeline_fixture.blocked_loop())["groups"][:1] for lane in group["lanes"] for block in lane["blocks"]]
        self.assertTrue(all("GET /" in text and "sent at" in text for text in texts), texts)

    def test_the_window(self):
        found = value.of(timeline_fixture.blocked_loop(), (0, 8))
        kinds = {block[2] for group in found["groups"] for lane in group["lanes"] for block in lane["blocks"]}
        self.assertEqual((found["window_ms"], "blocking" in kinds, "waiting" in kinds), ([0, 8], False, True))


    def test_a_small_one_has_the_lanes_that_it_is_about(self):
        found = value.small(timeline_fixture.blocked_loop(), (0, 95), "blocking")
        self.assertEqual([(group["title"].partition(",")[0], [lane["name"] for lane in group["lanes"]]) for group in found["groups"]],
                         [("requests", ["plaintext 1", "block 1"]), ("threads", ["loop 0"])])
        self.assertTrue(found["finding"].startswith("From 10.0 ms on, loop 0 did nothing but GET /block/80ms"))


class MergedBlocksTest(unittest.TestCase):
    def test_near_ones_of_a_kind_become_one(self):
        near, far = Block(0, 10, "answering", "a"), Block(1000, 1010, "answering", "c")
        self.assertEqual(lanes.merged([far, Block(20, 30, "answering", "b"), near]), [Block(0, 30, "answering", "a; b"), far])

    def test_others_stay(self):
        blocks = [Block(0, 10, "answering", "a"), Block(10, 20, "waiting", "a"), Block(20, 90, "blocking", "a", "/block"),
                  Block(90, 160, "blocking", "b", "/block")]
        self.assertEqual(lanes.merged(blocks), blocks)

    def test_many_titles_are_counted(self):
        [one] = lanes.merged([Block(n, n + 1, "client", str(n)) for n in range(9)])
        self.assertEqual(one.title, "0; 1; 2; 3; 4; 5; and 3 more")


class FindingsTest(unittest.TestCase):
    def test_a_blocked_loop(self):
        run = timeline_fixture.blocked_loop()
        found = findings.figures(run)
        self.assertEqual((found["cheap"], found["late"], round(found["loop_us_max"]), round(found["unread_us_max"])), (2, 1, 80000, 70300))
        self.assertEqual(findings.sentences(run), [
            "From 10.0 ms on, loop 0 did nothing but GET /block/80ms for 80.0 ms. 1 request of other clients had come and was not read, the "
            "longest for 70.3 ms.",
            "1 × GET /delay/20ms waited, and no thread waited with them: loop 0 read 0 requests for /plaintext meanwhile."])

    def test_who_waits(self):
        self.assertEqual(findings.sentence(timeline_fixture.with_threads(), "waiting"),
                         "1 × GET /delay/20ms waited: a thread of its own slept meanwhile.")
        self.assertEqual(findings.sentence(timeline_fixture.with_threads(), "computing"), "")

    def test_workers(self):
        run = timeline_fixture.with_workers()
        self.assertIsNone(findings.figures(run)["loop_us_max"])
        self.assertEqual(findings.sentences(run), [
            "GET /block/80ms ran on worker 0. None of the 1 requests for /plaintext meanwhile had to wait for more than 5 ms; the median waited "
            "100 µs to be read."])

    def test_cpus(self):
        found = findings.figures(timeline_fixture.blocked_loop(timeline_fixture.schedule()))
        self.assertEqual({name: round(found[name]) for name in ("cpu_us", "ready_us", "others_us", "of_cpus_us")},
                         {"cpu_us": 1500, "ready_us": 3000, "others_us": 100000, "of_cpus_us": 200000})


class MergedTraceTest(unittest.TestCase):
    def test_clients_cpus_and_states_stand_beside_the_servers_own(self):
        run = timeline_fixture.blocked_loop(timeline_fixture.schedule())
        events = merged.merged(run)["traceEvents"]
        self.assertEqual(events[:len(run.trace.value["traceEvents"])], run.trace.value["traceEvents"])
        added = [(event["pid"], event["name"], event["dur"]) for event in events[len(run.trace.value["traceEvents"]):] if event["ph"] == "X"]
        self.assertIn((merged.CLIENTS, "GET /block/80ms", 80300), added)
        self.assertIn((merged.CPUS, "loop 0", 1000), added)
        self.assertIn((merged.CPUS, "cc1", 100000), added)
        self.assertIn((merged.STATES, "ready", 3000), added)
        self.assertNotIn("traceEvents", [name for name in run.trace.value if run.trace.value[name] is events])

    def test_without_a_schedule(self):
        events = merged.merged(timeline_fixture.blocked_loop())["traceEvents"]
        self.assertFalse([event for event in events if event["pid"] in (merged.CPUS, merged.STATES)])
