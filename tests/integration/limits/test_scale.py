# SPDX-License-Identifier: MIT
"""What takes too long, or too much of the machine, for every run: `run.py --suite scale` and `--suite big`."""

import contextlib
import hashlib
import resource
import selectors
import socket
import threading

import pytest

from support import process, procfs
from support.checks import at_most, check, equal
from support.corpus import PLAIN
from support.rows import params

MANY = 10000
GIB = 1 << 30
MIB = 1 << 20


def allow_descriptors(count):
    """For this process and the servers it starts from now on."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    check(hard >= count, f"{count} descriptors are needed, the hard limit is {hard}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def all_answers(sockets, request):
    """Asks on each, all at once; how many whole answers of status 200 came."""
    good = 0
    with selectors.DefaultSelector() as waiting:
        for sock in sockets:
            sock.sendall(request)
            waiting.register(sock, selectors.EVENT_READ, bytearray())
        left = len(sockets)
        while left:
            ready = waiting.select(30)
            check(ready, f"{left} of {len(sockets)} were not answered")
            for key, _ in ready:
                more = key.fileobj.recv(4096)
                key.data.extend(more)
                if not more or key.data.endswith(b"Hello, World!"):
                    good += key.data.startswith(b"HTTP/1.1 200 ")
                    waiting.unregister(key.fileobj)
                    left -= 1
    return good


@pytest.mark.scale
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_ten_thousand_connections(start, mode):
    """Open at once, then each used, twice. A pool serves as many as it has workers."""
    allow_descriptors(MANY + 1000)
    server = start("--workers", "1024" if mode == "pool" else "2", "--idle-timeout", "300s", "--queue", "20000")
    count = 1024 if mode == "pool" else MANY
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_connection(server.address, 60)) for _ in range(count)]
        for _ in range(2):
            equal(all_answers(sockets, PLAIN), count, "connections answered")
    with server.connect() as wire:
        wire.kept()


@pytest.mark.scale
@pytest.mark.alone
@pytest.mark.timeout(90)
@pytest.mark.parametrize("path, script", params([("plaintext", "/plaintext", None), ("echo of 1 KiB", "/", "loadtest/scenarios/echo.lua")]))
def test_wrk_with_256_connections(start, path, script):
    """For 10 s, without an error or another status than 2xx."""
    server = start("--workers", "256")
    process.wrk(server, path, 256, 10, script=script)


def pump(size, sink, digest):
    """Writes so many bytes that do not repeat soon."""
    block = bytearray(hashlib.shake_128(b"echod").digest(MIB))
    with contextlib.suppress(BrokenPipeError), sink:
        for number in range(size // MIB):
            block[:8] = number.to_bytes(8, "big")
            digest.update(block)
            sink.write(block)


@pytest.mark.big
@pytest.mark.alone
@pytest.mark.timeout(600)
@pytest.mark.parametrize("arguments", params([("Content-Length", ("-H", f"Content-Length: {4 * GIB}", "-H", "Transfer-Encoding:")), ("chunked", ())]))
def test_four_gibibytes(start, arguments):
    """Through curl and back: the same, and the server holds little at any time."""
    server = start("--max-body-size", "8g")
    argv = ["curl", "--silent", "--show-error", "--noproxy", "*", "-T", "-", *arguments, f"{server.url}/echo"]
    curl = process.spawn(argv, stdin=-1, stdout=-1)
    sent, came, length, peak = hashlib.blake2b(), hashlib.blake2b(), 0, 0
    writer = threading.Thread(target=pump, args=(4 * GIB, curl.stdin, sent))
    writer.start()
    try:
        while block := curl.stdout.read(4 * MIB):
            came.update(block)
            length += len(block)
            peak = max(peak, sum(procfs.resident(pid) for pid in (server.pid, *procfs.children(server.pid))))
        equal(curl.wait(60), 0, "curl's status")
    finally:
        process.end(curl)
        writer.join()
    equal(length, 4 * GIB, "bytes that came back")
    equal(came.hexdigest(), sent.hexdigest(), "the checksum")
    at_most(peak, 32 * MIB, "memory of the server while it echoed")
