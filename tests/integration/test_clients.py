# SPDX-License-Identifier: MIT
"""Clients that others have written: curl, wrk, h2load, Python's own, and nginx as a proxy in front."""

import contextlib
import hashlib
import http.client
import os
import re

import pytest

from support import process, proxy, settings
from support.checks import check, equal
from support.corpus import get
from support.rows import params
from support.wire import Wire

CURL = ("curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "60")


def curl(*arguments):
    return process.run([*CURL, *arguments], 60)


def test_curl_keeps_the_connection(server):
    """Several requests, one connection."""
    url = server.url
    text = curl("--write-out", "%{num_connects} ", f"{url}/plaintext", f"{url}/status/404", f"{url}/plaintext").decode()
    equal(re.sub(r"\{.*?\}|Hello, World!|Not Found|\s+", " ", text).split(), ["1", "0", "0"], "new connections")


@pytest.mark.parametrize("arguments", params([
    ("Content-Length", []), ("chunked", ["--header", "Transfer-Encoding: chunked"]), ("expect", ["--header", "Expect: 100-continue"]),
    ("1.0", ["--http1.0"]),
]))
def test_curl_uploads(server, folder, arguments):
    path, back = os.path.join(folder, "up"), os.path.join(folder, "down")
    with open(path, "wb") as file:
        file.write(os.urandom(1 << 20) * 8)
    curl(*arguments, "--request", "POST", "--data-binary", f"@{path}", "--output", back, f"{server.url}/echo")
    check(digest(path) == digest(back), "the echo differs")


def test_curl_uploads_from_a_pipe(server, folder):
    """Chunks of whatever size come."""
    path, back = os.path.join(folder, "up"), os.path.join(folder, "down")
    with open(path, "wb") as file:
        file.write(os.urandom(1 << 20) * 4)
    command = f'cat "{path}" | {" ".join(item if item != "*" else "0" for item in CURL)} -T - -o "{back}" {server.url}/echo'
    process.run(["sh", "-c", command], 60)
    check(digest(path) == digest(back), "the echo differs")


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_curl_over_a_unix_socket(start, folder):
    path = os.path.join(folder, "socket")
    start("--listen", f"unix:{path}", listen=False)
    equal(curl("--unix-socket", path, "http://localhost/plaintext"), b"Hello, World!", "body")


def test_curl_reads_an_error_while_it_uploads(server, folder):
    """More than the limit, of which nothing need be read."""
    path = os.path.join(folder, "up")
    with open(path, "wb") as file:
        file.truncate(900000 + (64 << 20))
    text = curl("--output", "/dev/null", "--write-out", "%{http_code}", "--header", "Expect:", "--data-binary", f"@{path}",
                f"{server.url}/echo")
    equal(text, b"413", "status")


def test_python_s_client(server):
    connection = http.client.HTTPConnection(*server.address, timeout=settings.patience(10))
    with contextlib.closing(connection):
        for number in range(20):
            body = os.urandom(number * 1000)
            chunks = (body[at:at + 777] for at in range(0, len(body), 777))
            connection.request("POST", "/echo", body=chunks if number % 2 else body, encode_chunked=bool(number % 2),
                               headers={"Transfer-Encoding": "chunked"} if number % 2 else {})
            answer = connection.getresponse()
            equal((answer.status, answer.read() == body), (200, True), "status, and whether the body is the same")


@pytest.mark.alone
@pytest.mark.timeout(90)
@pytest.mark.parametrize("path", params([("plaintext", "/plaintext"), ("bytes", "/bytes/20000"), ("delay", "/delay/10ms")]))
def test_wrk(start, path):
    """64 connections for a second, without an error."""
    server = start("--workers", "64")
    process.wrk(server, path, 64, 1)


@pytest.mark.alone
@pytest.mark.timeout(90)
def test_h2load(start):
    """With more connections than a pool has workers, each sends several requests."""
    server = start("--workers", "16")
    text = process.run(["h2load", "--h1", "-n", "4000", "-c", "16", "-t", "2", f"{server.url}/plaintext"], 60).decode()
    found = re.search(r"requests: (\d+) total, .* (\d+) succeeded, (\d+) failed, (\d+) errored", text)
    equal(found and [int(item) for item in found.groups()], [4000, 4000, 0, 0], "total, succeeded, failed, errored")


NGINX = proxy.nginx(upstream="server {back}; keepalive 8;", server="client_max_body_size 100m; proxy_request_buffering {buffering};")


@pytest.mark.parametrize("buffering", params([("buffering", "on"), ("passing on", "off")]))
def test_nginx_in_front(start, folder, buffering):
    """Over connections that it keeps: bodies, errors, and a client that goes away."""
    server = start()
    with proxy.running("nginx", NGINX, folder, back="%s:%d" % server.address, buffering=buffering) as (_, port):
        address = ("127.0.0.1", port)
        for _ in range(3):
            with Wire(address) as wire:
                for size in (0, 1, 1000, 100000, 1000000):
                    wire.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"x" * size)
                    answer = _answer(wire)
                    equal((answer[0], len(answer[1])), (200, size), "status and length")
                wire.send(b"POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
                equal(_answer(wire), (200, b"hello"), "answer to chunks")
                for path, status in ((b"/status/404", 404), (b"/bytes/300000", 200), (b"/delay/20ms", 200), (b"/nix", 404)):
                    wire.send(get(path))
                    equal(_answer(wire)[0], status, path.decode())
            with Wire(address) as wire:
                wire.send(get(b"/bytes/100000000"))
                wire.readable(5)
                wire.reset()
        with Wire(address) as wire:
            wire.send(get(b"/anything"))
            equal(_answer(wire)[0], 200, "status")
            connection = server.ask(get(b"/metrics")).body.decode()
        total = int(re.search(r"echod_connections_total{.*} (\d+)", connection)[1])
        check(total < 30, f"{total} connections for some 35 requests: they are not kept")
        equal([line for line in proxy.said(folder).splitlines() if "[error]" in line], [], "what nginx complains of")


def _answer(wire):
    """Status and body; what nginx sends is not what our own checks of an answer expect."""
    head = wire.through(b"\r\n\r\n")
    status, length = int(head.split()[1]), re.search(rb"(?i)\r\nContent-Length: *(\d+)", head)
    if length:
        return status, wire.exactly(int(length[1]))
    body = b""
    while size := int(wire.through(b"\r\n"), 16):
        body += wire.exactly(size + 2)[:-2]
    wire.exactly(2)
    return status, body
