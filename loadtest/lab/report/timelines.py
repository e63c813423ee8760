# SPDX-License-Identifier: MIT
"""A timeline as rectangles and texts at their places; templates/timeline_macros.html writes them down.

Places along the time are per cent of the width, those across it pixels: so a timeline is as wide as the page lets it be, and its
letters keep their size. The value that it is drawn from is made by lab/timeline/value.py, and stands in result files.
"""

from dataclasses import dataclass, field

from ..results.view import words

# (kind, what it means): its look is class k-KIND in style.css, its pattern in templates/timeline_macros.html.
KINDS = {
    "unread": "the request has come, but nobody reads it yet",
    "overdue": "its delay or work is over, but no thread has resumed the request yet",
    "answering": "accepting, reading, answering",
    "blocking": "a call that blocks its thread",
    "computing": "computing",
    "waiting": "waiting without work (/delay)",
    "queued": "queued for a worker",
    "sending": "waiting for the client to take the answer",
    "client": "the clients’ own CPU time",
    "other": "other programs",
    "running": "thin line: the thread is on a CPU",
    "ready": "thin line: ready, but without a CPU",
}
_LANE, _THIN, _GAP = 12, 4, 2  # heights: of a lane, of the line below it, between two lanes
_HEADING, _TICKS = 20, 18
_LABELLED = 11  # per cent of the width from which a block has room for its label
_THINNEST = 0.02  # per cent of the width: SVG does not draw what has none
_EDGE = 8  # per cent of the width: a tick that is nearer to an end than this has no text
_STEPS = (5, 10, 20, 50, 100, 200, 500)


@dataclass
class Drawing:
    title: str
    finding: str
    height: float
    labels: list = field(default_factory=list)  # (y, text, class)
    rows: list = field(default_factory=list)  # (y, height): the backs of lanes
    ticks: list = field(default_factory=list)  # (x, text)
    blocks: list = field(default_factory=list)  # (x, y, width, height, kind, title)
    texts: list = field(default_factory=list)  # (x, y, text)


def _ticks(start, end):
    step = next((step for step in _STEPS if (end - start) / step <= 10), _STEPS[-1])
    first = int(-(-start // step) * step)
    return range(first, int(end) + 1, step)


def draw(value):
    """The drawing of a timeline."""
    start, end = value["window_ms"]
    end = max(end, start + 1)  # a file may say anything
    drawing = Drawing(f"mode {words(value['mode'])}", words(value["finding"]), _TICKS)

    def across(when):
        return 100 * (min(max(when, start), end) - start) / (end - start)

    drawing.ticks = [(x, f"{when:g} ms" if not 0 < x < _EDGE and not 0 < 100 - x < _EDGE else "")
                     for when in _ticks(start, end) for x in (across(when),)]
    for group in value["groups"]:
        drawing.labels.append((drawing.height + 14, words(group["title"]), "heading"))
        drawing.height += _HEADING
        for lane in group["lanes"]:
            _draw_lane(drawing, lane, across, start, end)
    drawing.height += _TICKS
    return drawing


def _draw_lane(drawing, lane, across, start, end):
    top, strip = drawing.height, lane.get("strip") or ()
    drawing.labels.append((top + 10, words(lane["name"]), "lane"))
    drawing.rows.append((top, _LANE + (_THIN if strip else 0)))
    for blocks, y, height in ((lane["blocks"], top, _LANE), (strip, top + _LANE, _THIN)):
        for begun, ended, kind, title, label in blocks:
            if ended < start or begun > end:
                continue
            x, width = across(begun), max(across(ended) - across(begun), _THINNEST)
            drawing.blocks.append((x, y, width, height, kind, words(title)))
            if label and width >= _LABELLED:
                drawing.texts.append((x + width / 2, y + 10, words(label)))
    drawing.height += _LANE + (_THIN if strip else 0) + _GAP


def kinds(values):
    """[(kind, meaning)] of what some timelines show, for their legend."""
    shown = {block[2] for value in values for group in value["groups"] for lane in group["lanes"]
             for block in (*lane["blocks"], *(lane.get("strip") or ()))}
    return [(kind, meaning) for kind, meaning in KINDS.items() if kind in shown]
