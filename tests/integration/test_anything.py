# SPDX-License-Identifier: MIT
"""/anything and /headers: the request as JSON, whatever bytes it is made of."""

import base64
import os

import pytest

from support.checks import check, equal
from support.corpus import LAST, METHODS, chunk, chunked, get, post, request
from support.rows import params
from support.wire import Wire


def ask(server, raw):
    return server.ask(raw).json()


def test_the_members(server, mode):
    got = ask(server, request(b"PATCH", b"/anything/a%20b/?c=d&e=%20", b"X-A: b\r\nContent-Length: 2\r\n", b"hi"))
    equal(got["method"], "PATCH", "method")
    equal(got["path"], "/anything/a%20b/", "path")
    equal(got["query"], "c=d&e=%20", "query")
    check(got["url"].endswith("/anything/a%20b/?c=d&e=%20"), f"url: {got['url']}")
    check(got["http_version"].endswith("1.1"), f"http_version: {got['http_version']}")
    equal(got["headers"], {"Host": ["x"], "X-A": ["b"], "Content-Length": ["2"]}, "headers")
    equal(got["body"], "hi", "body")
    check("body_encoding" not in got or got["body_encoding"] != "base64", "text needs no base64")
    check(not got["trailers"], f"trailers: {got['trailers']}")
    check(got["remote"].startswith("127.0.0.1"), f"remote: {got['remote']}")
    equal(got["mode"], mode, "mode")
    check(got["connection"]["id"] is not None, f"connection: {got['connection']}")
    host, port = server.address
    equal(got["local"], {"address": host, "port": port, "listener": f"{host}:{port}"}, "local")


def test_local(start, folder):
    """The connection's own address, and the listener that it came to."""
    path = os.path.join(folder, "socket")
    server = start("--listen", "*:0", "--listen", f"unix:{path}", listen=False, lines=3)
    port = server.address[1]
    for host in ("127.0.0.1", "127.0.0.2"):
        with Wire((host, port)) as wire:
            equal(wire.ask(get(b"/anything")).json()["local"], {"address": host, "port": port, "listener": f"0.0.0.0:{port}"}, "local")
    with Wire(("::1", server.addresses[1][1])) as wire:
        got = wire.ask(get(b"/anything")).json()["local"]
        equal(got, {"address": "::1", "port": server.addresses[1][1], "listener": f"[::]:{server.addresses[1][1]}"}, "local of IPv6")
    with Wire(path) as wire:
        equal(wire.ask(get(b"/anything")).json()["local"], {"listener": f"unix:{path}"}, "local of a unix socket")
    server.stop()


def test_the_environment_is_never_shown(start):
    """Which is what other servers show there, with its passwords."""
    server = start("--name", "x", env={"ECHOD_SECRET": "hush-4711", "PASSWORD": "hush-4711"})
    for path in (b"/", b"/anything", b"/headers", b"/ip", b"/version", b"/metrics", b"/echo", b"/status/500", b"/nowhere", b"/readyz"):
        check(b"hush-4711" not in server.ask(get(path)).body, f"{path} shows the environment")
    server.stop()


def test_without_an_authority_the_url_is_the_target(server):
    """RFC 9112, 3.3: there is no http URI without one."""
    got = ask(server, b"GET /anything?a HTTP/1.0\r\n\r\n")
    equal(got["url"], "/anything?a", "url")


def test_any_method(server):
    with server.connect() as wire:
        for method in METHODS:
            equal(wire.ask(request(method, b"/anything")).json()["method"], method.decode(), "method")


def test_head_has_no_body(server):
    with server.connect() as wire:
        answer = wire.ask(request(b"HEAD", b"/anything"))
        check(int(answer.get("Content-Length")) > 50, f"Content-Length: {answer.get('Content-Length')}")
        wire.kept()


def test_requests_of_a_connection_are_counted(server):
    with server.connect() as wire, server.connect() as other:
        first = wire.ask(get(b"/anything")).json()["connection"]
        wire.kept()
        second = wire.ask(get(b"/anything")).json()["connection"]
        equal(second["id"], first["id"], "the id of the same connection")
        check(other.ask(get(b"/anything")).json()["connection"]["id"] != first["id"], "two connections share an id")
        counts = [[value for key, value in sorted(item.items()) if key != "id"] for item in (first, second)]
        equal(counts[1], [counts[0][0] + 2], "requests so far")


def test_a_name_under_its_first_spelling(server):
    got = ask(server, get(b"/anything", b"X-One: 1\r\nx-ONE: 2\r\nX-Two: 3\r\nX-ONE:\t4 \r\n"))["headers"]
    equal(got, {"Host": ["x"], "X-One": ["1", "2", "4"], "X-Two": ["3"]}, "headers")


# name, body, whether it is text
BODIES = [
    ("nothing", b"", True), ("text", b"hello", True), ("UTF-8", "gr\u00fc\u00df \u20ac \U0001f600".encode(), True),
    ("quotes and backslashes", b'"\\/"', True), ("line ends and tabs", b"a\r\nb\tc", True), ("the noncharacter", b"\xef\xbf\xbf", True),
    ("not UTF-8", b"\xff\xfe", False), ("a cut sequence", b"a\xe2\x82", False), ("overlong", b"\xc0\xaf", False),
    ("a surrogate", b"\xed\xa0\x80", False), ("beyond Unicode", b"\xf4\x90\x80\x80", False), ("every byte", bytes(range(256)), False),
]


@pytest.mark.parametrize("data, text", params(BODIES))
def test_body(server, data, text):
    for raw in (post(b"/anything", data), chunked(b"/anything", (chunk(data) if data else b"") + LAST)):
        got = ask(server, raw)
        if text:
            equal(got["body"], data.decode(), "body")
        else:
            equal(got["body_encoding"], "base64", "body_encoding")
            equal(base64.b64decode(got["body"], validate=True), data, "body")


def test_control_bytes_in_a_body(server):
    """Text with escapes, or base64: the bytes must come back."""
    data = bytes(range(32)) + b"\x7f"
    got = ask(server, post(b"/anything", data))
    back = base64.b64decode(got["body"]) if got.get("body_encoding") == "base64" else got["body"].encode()
    equal(back, data, "body")


@pytest.mark.parametrize("in_chunks", params([("Content-Length", False), ("chunks", True)]))
def test_a_body_of_1_MiB(server, in_chunks):
    data = bytes(range(32, 127)) * 12000
    data = data[:1 << 20]
    with server.connect() as wire:
        if in_chunks:
            wire.send(chunked(b"/anything", b"".join(chunk(data[i:i + 50000]) for i in range(0, len(data), 50000)) + LAST))
        else:
            wire.send(post(b"/anything", data))
        got = wire.answer().json()
        check(got["body"] == data.decode(), "the body differs")
        wire.kept()


@pytest.mark.parametrize("in_chunks", params([("Content-Length", False), ("chunks", True)]))
def test_a_body_of_more_than_1_MiB(server, in_chunks):
    with server.connect() as wire:
        if in_chunks:
            wire.send_what_goes(chunked(b"/anything", chunk(b"a" * 65536) * 16 + chunk(b"b") + LAST))
        else:
            wire.send(post(b"/anything", b"")[:-4].replace(b"Content-Length: 0", b"Content-Length: 1048577") + b"\r\n\r\n")
        wire.problem(413)


@pytest.mark.parametrize("fields", params([
    ("obsolete text", b"X: \xe9\xff\r\n"), ("UTF-8", "X: \u20ac\r\n".encode()), ("quotes", b'X: "\\"\r\n'), ("tab", b"X: a\tb\r\n"),
    ("empty", b"X:\r\n"), ("a strange name", b"!#$%&'*+-.^_`|~: x\r\n"),
]))
def test_headers_are_json_whatever_they_hold(server, fields):
    for path in (b"/headers", b"/anything"):
        got = ask(server, get(path, fields))["headers"]
        equal(len(got), 2, f"headers in {got}")
        name = fields.split(b":")[0].decode()
        check(name in got, f"no {name} in {got}")
        value = fields.split(b":", 1)[1].strip()
        if all(32 <= byte < 127 or byte == 9 for byte in value):
            equal(got[name], [value.decode()], name)


def test_trailers(server):
    got = ask(server, chunked(b"/anything", chunk(b"a") + b"0\r\nX-T: 1\r\nx-t: 2\r\nY:\r\n\r\n"))
    equal(got["trailers"], {"X-T": ["1", "2"], "Y": [""]}, "trailers")
    check("X-T" not in got["headers"], f"trailers among the headers: {got['headers']}")


def test_absolute_form(server):
    """Authority and path come from the target."""
    got = ask(server, get(b"http://example.com:81/anything/a?b"))
    equal((got["path"], got["query"]), ("/anything/a", "b"), "path and query")
    check("example.com:81/anything/a?b" in got["url"], f"url: {got['url']}")


def test_a_target_with_quotes(server):
    got = ask(server, get(b"/anything/\\\"?\"'"))
    equal((got["path"], got["query"]), ('/anything/\\"', "\"'"), "path and query")


def test_on_1_0(server):
    check(ask(server, get(b"/anything", version=b"1.0"))["http_version"].endswith("1.0"), "http_version")
