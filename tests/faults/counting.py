# SPDX-License-Identifier: MIT
"""Clients that count what they asked for and what they got, so that nothing can be lost unseen."""

import contextlib
import signal
import threading
import time

from support.checks import Failure
from injection import PLAIN


class Counter(threading.Thread):
    """Asks until the server says that it closes, or is gone. `lost` holds what should have been answered and was not:
    every request that was sent before the server was told to end, and whatever an answer had begun for."""

    def __init__(self, server, request=PLAIN, body=b"Hello, World!", pipelined=1, fresh=False):
        super().__init__()
        self.server, self.request, self.body = server, request, body
        self.pipelined, self.fresh = pipelined, fresh
        self.answers, self.lost = 0, []
        self.ending = None  # when the server was told to end

    def run(self):
        while True:
            try:
                wire = self.server.connect(seconds=60)
            except OSError:  # nobody listens any more
                return
            try:
                with wire:
                    while self.ask(wire):
                        pass
            except (OSError, Failure) as failure:
                self.lost.append(f"{type(failure).__name__}: {failure}")
                return

    def ask(self, wire):
        """Whether there is more to ask on this connection."""
        sent = None
        try:
            wire.send(self.request * self.pipelined)
            sent = time.monotonic()  # it has arrived: sender and receiver are one machine
            ended = wire.at_end()
        except OSError:
            ended = True
        if ended:
            if self.ending is None or (sent is not None and sent < self.ending):
                self.lost.append(f"a request was not answered: {wire.ended}")
            return False
        for _ in range(self.pipelined):
            answer = wire.answer()
            if (answer.status, answer.body) != (200, self.body):
                self.lost.append(str(answer))
            self.answers += 1
            if answer.closes:  # what is behind it is ignored
                return False
        return not self.fresh


def answers(counters):
    return sum(counter.answers for counter in counters)


def lost(counters):
    return [text for counter in counters for text in counter.lost]


def tell_to_end(server, counters, number=signal.SIGTERM):
    now = time.monotonic()
    for counter in counters:
        counter.ending = now
    server.signal(number)


@contextlib.contextmanager
def counting(counters):
    """They run until the server has ended."""
    for counter in counters:
        counter.start()
    yield counters
    for counter in counters:
        counter.join()
