# SPDX-License-Identifier: MIT
"""The small HTTP client that checks answers."""

import socket
import unittest

import context  # noqa: F401
from lab import http
from lab.errors import LabError


def received(data):
    one, other = socket.socketpair()
    with one, other:
        one.sendall(data)
        one.shutdown(socket.SHUT_WR)
        return http.receive(other)


class HttpTest(unittest.TestCase):
    def test_answer(self):
        data = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello"
        answer = received(data + b"HTTP/1.1 404")
        self.assertEqual((answer.status, answer.body, answer.length), (200, b"hello", len(data)))
        self.assertEqual(answer.headers["x"], "y")

    def test_refused(self):
        for name, data in (("closed", b""), ("cut in the head", b"HTTP/1.1 200 OK\r\n"), ("no HTTP", b"SSH-2.0\r\n\r\n"),
                           ("no length", b"HTTP/1.1 200 OK\r\n\r\n"),
                           ("cut in the body", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel")):
            with self.subTest(name), self.assertRaises(LabError):
                received(data)

    def test_request(self):
        self.assertEqual(http.request_bytes("POST", "/e", "h", ["A: b"], b"xy"),
                         b"POST /e HTTP/1.1\r\nHost: h\r\nA: b\r\nContent-Length: 2\r\n\r\nxy")
        self.assertEqual(http.request_bytes("GET", "/", "h"), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")


if __name__ == "__main__":
    unittest.main()
