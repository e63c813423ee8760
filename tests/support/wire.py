# SPDX-License-Identifier: MIT
"""A raw connection: sends exactly the bytes it is given, and reads answers strictly."""

import select
import socket
import time

from .answer import check_problem, has_body, parse_head
from .checks import Failure, check, equal, fail, shown
from .settings import patience

RECEIVE_SIZE = 1 << 18


class Short(Exception):
    """The connection ended inside an answer."""


class Wire:
    """Every wait has a deadline of `seconds`. Use as a context."""

    def __init__(self, address, seconds=10, receive_buffer=None, send_buffer=None, source=None):
        self.seconds = patience(seconds)
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.received = bytearray()
        self.ended = None  # "fin" or "reset" once the server's side has
        try:
            self.socket.settimeout(self.seconds)
            if receive_buffer:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            if send_buffer:
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
            if source:
                self.socket.bind((source, 0))
            self.socket.connect(address)
            if family != socket.AF_UNIX:
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:
            self.socket.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def reset(self):
        """Ends the connection with an RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    # Sending

    def send(self, *pieces):
        """Sends each piece with a call of its own."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except socket.timeout:
            fail(f"the server took no more bytes for {self.seconds:g} s")

    def send_what_goes(self, *pieces):
        """As send; but the server may have gone away meanwhile."""
        try:
            self.send(*pieces)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def was_reset(self):
        """Whether the server has closed the socket: what is sent to it comes back as an RST."""
        self.send_what_goes(b"x")
        poll = select.poll()
        poll.register(self.socket, 0)
        return bool(poll.poll(0))

    def finish(self):
        """Half-closes: no more will be sent."""
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    # Receiving

    def fill(self):
        """Waits for some more bytes; False if the server has ended its side."""
        if self.ended:
            return False
        try:
            more = self.socket.recv(RECEIVE_SIZE)
        except socket.timeout:
            fail(f"nothing came for {self.seconds:g} s after {shown(bytes(self.received))}")
        except (ConnectionResetError, BrokenPipeError):
            self.ended = "reset"
            return False
        self.received += more
        if not more:
            self.ended = "fin"
        return bool(more)

    def take(self, count):
        taken = bytes(self.received[:count])
        del self.received[:count]
        return taken

    def exactly(self, count):
        while len(self.received) < count:
            if not self.fill():
                raise Short
        return self.take(count)

    def through(self, mark):
        """The bytes up to and with the mark."""
        searched = 0
        while (at := self.received.find(mark, searched)) < 0:
            searched = max(0, len(self.received) - len(mark))
            if not self.fill():
                raise Short
        return self.take(at + len(mark))

    def at_end(self):
        """Whether nothing more comes; waits until that is known."""
        return not self.received and not self.fill()

    # Answers

    def answer(self, method="GET", cut=False):
        """The next answer, an interim one too. `cut` says that it may end early."""
        try:
            answer = parse_head(self.through(b"\r\n\r\n"))
        except Short:
            fail(f"the connection ended ({self.ended}) where an answer was due, after {bytes(self.received)!r}")
        if has_body(answer, method):
            try:
                self._read_body(answer)
            except Short:
                answer.complete = False
                check(cut, f"the connection ended ({self.ended}) inside {answer}")
        return answer

    def _read_body(self, answer):
        body = bytearray()
        try:
            if answer.get("Transfer-Encoding"):
                self._read_chunks(answer, body)
            elif answer.get("Content-Length") is not None:
                self._read_exactly(int(answer.get("Content-Length")), body)
            else:
                check(answer.closes, f"a body without an end on a connection that is kept: {answer.lines}")
                while not self.at_end():
                    body += self.take(len(self.received))
        finally:
            answer.body = bytes(body)

    def _read_exactly(self, count, body):
        while count:
            if self.at_end():
                raise Short
            piece = self.take(count)
            body += piece
            count -= len(piece)

    def _read_chunks(self, answer, body):
        answer.chunks = []
        while True:
            line = self.through(b"\r\n")
            try:
                size = int(line[:-2], 16)
            except ValueError:
                fail(f"not the size of a chunk: {line!r}")
            if size == 0:
                break
            answer.chunks.append(size)
            self._read_exactly(size, body)
            equal(self.exactly(2), b"\r\n", "the end of a chunk")
        equal(self.through(b"\r\n"), b"\r\n", "trailers of the answer")

    def answers(self, methods=(), cut=False):
        """Every answer until the server closes; `methods` are those of the requests, GET where there are no more."""
        found, finals = [], 0
        while not self.at_end():
            method = methods[finals] if finals < len(methods) else "GET"
            found.append(self.answer(method, cut))
            finals += found[-1].status >= 200
        return found

    def ask(self, request, method=None):
        """Sends a request and returns its answer."""
        self.send(request)
        return self.answer(method or request.split(b" ", 1)[0].decode("latin-1"))

    def problem(self, status):
        """The next answer is this error and says `Connection: close`; then the server closes. Returns the detail."""
        answer = self.answer()
        detail = check_problem(answer, status)
        check(answer.closes, f"no Connection: close with {answer}")
        self.closed()
        return detail

    def closed(self):
        """The server closes without an RST, and nothing more came before."""
        check(self.at_end(), f"more came where the connection should have ended: {shown(bytes(self.received))}")
        equal(self.ended, "fin", "the end of the connection")

    def kept(self):
        """The connection is good for another request."""
        answer = self.ask(b"GET /plaintext HTTP/1.1\r\nHost: kept\r\n\r\n")
        equal((answer.status, answer.body), (200, b"Hello, World!"), "the answer to another request")

    def silent(self, seconds):
        """Nothing comes and nobody closes for that long."""
        check(not self.received, f"came: {shown(bytes(self.received))}")
        if self.readable(seconds):
            self.fill()
            fail(f"expected silence; came: {shown(bytes(self.received)) or self.ended}")

    def readable(self, seconds):
        return bool(self.received) or _poll(self.socket, select.POLLIN, seconds)

    def writable(self, seconds):
        return _poll(self.socket, select.POLLOUT, seconds)

    def hung_up(self, seconds):
        """Whether the server resets or closes both ways in that time, seen without reading what has come."""
        return _poll(self.socket, 0, seconds)

    def send_until_stuck(self, data, quiet=0.5):
        """Sends as much as the server takes without being read; returns how much of it went."""
        sent, view = 0, memoryview(data)
        self.socket.setblocking(False)
        try:
            while sent < len(data) and self.writable(quiet):
                sent += self.socket.send(view[sent:sent + 65536])
        except BlockingIOError:
            pass
        finally:
            self.socket.settimeout(self.seconds)
        return sent

    def trickle(self, data, interval):
        """Sends a byte each `interval` seconds until the server has something to say; returns how long that took."""
        begin = time.monotonic()
        for byte in data:
            self.send_what_goes(bytes((byte,)))
            if self.readable(interval):
                return time.monotonic() - begin
        raise Failure(f"all {len(data)} bytes were taken without an answer")


def _poll(sock, event, seconds):
    poller = select.poll()
    poller.register(sock, event)
    return bool(poller.poll(seconds * 1000))
