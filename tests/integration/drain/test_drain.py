# SPDX-License-Identifier: MIT
"""From the first signal to the end: who is served, who is closed, and with what status the server ends."""

import os
import signal
import socket
import sys
import threading
import time

import pytest

from support import procfs, settings
from support.checks import at_least, at_most, check, equal, until
from support.corpus import LAST, PLAIN, chunked, get, post
from support.rows import params
from support.server import many
from support.wire import Wire

SIGNALS = [("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)]


def refuses(address):
    """Whether nobody listens there any more."""
    with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as probe:
        return probe.connect_ex(address) != 0


def until_closed_to_new_ones(server):
    """A probe is a connection to be accepted first, which takes a process in one mode: few of them."""
    until(lambda: refuses(server.address), "the listener is closed", every=0.1)


def begin(server):
    """The drain has begun when this returns."""
    server.signal(signal.SIGTERM)
    until_closed_to_new_ones(server)


def last_answer(wire, status=200):
    """The answer during a drain, and the end of the connection behind it."""
    answer = wire.answer()
    equal(answer.status, status, "status")
    check(answer.closes, f"no Connection: close in {answer}")
    wire.closed()
    return answer


@pytest.mark.parametrize("number", params(SIGNALS))
def test_nothing_is_open(start, number):
    server = start()
    server.signal(number)
    equal(server.wait(0), "", "stderr")


@pytest.mark.parametrize("number", params(SIGNALS))
def test_idle_connections_are_closed(start, number):
    """Those that have had an answer, and those that have never said anything."""
    server = start()
    used = [server.connect() for _ in range(10)]
    fresh = [server.connect() for _ in range(5)]
    for wire in used:
        wire.kept()
    server.signal(number)
    for wire in used + fresh:
        wire.closed()
        wire.close()
    equal(server.wait(0), "", "stderr")


def test_what_has_begun_is_answered(start):
    server = start()
    raw = {
        "a byte": (PLAIN[:1], PLAIN[1:]),
        "half a head": (PLAIN[:30], PLAIN[30:]),
        "a head without a body": (post(b"/echo", b"hello")[:-5], b"hello"),
        "half a body": (post(b"/echo", b"hello")[:-3], b"llo"),
        "half a chunk": (chunked(b"/echo", b"5\r\nhe"), b"llo\r\n" + LAST),
        "half of a large body": (post(b"/echo", b"x" * 200000)[:-90000], b"x" * 90000),
        "a second request": (PLAIN + PLAIN[:5], PLAIN[5:]),
    }
    wires = {name: server.connect() for name in raw}
    for name, (first, _) in raw.items():
        wires[name].send(first)
    equal(wires["a second request"].answer().status, 200, "status")
    begin(server)
    for name, (_, rest) in raw.items():
        wires[name].send(rest)
    for name, wire in wires.items():
        answer = wire.answer()
        equal(answer.status, 200, f"status of {name}")
        check(answer.closes or name == "half of a large body", f"no Connection: close with {name}")
        wire.closed()
        wire.close()
    server.wait(0)


def test_a_half_sent_request_that_never_ends(start):
    """The header timeout holds during a drain too."""
    server = start("--header-timeout", "300ms")
    with server.connect() as wire:
        wire.send(PLAIN[:10])
        begin(server)
        wire.problem(408)
    server.wait(0)


def test_requests_the_kernel_has_queued(start):
    """Connections that were not accepted when the signal came are served."""
    server = start()
    equal(server.ask(PLAIN).status, 200, "status")
    server.signal(signal.SIGSTOP)
    until(lambda: procfs.status(server.pid, "State").startswith(("T", "t")), "stopped")
    wires = [server.connect() for _ in range(20)]
    for wire in wires:
        wire.send(PLAIN)
    server.signal(signal.SIGTERM)
    server.signal(signal.SIGCONT)
    for wire in wires:  # some may be answered before the signal is looked at
        equal(wire.answer().status, 200, "status")
        wire.closed()
        wire.close()
    server.wait(0)


def test_requests_behind_work_that_blocks(start):
    """One loop: it works while the last requests of others come, in the same moment as the signal."""
    server = start("--loops", "1")
    with many(server, 10) as wires, many(server, 4) as blocking:
        for wire in wires + blocking:
            wire.kept()
        server.signal(signal.SIGSTOP)
        until(lambda: procfs.status(server.pid, "State").startswith(("T", "t")), "stopped")
        with many(server, 10) as fresh:
            for number, wire in enumerate(fresh + wires):
                wire.send(PLAIN)
                if number % 5 == 4:
                    blocking[number // 5].send(get(b"/block/300ms"))
            server.signal(signal.SIGTERM)
            server.signal(signal.SIGCONT)
            for wire in blocking + fresh + wires:  # some may be answered before the signal is looked at
                equal(wire.answer().status, 200, "status")
                wire.closed()
    server.wait(0)


def test_what_waits_and_works_is_answered(start):
    """Many /delay and some work at once, more of it than there are workers."""
    server = start("--workers", "48")
    waiting = [server.connect() for _ in range(30)]
    working = [server.connect() for _ in range(6)]
    blocking = [server.connect() for _ in range(4)]
    for wire in waiting:
        wire.send(get(b"/delay/700ms"))
    for wire in working:
        wire.send(get(b"/compute/1000000"))
    for wire in blocking:
        wire.send(get(b"/block/50ms"))
    begin(server)
    for wire in waiting + working + blocking:
        equal(wire.answer().status, 200, "status")
        wire.closed()
        wire.close()
    server.wait(0)


@pytest.mark.modeless
def test_a_process_that_is_killed_during_the_drain(start):
    server = start(mode="process")
    with server.connect() as wire:
        wire.send(get(b"/delay/9s"))
        begin(server)
        children = procfs.children(server.pid)
        equal(len(children), 1, "processes of connections")
        os.kill(children[0], signal.SIGKILL)
        errors = server.wait(1)
    check(errors.endswith("echod: 1 connection was lost\n"), f"no line that a connection was lost: {errors!r}")


@pytest.mark.parametrize("first, second", params([(f"{first} and {second}", getattr(signal, first), getattr(signal, second))
    for first, second in (("SIGTERM", "SIGTERM"), ("SIGTERM", "SIGINT"), ("SIGINT", "SIGINT"))]))
def test_a_second_signal(start, folder, first, second):
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", lines=2)
    with server.connect() as wire:
        wire.send(get(b"/delay/9s"))
        server.signal(first)
        until_closed_to_new_ones(server)
        begun = time.monotonic()
        server.signal(second)
        server.wait(128 + second)
        at_most(time.monotonic() - begun, 5, "seconds to the end")
        check(wire.at_end(), "something came")
    check(not os.path.exists(path), "the socket file is still there")


def test_a_second_signal_during_the_delay(start, folder):
    path = os.path.join(folder, "socket")
    server = start("--drain-delay", "1m", "--listen", f"unix:{path}", lines=2)
    server.signal(signal.SIGTERM)
    until(lambda: server.ask(get(b"/readyz")).status == 503, "/readyz says 503")
    server.signal(signal.SIGTERM)
    server.wait(128 + signal.SIGTERM)
    check(not os.path.exists(path), "the socket file is still there")


def test_the_drain_delay(start, folder):
    """It goes on accepting, says that it is not ready, and closes behind each answer."""
    path = os.path.join(folder, "socket")
    server = start("--drain-delay", "1500ms", "--listen", f"unix:{path}", lines=2)
    idle, used = server.connect(), server.connect()
    used.kept()
    equal(server.ask(get(b"/readyz")).status, 200, "/readyz before the signal")
    begun = time.monotonic()
    server.signal(signal.SIGTERM)
    until(lambda: server.ask(get(b"/readyz")).status == 503, "/readyz says 503")
    for wire, request, status in ((used, PLAIN, 200), (server.connect(), get(b"/healthz"), 200), (Wire(path), PLAIN, 200),
                                  (server.connect(), get(b"/readyz"), 503), (server.connect(), post(b"/echo", b"a"), 200),
                                  (server.connect(), get(b"/nix"), 404)):
        wire.send(request)
        last_answer(wire, status)
        wire.close()
    check(time.monotonic() - begun > 1.4 or not idle.readable(0), "an idle connection was closed during the delay")
    idle.closed()
    idle.close()
    check(time.monotonic() - begun >= 1.4, f"the delay was over after {time.monotonic() - begun:.2f} s")
    server.wait(0)
    check(not os.path.exists(path), "the socket file is still there")


def test_pipelined_requests_during_the_delay(start):
    """All are answered, the last one closes."""
    server = start("--drain-delay", "500ms")
    with server.connect() as wire:
        server.signal(signal.SIGTERM)
        until(lambda: server.ask(get(b"/readyz")).status == 503, "/readyz says 503")
        wire.send(PLAIN * 5)
        closes_with_the_last(wire, 5)
    server.wait(0)


def closes_with_the_last(wire, count):
    """So many answers, of which the last and no other says that it is the last."""
    for number in range(count):
        answer = wire.answer()
        equal((answer.status, answer.closes), (200, number == count - 1), f"status and close of answer {number + 1} of {count}")
    wire.closed()


KEEP = b"Connection: keep-alive\r\n"
FIRST = [("a wait", get(b"/delay/700ms")), ("work", get(b"/block/700ms")), ("an echo that waits", post(b"/echo?delay=700ms", b"x" * 100)),
         ("HTTP/1.0", get(b"/delay/700ms", KEEP, version=b"1.0"))]


@pytest.mark.parametrize("first", params(FIRST))
def test_what_is_pipelined_behind_the_signal_is_answered(start, first):
    """Requests that come while an earlier one is under way; the socket is read before an answer says that it is the last."""
    server = start()
    behind = [PLAIN, post(b"/echo", b"hello"), get(b"/bytes/300000"), get(b"/block/10ms"), get(b"/plaintext", KEEP, version=b"1.0")]
    with server.connect() as wire:
        wire.send(first)
        server.signal(signal.SIGTERM)
        wire.send(b"".join(behind))
        closes_with_the_last(wire, 1 + len(behind))
    equal(server.wait(0), "", "stderr")


def test_a_large_echo_closes(start, mode):
    """It begins when 64 KiB of its body are here: nothing can have been read behind it, except by a ring, which reads on by itself
    and then answers what it has read."""
    server = start()
    with server.connect() as wire:
        wire.send(post(b"/echo?delay=700ms", b"x" * 200000) + PLAIN)
        begin(server)
        answer = wire.answer()
        equal((answer.status, len(answer.body)), (200, 200000), "status and length")
        if mode in settings.RINGS and not answer.closes:
            last_answer(wire)
        else:
            check(answer.closes, f"no Connection: close in {answer}")
            wire.closed()
    equal(server.wait(0), "", "stderr")


def test_a_part_of_a_request_behind_the_signal(start):
    server = start()
    with server.connect() as wire:
        wire.send(get(b"/delay/700ms") + PLAIN[:1])
        begin(server)
        answer = wire.answer()
        equal((answer.status, answer.closes), (200, False), "status and close of the answer before it")
        wire.send(PLAIN[1:])
        last_answer(wire)
    equal(server.wait(0), "", "stderr")


def test_a_long_answer_with_a_request_behind(start):
    """It was decided at its head that it is not the last."""
    server = start()
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/delay/700ms") + get(b"/bytes/3000000") + PLAIN)
        begin(server)
        closes_with_the_last(wire, 3)
    equal(server.wait(0), "", "stderr")


def test_the_last_byte_behind_the_signal(start):
    server = start()
    with server.connect() as wire:
        wire.send(get(b"/delay/700ms") + PLAIN)
        begin(server)
        wire.finish()
        closes_with_the_last(wire, 2)
    equal(server.wait(0), "", "stderr")


def test_a_mebibyte_behind_the_signal_is_served(start):
    """A client that pipelines without end does not keep the server from its end."""
    server = start()
    padded = get(b"/plaintext", b"X: " + b"y" * 1000 + b"\r\n")
    with server.connect() as wire:
        wire.send(get(b"/delay/700ms"))
        server.signal(signal.SIGTERM)
        sender = threading.Thread(target=wire.send_what_goes, args=(padded * 1500,))
        sender.start()
        answers = [wire.answer()]
        while not answers[-1].closes:
            answers.append(wire.answer())
        sender.join()
    check(all(answer.status == 200 for answer in answers), "a request was refused")
    behind = (len(answers) - 1) * len(padded)
    check(1 << 20 <= behind < (1 << 20) + len(padded), f"{behind} bytes of requests were answered")
    server.wait(0)


def test_a_hangup_ends_nothing(start):
    server = start()
    with server.connect() as wire:
        for _ in range(3):
            server.signal(signal.SIGHUP)
            wire.kept()
        equal(server.ask(PLAIN).status, 200, "status")


class Client(threading.Thread):
    """Asks again and again on a connection that is kept, and opens another one when that is closed."""

    def __init__(self, server, request, body):
        super().__init__()
        self.server, self.request, self.body = server, request, body
        self.answers, self.failures = 0, []

    def run(self):
        try:
            while self.talk():
                pass
        except OSError:  # nobody listens any more, or a connection was closed as the request went out
            pass
        except Exception as failure:  # an answer that was cut off
            self.failures.append(str(failure))

    def talk(self):
        with self.server.connect() as wire:
            while True:
                wire.send(self.request)
                if wire.at_end():
                    return True
                answer = wire.answer()
                if (answer.status, answer.body) != (200, self.body):
                    self.failures.append(str(answer))
                self.answers += 1
                if answer.closes:
                    return True


@pytest.mark.timeout(90)
@pytest.mark.parametrize("message, body", params([
    ("keep-alive", PLAIN, b"Hello, World!"), ("close", get(b"/plaintext", b"Connection: close\r\n"), b"Hello, World!"),
    ("bodies", post(b"/echo", b"x" * 100000), b"x" * 100000),
]))
def test_under_load_no_answer_is_cut_off(start, message, body):
    server = start()
    clients = [Client(server, message, body) for _ in range(8)]
    for client in clients:
        client.start()
    until(lambda: sum(client.answers for client in clients) > 400, "400 answers", 60)
    server.signal(signal.SIGTERM)
    for client in clients:
        client.join()
    equal([failure for client in clients for failure in client.failures], [], "failures")
    server.wait(0)


# A drain gives new connections 110 ms for their first request. A client that this machine delays for longer is late.
IN_TIME_S = 0.1


class Reconnecting(threading.Thread):
    """A client that opens a connection for each request until it is refused. `cut`: what it lost although it was
    connected and sent in time."""

    def __init__(self, server):
        super().__init__(daemon=True)
        self.address, self.answers, self.cut, self.in_time = server.address, 0, [], True

    def run(self):
        while self.ask():
            pass

    def ask(self):
        begun = time.monotonic()
        try:
            client = socket.create_connection(self.address, 20)
        except OSError:
            return False
        with client:
            received = self.exchange(client, begun)
        if received.endswith(b"hello"):
            self.answers += 1
        elif self.in_time:
            self.cut.append(received)
        return True

    def exchange(self, client, begun):
        try:
            try:
                client.sendall(post(b"/echo", b"hello", b"Connection: close\r\n"))
            finally:
                self.in_time = time.monotonic() - begun < IN_TIME_S
            return b"".join(iter(lambda: client.recv(65536), b""))
        except OSError as error:
            return str(error).encode()


@pytest.mark.alone
@pytest.mark.timeout(90)
def test_clients_that_keep_connecting_are_answered_or_refused(start):
    """However slowly connections are taken over: none that was made is reset. Alone, so that most clients send in time."""
    server = start()
    clients = [Reconnecting(server) for _ in range(32)]
    for client in clients:
        client.start()
    until(lambda: sum(client.answers for client in clients) > 100, "100 answers", 60)
    server.signal(signal.SIGTERM)
    for client in clients:
        client.join(60)
        check(not client.is_alive(), "a client is not refused")
    equal([cut for client in clients for cut in client.cut], [], "cut off")
    server.wait(0)


def test_a_drain_while_full(start):
    """Refused connections are drained too, and those that wait in the backlog are told."""
    server = start("--max-connections", "2")
    served = [server.connect() for _ in range(2)]
    for wire in served:
        wire.kept()
    refused = [server.connect() for _ in range(40)]
    for wire in refused:
        wire.send(PLAIN)
    server.signal(signal.SIGTERM)
    for wire in served:
        wire.closed()
        wire.close()
    for wire in refused:
        answer = wire.answer()
        check(answer.status in (200, 503) and answer.closes, f"got {answer}")
        wire.close()
    server.wait(0)


BLOCKED = "import os, signal, sys; signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGURG}); os.execv(sys.argv[1], sys.argv[1:])"


def test_with_signals_blocked_by_whoever_started_it(start):
    """An idle connection is woken all the same."""
    server = start(wrapper=(sys.executable, "-c", BLOCKED))
    with server.connect() as wire:
        wire.kept()
        server.stop()
        wire.closed()


def test_idle_connections_stay_during_the_delay(start):
    """Each request until its end is answered, in every mode; pool gives way only where others wait."""
    server = start("--drain-delay", "2s")
    with server.connect() as wire:
        wire.kept()
        server.signal(signal.SIGTERM)
        until(lambda: server.ask(get(b"/readyz")).status == 503, "/readyz says 503")
        wire.silent(0.4)
        last_answer(wire_asks(wire))
    equal(server.wait(0), "", "stderr")


def wire_asks(wire):
    wire.send(PLAIN)
    return wire


def test_idle_connections_have_a_moment(start):
    """The last that were accepted are about to send."""
    server = start()
    with server.connect() as wire:
        wire.kept()
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        wire.closed()
        at_least(time.monotonic() - begun, 0.1, "seconds")
    server.wait(0)
