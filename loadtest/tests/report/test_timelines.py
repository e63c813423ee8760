# SPDX-License-Identifier: MIT
"""A timeline's places."""

import unittest

from lab.report import page, timelines

VALUE = {"mode": "event", "window_ms": [100, 300], "finding": "it blocks", "groups": [
    {"title": "requests", "lanes": [{"name": "a", "blocks": [[50, 150, "unread", "early", ""], [150, 250, "blocking", "long", "/block"],
                                                             [250, 260, "blocking", "short", "/block"], [400, 500, "waiting", "late", ""]]}]},
    {"title": "threads", "lanes": [{"name": "loop 0", "blocks": [], "strip": [[100, 200, "running", "on CPU 0", ""]]}]}]}


class TimelinesTest(unittest.TestCase):
    def test_blocks_are_cut_to_the_window(self):
        drawing = timelines.draw(VALUE)
        self.assertEqual([(x, width, kind, title) for x, _, width, _, kind, title in drawing.blocks],
                         [(0, 25, "unread", "early"), (25, 50, "blocking", "long"), (75, 5, "blocking", "short"), (0, 50, "running", "on CPU 0")])

    def test_a_block_that_took_next_to_no_time_is_drawn(self):
        lanes = [{"name": "loop 0", "blocks": [[150, 150.001, "answering", "short", ""], [299.999, 300, "answering", "last", ""]]}]
        drawing = timelines.draw({**VALUE, "groups": [{"title": "threads", "lanes": lanes}]})
        self.assertEqual([page._share(width) for _, _, width, _, _, _ in drawing.blocks], ["0.02%"] * 2)

    def test_only_a_long_block_has_its_label(self):
        self.assertEqual([(x, text) for x, _, text in timelines.draw(VALUE).texts], [(50, "/block")])

    def test_lanes_lie_below_each_other(self):
        drawing = timelines.draw(VALUE)
        self.assertEqual([text for _, text, _ in drawing.labels], ["requests", "a", "threads", "loop 0"])
        places = [y for y, _, _ in drawing.labels]
        self.assertEqual(places, sorted(set(places)))
        self.assertTrue(all(0 <= y and y + height <= drawing.height for y, height in drawing.rows))
        (first, height), (second, _) = drawing.rows
        self.assertGreaterEqual(second, first + height)

    def test_ticks_are_round_and_few(self):
        for start, end in ((0, 500), (100, 300), (3, 9)):
            value = {**VALUE, "window_ms": [start, end]}
            with self.subTest(window=(start, end)):
                ticks = timelines.draw(value).ticks
                self.assertLessEqual(len(ticks), 11)
                self.assertTrue(all(0 <= x <= 100 for x, _ in ticks))

    def test_the_legend_has_what_is_shown_and_nothing_else(self):
        self.assertEqual([kind for kind, _ in timelines.kinds([VALUE])], ["unread", "blocking", "waiting", "running"])

    def test_every_kind_has_a_look(self):
        style = (page.PARTS / "style.css").read_text(encoding="utf-8")
        for kind in timelines.KINDS:
            with self.subTest(kind=kind):
                self.assertIn(f".k-{kind}", style)
