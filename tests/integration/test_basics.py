# SPDX-License-Identifier: MIT
"""The table of answers and refusals as raw bytes, the same in every mode; drain; churn."""

import email.utils
import re
import signal
import socket
import threading
import time

import pytest

from support import procfs
from support.checks import check, equal, until
from support.corpus import get
from support.rows import params

HOST = b"Host: h\r\n"


def talk(address, data, seconds=20):
    """Sends the bytes and the FIN behind them; everything that comes back, up to the server's end."""
    with socket.create_connection(address, timeout=seconds) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        received = b""
        while True:
            piece = sock.recv(65536)
            if not piece:
                return received
            received += piece


def statuses(received):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]


GET = b"GET /plaintext HTTP/1.1\r\n" + HOST + b"\r\n"

# name, request, the statuses of all answers, and something that the last one holds
TABLE = (
    ("plaintext", GET, [200], b"Hello, World!"),
    ("pipelined", GET * 20, [200] * 20, b"Hello, World!"),
    ("HEAD", b"HEAD /plaintext HTTP/1.1\r\n" + HOST + b"\r\n", [200], b"Content-Length: 13\r\n\r\n"),
    ("1.0 closes", b"GET /plaintext HTTP/1.0\r\n\r\n" + GET, [200], b"Connection: close"),
    ("echo by length", b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhello", [200], b"\r\n\r\nhello"),
    ("echo by chunks", b"PUT /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: 1\r\n\r\n",
     [200], b"\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    ("echo shaped", b"POST /echo?status=503&header=A:b HTTP/1.1\r\n" + HOST + b"Content-Length: 0\r\n\r\n", [503], b"\r\nA: b\r\n"),
    ("echo of a large body", b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 300000\r\n\r\n" + b"x" * 300000, [200], b"x" * 300000),
    ("expect", b"POST /echo HTTP/1.1\r\n" + HOST + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\na", [100, 200], b"\r\n\r\na"),
    ("delay", b"GET /delay/50ms HTTP/1.1\r\n" + HOST + b"\r\n" + GET, [200, 200], b"Hello, World!"),
    ("compute", b"GET /compute/1000 HTTP/1.1\r\n" + HOST + b"\r\n", [200], b"6861370275473347976"),
    ("block", b"GET /block/10ms HTTP/1.1\r\n" + HOST + b"\r\n" + GET, [200, 200], b"Hello, World!"),
    ("drip", b"GET /drip?numbytes=7&duration=50ms HTTP/1.1\r\n" + HOST + b"\r\n", [200], b"\r\n\r\n*******"),
    ("bytes", b"GET /bytes/100000 HTTP/1.1\r\n" + HOST + b"\r\n", [200], b"Content-Length: 100000\r\n"),
    ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", [204], b"Allow: GET, HEAD"),
    ("status", b"GET /status/404 HTTP/1.1\r\n" + HOST + b"\r\n", [404], b"\r\n\r\nNot Found"),
    ("unknown path", b"GET /nix HTTP/1.1\r\n" + HOST + b"\r\n" + GET, [404, 200], b"Hello, World!"),
    ("other method", b"POST /plaintext HTTP/1.1\r\n" + HOST + b"\r\n", [405], b"Allow: GET, HEAD"),
    ("bad parameter", b"GET /status/99 HTTP/1.1\r\n" + HOST + b"\r\n", [400], b"200 to 599"),
    ("unknown method", b"FOO / HTTP/1.1\r\n" + HOST + b"\r\n" + GET, [501], b"Connection: close"),
    ("CONNECT", b"CONNECT h:80 HTTP/1.1\r\n" + HOST + b"\r\n" + GET, [501], b"Connection: close"),
    ("preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [505], b"Connection: close"),
    ("version 1.2", b"GET / HTTP/1.2\r\n" + HOST + b"\r\n" + GET, [505], b"Connection: close"),
    ("no version", b"GET /\r\n", [400], b"Connection: close"),
    ("no Host", b"GET / HTTP/1.1\r\n\r\n" + GET, [400], b"Host"),
    ("two Hosts", b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n" + GET, [400], b"Host"),
    ("length and coding", b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET,
     [400], b"Connection: close"),
    ("two lengths", b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc" + GET, [400], b"Connection: close"),
    ("other coding", b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + GET, [501], b"Connection: close"),
    ("coding on 1.0", b"POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + GET, [400], b"Connection: close"),
    ("bare LF", b"GET / HTTP/1.1\nHost: h\n\n" + GET, [400], b"Connection: close"),
    ("space before colon", b"GET / HTTP/1.1\r\nHost : h\r\n\r\n" + GET, [400], b"Connection: close"),
    ("folded line", b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n c\r\n\r\n" + GET, [400], b"Connection: close"),
    ("bad chunk size", b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + GET, [400], b"chunk"),
    ("long target", b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", [414], b"Connection: close"),
    ("large head", b"GET / HTTP/1.1\r\n" + HOST + b"A: " + b"a" * 20000 + b"\r\n\r\n", [431], b"Connection: close"),
    ("large body", b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999\r\n\r\n", [413], b"Connection: close"),
    ("empty lines", b"\r\n" * 8 + GET, [200], b"Hello, World!"),
    ("too many empty lines", b"\r\n" * 9 + GET, [400], b"Connection: close"),
    ("cut off", b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: 5\r\n\r\nhel", [400], b"Connection: close"),
)


@pytest.mark.parametrize("message, wanted, holds", params(TABLE))
def test_table(server, message, wanted, holds):
    received = talk(server.address, message)
    equal(statuses(received), wanted, "the statuses of the answers")
    check(holds in received, f"the answer does not hold {holds[:60]!r}: {received[-300:]!r}")


def test_byte_by_byte(server):
    request = b"POST /echo HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    whole = talk(server.address, request)
    with socket.create_connection(server.address, timeout=20) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request:
            sock.sendall(bytes([byte]))
        sock.shutdown(socket.SHUT_WR)
        split = b"".join(iter(lambda: sock.recv(65536), b""))
    date = re.compile(rb"Date: [^\r]*")
    equal(date.sub(b"", split), date.sub(b"", whole), "the answer to single bytes")


def test_a_mebibyte_is_written_before_anything_is_read(server):
    body = bytes(range(256)) * 4096
    with socket.create_connection(server.address, timeout=20) as sock:
        sock.sendall(b"POST /echo HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        sock.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: sock.recv(65536), b""))
    check(received.endswith(body), "the echo is not what was sent")


def churn(address, connections, failures):
    for _ in range(connections):
        try:
            received = talk(address, GET * 3)
            if statuses(received) != [200] * 3:
                failures.append(received[:200])
        except OSError as error:
            failures.append(repr(error))


def churn_by_threads(server, connections):
    failures = []
    threads = [threading.Thread(target=churn, args=(server.address, connections, failures)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(failures, [], "failures")


def test_churn_leaves_nothing(start):
    server = start()
    server.ask(GET)  # opens what is opened once
    before = procfs.descriptors(server.pid)
    churn_by_threads(server, 25)
    until(lambda: procfs.descriptors(server.pid) <= before, "the descriptors of the connections are closed")


def drain_answers_what_has_arrived(server):
    """Requests that wait or work when the signal comes are answered; the server then ends with 0."""
    socks = [socket.create_connection(server.address, timeout=20) for _ in range(6)]
    for number, sock in enumerate(socks):
        sock.sendall((b"GET /delay/300ms HTTP/1.1\r\n", b"GET /block/20ms HTTP/1.1\r\n")[number % 2] + HOST + b"\r\n")
    equal(statuses(talk(server.address, GET)), [200], "an answer before the drain")
    server.signal(signal.SIGTERM)
    for sock in socks:
        received = b"".join(iter(lambda: sock.recv(65536), b""))
        equal(statuses(received), [200], "the answer to a request from before the signal")
        sock.close()
    server.wait(0)


def test_drain(start):
    drain_answers_what_has_arrived(start())


@pytest.mark.tsan
def test_churn_and_drain(start):
    server = start()
    churn_by_threads(server, 50)
    equal(statuses(talk(server.address, b"GET /metrics HTTP/1.1\r\n" + HOST + b"\r\n")), [200], "the counters")
    drain_answers_what_has_arrived(server)


def test_the_date_is_that_of_now(server):
    """To the second: not that of the last one, which the kernel's coarse clock still shows when the new one begins."""

    def date():
        return email.utils.parsedate_to_datetime(server.ask(get(b"/plaintext")).get("Date")).timestamp()

    def right():
        before = int(time.time())
        return before == date() == int(time.time())

    first = date()
    until(lambda: date() != first, "the date goes on")
    until(right, "the date is that of now", 3)
