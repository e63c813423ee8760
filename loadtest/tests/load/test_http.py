# SPDX-License-Identifier: MIT
"""The small HTTP client that checks answers."""

import socket
import threading
import time

import pytest
from lab.load import http
from lab.text.errors import LabError


def received(data):
    one, other = socket.socketpair()
    with one, other:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * len(data) + 4096)
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        return http.receive(other)


def test_answer():
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"
    answer = received(data + b"HTTP/1.1 404")
    assert (answer.status, answer.body, answer.length) == (200, b"hello", len(data))
    assert answer.headers["x"] == "y"


REFUSED = {
    "closed": b"",
    "cut in the head": b"HTTP/1.1 200 OK\r\n",
    "no HTTP": b"SSH-2.0\r\n\r\n",
    "no length": b"HTTP/1.1 200 OK\r\n\r\n",
    "digits of another script": "HTTP/1.1 ²²² OK\r\n\r\n".encode("latin-1"),
    "no number as length": b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nhello",
    "a length below 0": b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello",
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + 70_000 * b"y",
    "cut in the body": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refused(data):
    with pytest.raises(LabError):
        received(data)


def test_an_answer_that_drips_is_late():
    """However little is missing each time."""
    one, other = socket.socketpair()
    with one, other:
        def drip():
            try:
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + 9999 * b"x":
                    one.send(bytes([byte]))
                    time.sleep(0.02)
            except OSError:
                pass

        writer = threading.Thread(target=drip)
        writer.start()
        with pytest.raises(TimeoutError):
            http.receive(other, time.monotonic() + 0.2)
        other.close()
        writer.join()


def test_request():
    assert http.request_bytes("POST", "/e", "h", ["A: b"], b"xy") == b"POST /e HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 2\r\n\r\nxy"
    assert http.request_bytes("GET", "/", "h") == b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
