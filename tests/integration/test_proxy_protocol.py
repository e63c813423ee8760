# SPDX-License-Identifier: MIT
"""`--proxy-protocol`: the client's address comes in a header of version 1 or 2, from haproxy for example."""

import contextlib
import os
import re
import signal
import socket
import struct
import time

import pytest

from support import settings
from support.admin import ask, start_with_admin
from support.checks import at_most, check, equal, until
from support.corpus import PLAIN, get, post
from support.passing import close_passed, passing
from support.rows import params
from support.server import many, parse_address
from support.wire import Wire
from test_check import run_check

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def version_2(command, family, addresses, tlvs=b""):
    rest = addresses + tlvs
    return SIGNATURE + bytes((0x20 | command, family)) + struct.pack(">H", len(rest)) + rest


def ipv4(source, port):
    return socket.inet_aton(source) + socket.inet_aton("192.0.2.9") + struct.pack(">HH", port, 80)


def ipv6(source, port):
    return socket.inet_pton(socket.AF_INET6, source) + socket.inet_pton(socket.AF_INET6, "2001:db8::9") + struct.pack(">HH", port, 80)


# name, header, the address that is told; None: the real one
GOOD = params([
    ("1, IPv4", b"PROXY TCP4 198.51.100.7 192.0.2.9 5000 80\r\n", "198.51.100.7:5000"),
    ("1, IPv6", b"PROXY TCP6 2001:db8::7 2001:db8::9 5000 80\r\n", "[2001:db8::7]:5000"),
    ("1, unknown", b"PROXY UNKNOWN\r\n", None), ("1, unknown and more", b"PROXY UNKNOWN 1 2 3 4\r\n", None),
    ("2, IPv4", version_2(1, 0x11, ipv4("198.51.100.7", 5000)), "198.51.100.7:5000"),
    ("2, IPv6", version_2(1, 0x21, ipv6("2001:db8::7", 5000)), "[2001:db8::7]:5000"),
    ("2, IPv4 with TLVs", version_2(1, 0x11, ipv4("198.51.100.7", 5000), b"\x04\x00\x10" + b"x" * 16), "198.51.100.7:5000"),
    ("2, local", version_2(0, 0, b""), None), ("2, local with addresses", version_2(0, 0x11, ipv4("198.51.100.7", 5000)), None),
    ("2, UDP", version_2(1, 0x12, ipv4("198.51.100.7", 5000)), None), ("2, unix", version_2(1, 0x31, b"x" * 216), None),
    ("2, as long as allowed", version_2(1, 0x11, ipv4("198.51.100.7", 5000), b"x" * (4096 - 28)), "198.51.100.7:5000"),
])
BAD = params([
    ("no header", PLAIN), ("bad family", b"PROXY TCP5 198.51.100.7 192.0.2.9 5000 80\r\n"), ("bad address", b"PROXY TCP4 1.2.3 192.0.2.9 5000 80\r\n"),
    ("bad port", b"PROXY TCP4 198.51.100.7 192.0.2.9 65536 80\r\n"), ("line feed only", b"PROXY UNKNOWN\n"), ("too long", b"PROXY UNKNOWN " + b"x" * 100),
    ("2, too long", version_2(1, 0x11, ipv4("198.51.100.7", 5000), b"x" * (4097 - 28))), ("2, bad version", SIGNATURE + b"\x31\x11\0\0"),
    ("2, too short", version_2(1, 0x11, b"x" * 11)), ("TLS", b"\x16\x03\x01\x02\x00\x01"),
])
flags = pytest.mark.flags("--proxy-protocol")


@flags
@pytest.mark.parametrize("header, remote", GOOD)
def test_good(server, header, remote):
    with server.connect() as wire:
        wire.send(header + get(b"/anything"))
        got = wire.answer().json()
        real = "127.0.0.1:%d" % wire.socket.getsockname()[1]
        equal(got["remote"], remote or real, "remote")
        equal((got["local"]["address"], got["local"]["port"]), server.address, "local")
        host = (remote or real).rsplit(":", 1)[0].strip("[]")
        equal(wire.ask(get(b"/ip")).json(), {"remote": host}, "/ip")
        equal(wire.ask(get(b"/anything", b"X-Forwarded-For: 203.0.113.1\r\n")).json()["remote"], remote or real, "remote, again")
        wire.kept()


@flags
@pytest.mark.parametrize("header", params([
    ("1", b"PROXY TCP4 198.51.100.7 192.0.2.9 5000 80\r\n"), ("2", version_2(1, 0x11, ipv4("198.51.100.7", 5000), b"tlv")),
]))
def test_split_at_every_byte(server, header):
    raw = header + get(b"/ip")
    for cut in range(1, len(header) + 2):
        with server.connect() as wire:
            wire.send(raw[:cut], raw[cut:])
            equal(wire.answer().json(), {"remote": "198.51.100.7"}, f"/ip, split at {cut}")
    with server.connect() as wire:
        wire.send(*(raw[at:at + 1] for at in range(len(raw))))
        equal(wire.answer().json(), {"remote": "198.51.100.7"}, "/ip, byte by byte")


@pytest.mark.parametrize("header", BAD)
def test_bad(start, header):
    server, admin = start_with_admin(start, "--proxy-protocol")
    with server.connect() as wire:
        wire.send_what_goes(header)
        check(not wire.fill(), f"came: {bytes(wire.received)!r}")
    page = ask(admin, get(b"/metrics")).body.decode()
    check("\nechod_bad_proxy_headers_total{" in page and page.split("\nechod_bad_proxy_headers_total{")[1].split()[1] == "1", "it is not counted")


def test_late(start):
    """The time runs from the accept, whatever comes meanwhile."""
    server, _ = start_with_admin(start, "--proxy-protocol", "--header-timeout", "700ms")
    for first in (b"", b"PROXY "):
        with server.connect() as wire:
            begin = time.monotonic()
            wire.send(first)
            if first:
                wire.trickle(b"TCP4 198.51.100.7 192.0.2.9 5000 ", 0.1)
            check(not wire.fill(), f"came: {bytes(wire.received)!r}")
            took = time.monotonic() - begin
            check(0.6 < took < settings.patience(3), f"it took {took:.2f} s")
    with server.connect() as wire:  # behind the header the request has its own time
        wire.send(b"PROXY UNKNOWN\r\n")
        check(not wire.readable(1), "an idle connection was closed")
        wire.kept()


def test_ends_without_a_header(start):
    """A check of the port, as load balancers do it: neither an answer nor a complaint."""
    server, admin = start_with_admin(start, "--proxy-protocol")
    with server.connect() as wire:
        wire.finish()
        wire.closed()
    check("echod_bad_proxy_headers_total{mode=" in ask(admin, get(b"/metrics")).body.decode(), "no such metric")
    server.stop()


def test_the_drain_waits_for_no_header(start):
    server, _ = start_with_admin(start, "--proxy-protocol")
    with server.connect() as one, server.connect() as two:
        one.send(b"PROXY UNKNOWN\r\n")
        one.kept()
        two.send(b"PROXY UNKNOWN\r\n" + PLAIN)
        equal(two.answer().status, 200, "status")
        with server.connect() as silent:
            begin = time.monotonic()
            server.signal(signal.SIGTERM)
            silent.closed()
            server.wait()
            at_most(time.monotonic() - begin, settings.patience(3), "seconds until the end")


def test_a_drain_answers_what_has_come(start, mode):
    """Though the server has read nothing of it yet."""
    count = 20 if mode in settings.PROCESS_EACH else 200
    server = start("--proxy-protocol")
    server.signal(signal.SIGSTOP)
    with many(server, count, seconds=settings.patience(20)) as wires:
        for wire in wires:
            wire.send(b"PROXY UNKNOWN\r\n" + post(b"/echo", b"hello"))
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        for wire in wires:
            equal(wire.answer().body, b"hello", "the answer")
    server.wait(0)


def test_a_drain_counts_no_header_as_lost(start):
    server = start("--proxy-protocol", "--drain-timeout", "200ms")
    with server.connect() as wire, server.connect() as kept:
        kept.send(b"PROXY UNKNOWN\r\n")
        kept.kept()
        wire.send(b"PROXY TC")
        server.signal(signal.SIGTERM)
        server.wait(0)


def test_a_full_server_does_not_answer_a_part_of_it(start, folder):
    """It is late; who has sent nothing at all is told that the server is full."""
    path = os.path.join(folder, "log")
    server, admin = start_with_admin(start, "--proxy-protocol", "--max-connections", "1", "--header-timeout", "300ms", "--access-log", path)
    with server.connect() as first:
        first.send(b"PROXY UNKNOWN\r\n")
        first.kept()
        with server.connect() as silent, server.connect() as wire:
            wire.send(b"PROXY TCP4 198.51.100.7 ")
            wire.closed()
            equal(silent.answer().status, 503, "status")
    check(re.search(r"^echod_bad_proxy_headers_total\S* 1$", ask(admin, get(b"/metrics")).body.decode(), re.MULTILINE), "it is not counted")
    server.stop()
    with open(path, encoding="ascii") as file:
        check("PROXY" not in file.read(), "a line of the log takes it for a request")


def test_a_full_server_reads_it(start):
    server = start("--proxy-protocol", "--max-connections", "1")
    with server.connect() as first:
        first.send(b"PROXY UNKNOWN\r\n")
        first.kept()
        for raw in (b"PROXY TCP4 198.51.100.7 192.0.2.9 5000 80\r\n" + PLAIN, version_2(1, 0x11, ipv4("198.51.100.7", 5000)) + get(b"/healthz")):
            with server.connect() as wire:
                wire.send(raw)
                equal(wire.answer().status, 200 if b"healthz" in raw else 503, "status")


def test_not_for_unix_sockets_nor_admin(start, folder):
    path = os.path.join(folder, "socket")
    server = start("--proxy-protocol", "--listen", f"unix:{path}", "--admin-listen", "127.0.0.1:0", lines=3)
    with Wire(path) as wire:
        equal(wire.ask(get(b"/ip")).json(), {"remote": "unix:"}, "/ip")
    with Wire(server.addresses[2]) as wire:
        equal(wire.ask(get(b"/healthz")).status, 200, "/healthz of admin")
    server.stop()


def test_inherited_sockets(start, folder):
    """By their family."""
    path = os.path.join(folder, "socket")
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(socket.AF_UNIX) as local:
        local.bind(path)
        local.listen()
        options = passing([tcp, local])
        server = start("--proxy-protocol", listen=False, lines=2, **options)
        close_passed(options)
        with Wire(parse_address(server.listening[0])) as wire:
            wire.send(b"PROXY TCP4 198.51.100.7 192.0.2.9 5000 80\r\n")
            equal(wire.ask(get(b"/ip")).json(), {"remote": "198.51.100.7"}, "/ip")
        with Wire(path) as wire:
            equal(wire.ask(get(b"/ip")).json(), {"remote": "unix:"}, "/ip of the unix socket")
        server.stop()


def test_in_the_log(start, folder):
    path = os.path.join(folder, "log")
    server = start("--proxy-protocol", "--access-log", path)
    with contextlib.suppress(ConnectionError), server.connect() as wire:
        wire.send(b"PROXY TCP4 198.51.100.7 192.0.2.9 5000 80\r\n" + PLAIN)
        equal(wire.answer().status, 200, "status")
    with server.connect() as wire:
        wire.send_what_goes(b"nonsense")
        check(not wire.fill(), "an answer came")
    server.stop()
    with open(path, encoding="ascii") as file:
        lines = file.read().splitlines()
    equal(len(lines), 1, "lines")
    check(lines[0].startswith("198.51.100.7 - - ["), lines[0])


def test_check(start, folder):
    path = os.path.join(folder, "socket")
    server = start("--proxy-protocol", "--listen", f"unix:{path}", "--admin-listen", "127.0.0.1:0", lines=3)
    port, admin = server.address[1], server.addresses[2][1]
    equal(run_check("--check", "--proxy-protocol", f"--listen=127.0.0.1:{port}")[0], 1, "without an admin listener there is no /healthz here")
    equal(run_check("--check", f"http://127.0.0.1:{port}/plaintext", "--proxy-protocol"), (0, ""), "with a URL")
    equal(run_check("--check", f"http://127.0.0.1:{port}/plaintext")[0], 1, "without the header")
    equal(run_check("--check", "--proxy-protocol", f"--listen=127.0.0.1:{port}", f"--admin-listen=127.0.0.1:{admin}"), (0, ""), "of admin")
    equal(run_check("--check", f"http://unix:{path}:/plaintext", "--proxy-protocol")[0], 0, "of a unix socket")
    equal(run_check("--check", f"http://127.0.0.1:{admin}/readyz", "--proxy-protocol", f"--admin-listen=127.0.0.1:{admin}"), (0, ""), "URL of admin")
    server.stop()
    server = start("--proxy-protocol")
    equal(run_check("--check", "--proxy-protocol", f"--listen=127.0.0.1:{server.address[1]}"), (0, ""), "of the server's own listener")
    equal(run_check("--check", env={"ECHOD_LISTEN": f"127.0.0.1:{server.address[1]}", "ECHOD_PROXY_PROTOCOL": "1"}), (0, ""), "by variables")
    server.stop()


def test_without_the_flag_it_is_no_request(server):
    with server.connect() as wire:
        wire.send(b"PROXY UNKNOWN\r\n")
        equal(wire.answer().status, 501, "status of what is no method of HTTP")


def test_open_connections_are_given_back(start):
    server, _ = start_with_admin(start, "--proxy-protocol")
    for _ in range(50):
        with server.connect() as wire:
            wire.send_what_goes(b"nonsense")
            check(not wire.fill(), "an answer came")
    with server.connect() as wire:
        wire.send(b"PROXY UNKNOWN\r\n")
        wire.kept()
    until(lambda: server.cpu_share(0.1) < 0.5, "it is quiet")
    server.stop()


@pytest.mark.modeless
def test_the_time_of_a_header_begins_before_the_worker_does(start):
    """In the pool it counts from the accept, too."""
    server = start("--workers", "1", "--header-timeout", "4s", "--proxy-protocol", mode="pool")
    with server.connect() as busy, server.connect() as silent:
        busy.send(b"PROXY UNKNOWN\r\n" + get(b"/block/3s"))
        begun = time.monotonic()
        equal(busy.answer().status, 200, "status")
        busy.close()
        check(silent.at_end(), "something came")
        at_most(time.monotonic() - begun, 6, "seconds until the silent one is closed")
