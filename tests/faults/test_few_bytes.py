# SPDX-License-Identifier: MIT
"""A network that moves a few bytes at a time, and interrupts: every answer is what it would have been."""

import errno
import socket

import pytest

from support import corpus, settings
from support.answer import masked
from support.checks import check, equal
from support.corpus import get
from support.rows import params
from ring import RECEIVE, SEND, RingFaults
from shim import shimmed

LONGEST = 20000  # bytes of a request; what is longer takes too many calls


def sends_on(item):
    """More behind a request that asked for the end: a client that does so may be reset (RFC 9112, 9.6)."""
    return item in corpus.GOOD and item.data.count(b" HTTP/1.") > sum(status >= 200 for status in item.statuses)


ITEMS = [item for item in corpus.ALL if len(item.data) <= LONGEST and not sends_on(item)]


def answers(server, item):
    with server.connect(seconds=20) as wire:
        return [masked(answer) for answer in corpus.exchange(wire, item, [item.data])]


def check_slow(server):
    """The network is as slow as it is meant to be: what takes a send or two elsewhere comes in many segments."""
    with server.connect(seconds=20) as wire:
        equal(len(wire.ask(get(b"/bytes/10000")).body), 10000, "length")
        information = wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
        segments = int.from_bytes(information[152:156], "little")  # tcpi_data_segs_in
        check(segments > 10, f"all came in {segments} segments")


def few_bytes(mode, folder, most):
    """Options of a server to which that happens."""
    options = shimmed(MOST=most)
    if mode in settings.RINGS:  # some of what it receives and sends are no calls
        faults = RingFaults(folder, send_max=most, receive_max=most, operations=RECEIVE | SEND, result=-errno.EINTR, one_in=8)
        options = {"program": faults.options["program"], "env": {**options["env"], **faults.options["env"]}}
    return options


@pytest.mark.timeout(120)
@pytest.mark.parametrize("most", params([("at most 3", 3), ("at most 300", 300)]))
def test_few_bytes_at_a_time(server, start, mode, folder, most):
    check(len(ITEMS) > 200, f"only {len(ITEMS)} requests are short enough")
    slow = start("--header-timeout", "1m", "--body-timeout", "1m", **few_bytes(mode, folder, most))
    check_slow(slow)
    for item in ITEMS:
        equal(answers(slow, item), answers(server, item), f"answers to: {item.name}")
