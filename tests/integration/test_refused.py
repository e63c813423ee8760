# SPDX-License-Identifier: MIT
"""The contract's table of refusals over real sockets: one answer, nothing behind it, and a close that lets it be read."""

import time

from harness import settings
from harness.answer import check_problem, masked
from harness.cases import case
from harness.checks import at_most, check, equal, pause, until
from harness.corpus import get, post
from harness.refused import REFUSED

PLAIN = get(b"/plaintext")
SHORT = [(name, data, status) for name, data, status in REFUSED if len(data) < 400]


@case(rows=REFUSED)
def row(server, data, status):
    """The request hidden behind it is not answered."""
    with server.connect() as wire:
        wire.send_what_goes(data)
        wire.problem(status)


@case(rows=REFUSED)
def behind_good_ones(server, data, status):
    with server.connect() as wire:
        wire.send_what_goes(PLAIN + post(b"/echo", b"hello") + data)
        equal([wire.answer().body for _ in range(2)], [b"Hello, World!", b"hello"], "the answers before")
        wire.problem(status)


@case
def byte_by_byte(server):
    """The same answer as to the whole, for each of the short ones."""
    for name, data, status in SHORT:
        with server.connect() as whole, server.connect() as split:
            whole.send(data)
            split.send_what_goes(*(bytes((byte,)) for byte in data))
            wanted, got = whole.answer(), split.answer()
            equal(got.status, status, name)
            equal(masked(got), masked(wanted), f"the answer to single bytes of: {name}")
            split.closed()


@case(rows=[
    ("Content-Length", post(b"/echo", b"").replace(b"Length: 0", b"Length: 99999999999")),
    ("chunks", b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5000000\r\n"),
    ("a path that takes 1 MiB", post(b"/anything", b"").replace(b"Length: 0", b"Length: 2000000")),
])
def the_error_can_be_read_while_the_body_is_still_being_sent(server, head):
    with server.connect() as wire:
        wire.send(head)
        check(wire.readable(wire.seconds), "no answer to the head")
        for _ in range(12):
            wire.send(b"x" * 65536)
        answer = wire.answer()
        check_problem(answer, 413)
        check(answer.closes, f"no Connection: close in {answer}")
        wire.closed()


@case
def a_whole_body_before_the_error_is_read(server):
    """Most clients write all of it, then read."""
    with server.connect() as wire:
        wire.send(post(b"/anything", b"").replace(b"Length: 0", b"Length: 1048577") + b"x" * 1000000)
        wire.problem(413)


@case
def behind_an_answer_that_closes_nothing_is_read_but_for_a_while(server):
    """Past 1 MiB of what nobody wants the connection is closed, however much more would come."""
    with server.connect() as wire:
        wire.send(b"NIX / HTTP/1.1\r\n\r\n")
        wire.problem(501)
        sent = 0
        try:
            while sent < 64 << 20:
                wire.send(b"x" * 65536)
                sent += 65536
        except OSError:
            pass
        at_most(sent, 32 << 20, "bytes that were taken")  # with what the kernel holds


def connections(server):
    """Those that are open, but for the one that asks."""
    page = server.ask(get(b"/metrics")).body.decode()
    line = next(line for line in page.splitlines() if line.startswith("echod_connections_open{"))
    return int(line.split()[1]) - 1


@case(slow=True, each_mode=False, timeout=90)
def a_lingering_close_is_bounded(start):
    """A silent client is left after 2 s, one that goes on sending after 10 s."""
    servers = [start(mode=mode) for mode in settings.modes]
    begun, left = time.monotonic(), {}
    wires = []
    for server in servers:
        silent, busy = server.connect(), server.connect()
        for wire in (silent, busy):
            wire.send(b"NIX / HTTP/1.1\r\n\r\n")
            wire.problem(501)
        wires += [silent, busy]
        until(lambda server=server: connections(server) == 2, "two connections linger")
    while len(left) < 2 * len(servers):
        check(time.monotonic() - begun < settings.patience(15), f"still open: {[connections(item) for item in servers]}")
        for wire in wires[1::2]:
            wire.send_what_goes(b"x")
        pause(0.1)
        for server in servers:
            for count in range(connections(server), 2):
                left.setdefault((server.mode, count), time.monotonic() - begun)
    for (mode, count), seconds in left.items():
        low, high = (1.8, 7) if count else (9, 15)
        check(low < seconds < high, f"[{mode}] {'a silent' if count else 'a sending'} client was left after {seconds:.1f} s")
    for wire in wires:
        wire.close()
