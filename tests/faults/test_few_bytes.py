# SPDX-License-Identifier: MIT
"""A network that moves a few bytes at a time, and interrupts: every answer is what it would have been."""

from harness import corpus
from harness.answer import masked
from harness.cases import case
from harness.checks import check, equal
from shim import shimmed

LONGEST = 20000  # bytes of a request; what is longer takes too many calls


def sends_on(item):
    """More behind a request that asked for the end: a client that does so may be reset (RFC 9112, 9.6)."""
    return item in corpus.GOOD and item.data.count(b" HTTP/1.") > sum(status >= 200 for status in item.statuses)


ITEMS = [item for item in corpus.ALL if len(item.data) <= LONGEST and not sends_on(item)]


def answers(server, item):
    with server.connect(seconds=20) as wire:
        return [masked(answer) for answer in corpus.exchange(wire, item, [item.data])]


@case(rows=[("at most 3", 3), ("at most 300", 300)], timeout=120)
def few_bytes_at_a_time(server, start, most):
    check(len(ITEMS) > 200, f"only {len(ITEMS)} requests are short enough")
    slow = start("--header-timeout", "1m", "--body-timeout", "1m", **shimmed(MOST=most))
    for item in ITEMS:
        equal(answers(slow, item), answers(server, item), f"answers to: {item.name}")
