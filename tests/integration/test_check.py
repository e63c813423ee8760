# SPDX-License-Identifier: MIT
"""`--check [URL]`: the client that is built in, against servers good and bad."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest

from support import ports, process, settings
from support.checks import at_most, check, equal
from support.rows import params
from support.server import environment
from test_lifecycle import check_refused, run


def run_check(*flags, wrapper=(), program=None, env=None, **options):
    """Runs the check; its exit status and stderr."""
    child = process.spawn([*wrapper, program or settings.server_path, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=environment(env), **options)
    try:
        output, errors = child.communicate(timeout=settings.patience(30))
    finally:
        process.end(child)
    equal(output, b"", "stdout")
    return child.returncode, errors.decode()


def check_url(url, **options):
    return run_check("--check", url, **options)


def good(url, **options):
    equal(check_url(url, **options), (0, ""), f"--check {url}")


def bad(url, *parts, **options):
    status, errors = check_url(url, **options)
    equal(status, 1, f"--check {url} ({errors!r})")
    check(errors.endswith("\n") and errors.count("\n") == 1, f"expected one line on stderr, got {errors!r}")
    for part in (url[:100], *parts):
        check(part in errors, f"{part!r} is not in {errors!r}")


def test_of_a_server(server):
    for path in ("/healthz", "/readyz", "", "?x=y", "?", "/status/299", "/echo?status=200", "/plaintext#part", "/bytes/1000000"):
        good(server.url + path)
    for path, part in (("/status/404", "404 Not Found"), ("/status/503", "503"), ("/status/300", "300"), ("/nowhere", "404")):
        bad(server.url + path, part)


def test_of_each_kind_of_address(start, folder):
    path = os.path.join(folder, "socket")
    server = start("--listen", "[::1]:0", "--listen", f"unix:{path}", lines=3)
    port, port6 = server.addresses[0][1], server.addresses[1][1]
    for url in (f"http://127.0.0.1:{port}/", f"http://[::1]:{port6}/", f"http://localhost:{port}/", f"http://localhost:{port6}/",
                f"http://unix:{path}:/healthz", f"HTTP://LOCALHOST:{port}/"):
        good(url)
    bad(f"http://unix:{path}:/nix", "404")
    bad(f"http://unix:{path}x:/", "No such file")


def test_by_its_variable(server):
    child = process.spawn([settings.server_path], env=environment({"ECHOD_CHECK": server.url + "/healthz"}))
    try:
        equal(child.wait(settings.patience(15)), 0, "exit status")
    finally:
        process.end(child)


# name, where the server listens, its flags beside --check or its variables for the check; {} is the first port
OWN = [
    ("an address", ["127.0.0.1:0"], ["--listen", "127.0.0.1:{}"], {}),
    ("all of IPv4", ["0.0.0.0:0"], ["--listen", "0.0.0.0:{}"], {}),
    ("all of IPv6", ["[::]:0"], ["--listen=[::]:{}"], {}),
    ("an address of IPv6", ["[::1]:0"], ["--listen=[::1]:{}"], {}),
    ("all", ["*:0"], ["--listen", "*:{}"], {}),
    ("localhost", ["localhost:0"], ["--listen", "localhost:{}"], {}),
    ("the first of two", ["127.0.0.1:0"], ["--listen", "127.0.0.1:{}", "--listen", "127.0.0.1:1"], {}),
    ("by its variable", ["127.0.0.1:0"], [], {"ECHOD_LISTEN": " 127.0.0.1:{} , 127.0.0.1:1", "PORT": "1"}),
    ("a flag before the variable", ["127.0.0.1:0"], ["--listen", "127.0.0.1:{}"], {"ECHOD_LISTEN": "127.0.0.1:1"}),
    ("by PORT", ["*:0"], [], {"PORT": "{}"}),
    ("by PORT, with empty variables", ["*:0"], [], {"PORT": "{}", "ECHOD_LISTEN": "", "ECHOD_ADMIN_LISTEN": "", "ECHOD_CHECK": ""}),
]


@pytest.mark.modeless
@pytest.mark.parametrize("listeners, flags, env", params(OWN))
def test_without_a_url(start, listeners, flags, env):
    """It follows the settings that the server has."""
    server = start(*(part for item in listeners for part in ("--listen", item)), mode="event", listen=False,
                   lines=2 if listeners[0].startswith(("*", "localhost")) else 1)
    port = server.address[1]
    result = run_check(*(item.format(port) for item in flags), "--check",
                       env={name: value.format(port) for name, value in env.items()})
    equal(result, (0, ""), "the check's status and stderr")


def test_without_a_url_of_the_admin_listener(start, folder):
    """Which serves /healthz where there is one, and the other does not; of a unix socket with a path that no URL could hold."""
    path = os.path.join(folder, "a: b?#%")
    server = start("--admin-listen", "127.0.0.1:0", "--admin-listen", f"unix:{path}", lines=3)
    main, admin = (address[1] for address in server.addresses[:2])
    flags = ("--listen", f"127.0.0.1:{main}", "--check")
    equal(run_check(*flags, "--admin-listen", f"127.0.0.1:{admin}"), (0, ""), "by the flag")
    equal(run_check(*flags, env={"ECHOD_ADMIN_LISTEN": f"127.0.0.1:{admin}"}), (0, ""), "by the variable")
    equal(run_check(*flags, "--admin-listen", f"unix:{path}"), (0, ""), "a unix socket")
    status, errors = run_check(*flags)
    equal((status, f"http://127.0.0.1:{main}/healthz: answered 404" in errors), (1, True), f"not of the other: {errors!r}")
    server.stop()
    status, errors = run_check("--check", "--admin-listen", f"unix:{path}")
    equal((status, f"http://unix:{path}:/healthz: No such file" in errors), (1, True), f"of none: {errors!r}")


@pytest.mark.parametrize("flags, env, name", params([
    ("of --listen", ["--listen", "*:0"], {}, "--listen"), ("of its variable", [], {"ECHOD_LISTEN": "*:0,*:1"}, "--listen"),
    ("of PORT", [], {"PORT": "0"}, "PORT"), ("of --admin-listen", ["--admin-listen=*:0"], {"PORT": "1"}, "--admin-listen"),
]))
def test_without_a_url_port_0(flags, env, name):
    check_refused(run("--check", *flags, env=env), 2, "--check", name, "port 0", "allowed")


def test_a_link_local_address_has_no_zone_in_its_host_field(start):
    """RFC 6874, 4: the zone means something on this machine only."""
    server = start("--listen", "[::1%lo]:0", listen=False)
    port = server.address[1]
    good(f"http://[::1%lo]:{port}/healthz")
    equal(run_check("--check", "--listen", f"[::1%lo]:{port}"), (0, ""), "without a URL")


def test_of_a_server_that_drains(start):
    server = start("--drain-delay", "30s")
    good(server.url + "/readyz")
    with server.connect() as wire:
        server.signal(15)
        while wire.ask(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n").status == 200:
            wire.close()
            wire = server.connect()  # noqa: PLW2901
    bad(server.url + "/readyz", "503")
    good(server.url + "/healthz")
    server.signal(15)
    server.wait(143)


@pytest.mark.parametrize("url", params([(repr(url[:30]), url) for url in (
    "", "nix", "https://127.0.0.1/", "http://example.com/", "http://127.0.0.1:0/", "http://127.0.0.1:x/", "http://*:80/",
    "http://::1/", "http://127.0.0.1/a b", "http://127.0.0.1/\n", "http://unix:", "ftp://127.0.0.1/", "http://127.0.0.1/" + "x" * 2048)]))
def test_a_malformed_url(url):
    check_refused(run("--check", url), 2, "--check")


class Fake:
    """Accepts one connection, reads a request, and does with it what `answer` says."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d/" % self.listener.getsockname()[1]
        self.answer = answer
        self.request = b""
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join()
        self.listener.close()

    def serve(self):
        connection = self.listener.accept()[0]
        with connection:
            while b"\r\n\r\n" not in self.request:
                self.request += connection.recv(4096)
            self.answer(connection)


ANSWERS = [
    ("in single bytes", [bytes((byte,)) for byte in b"HTTP/1.1 204 No Content\r\n\r\n"], 0, ""),
    ("an interim one first", [b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], 0, ""),
    ("both at once", [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"], 1, "500"),
    ("a redirection", [b"HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"], 1, "301"),
    ("of HTTP/1.0", [b"HTTP/1.0 200 OK\r\n\r\nhello"], 0, ""),
    ("none", [], 1, "closed without an answer"),
    ("half a head", [b"HTTP/1.1 200 OK\r\nContent-"], 1, "closed without an answer"),
    ("another protocol", [b"SSH-2.0-OpenSSH_9.2\r\n"], 1, "not HTTP"),
    ("a status of two digits", [b"HTTP/1.1 20 OK\r\n\r\n"], 1, "not HTTP"),
    ("of HTTP/2.0", [b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n"], 1, "not HTTP/1.x"),
    ("of HTTP/0.9", [b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n"], 1, "not HTTP/1.x"),
    ("an interim one of HTTP/2.0", [b"HTTP/2.0 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"], 1, "not HTTP/1.x"),
]


@pytest.mark.parametrize("pieces, status, part", params(ANSWERS))
def test_an_answer(pieces, status, part):
    def answer(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):  # who has read enough closes
            for piece in pieces:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
            connection.recv(1)

    with Fake(answer) as fake:
        good(fake.url) if status == 0 else bad(fake.url, part)
    line, *fields = fake.request.decode().split("\r\n")
    equal(line, "GET / HTTP/1.1", "the request line")
    check("Host: " + fake.url[len("http://"):-1] in fields and "Connection: close" in fields, f"fields: {fields}")


def test_a_head_without_an_end():
    def answer(connection):
        try:
            connection.sendall(b"HTTP/1.1 200 OK\r\nA: " + b"x" * (1 << 20))
        except OSError:
            pass

    with Fake(answer) as fake:
        bad(fake.url, "head of the answer is incomplete")


@pytest.mark.slow
def test_a_silent_server():
    """It is given up, and not at once."""
    begin = time.monotonic()
    with Fake(lambda connection: connection.recv(1)) as fake:
        bad(fake.url, "no answer in time")
    check(time.monotonic() - begin > 2, "it gave up too soon")
    at_most(time.monotonic() - begin, settings.patience(20), "seconds until it gave up")


def test_nobody_listens():
    port = ports.free()
    bad(f"http://127.0.0.1:{port}/", "refused")
    bad(f"http://localhost:{port}/", "refused")


@pytest.mark.modeless
def test_in_an_empty_root(start, folder):
    """A static executable needs nothing beside it."""
    with open(settings.server_path, "rb") as program:
        if os.getuid() != 0 or b"/ld-linux" in program.read():
            pytest.skip("needs root and a static executable")
    server = start(mode="event")
    shutil.copy(settings.server_path, os.path.join(folder, "echod"))
    for host in ("127.0.0.1", "localhost"):
        good(f"http://{host}:{server.address[1]}/healthz", wrapper=("chroot", folder), program="/echod", cwd="/")
