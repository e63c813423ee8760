# SPDX-License-Identifier: MIT
"""The table of paths: what each answers to the methods it takes, and to those it does not."""

import http
import itertools
import socket
import time

import pytest

from support.answer import check_problem
from support.checks import at_least, check, equal
from support.corpus import METHODS, get, post, request
from support.rows import params

TEXT = "text/plain"


@pytest.mark.parametrize("path, status, content_type, part", params([
    # name, path, status, content type or None for any, what the body holds
    ("root", b"/", 200, TEXT, b"/echo"),
    ("root with a query", b"/?a=b", 200, TEXT, b"/echo"),
    ("plaintext", b"/plaintext", 200, TEXT, b"Hello, World!"),
    ("bytes", b"/bytes/10", 200, None, b""),
    ("headers", b"/headers", 200, "application/json", b'"headers"'),
    ("ip", b"/ip", 200, None, b"127.0.0.1"),
    ("healthz", b"/healthz", 200, None, b""),
    ("readyz", b"/readyz", 200, None, b""),
    ("version", b"/version", 200, "application/json", b"echod"),
    ("echo", b"/echo", 200, "application/octet-stream", b""),
    ("echo below", b"/echo/a/b?c", 200, "application/octet-stream", b""),
    ("anything", b"/anything", 200, "application/json", b'"method"'),
    ("anything below", b"/anything/a/b?c", 200, "application/json", b'"method"'),
    ("status", b"/status/200", 200, TEXT, b"OK"),
]))
def test_get_and_head(server, path, status, content_type, part):
    with server.connect() as wire:
        got = wire.ask(get(path))
        equal(got.status, status, "status")
        if content_type:
            equal((got.get("Content-Type") or "").split(";")[0], content_type, "Content-Type")
        check(part in got.body, f"{part!r} is not in {got.body!r}")
        check(got.get("Content-Length") is not None, f"no Content-Length: {got.lines}")
        head = wire.ask(request(b"HEAD", path))
        equal((head.status, head.body), (status, b""), "the answer to HEAD")
        if path.split(b"?")[0] not in (b"/anything", b"/anything/a/b"):  # they tell the method
            equal(masked_names(head), masked_names(got), "the fields of HEAD")
        wire.kept()


def masked_names(answer):
    return [(name, value) for name, value in answer.names if name != "date"]


@pytest.mark.parametrize("path", params([("healthz", b"/healthz"), ("readyz", b"/readyz")]))
def test_probes_answer_options(server, path):
    """As haproxy's `option httpchk` asks."""
    allow = "GET, HEAD, OPTIONS"
    with server.connect() as wire:
        answer = wire.ask(request(b"OPTIONS", path))
        equal((answer.status, answer.get("Allow"), answer.body), (204, allow, b""), "the answer to OPTIONS")
        for method in METHODS:
            if method not in (b"GET", b"OPTIONS"):
                answer = wire.ask(request(method, path, b"Content-Length: 3\r\n", b"abc"))
                check_problem(answer, 405)
                equal(answer.get("Allow"), allow, f"Allow in the answer to {method.decode()}")
        wire.kept()
        wire.send(b"OPTIONS " + path + b" HTTP/1.0\r\n\r\n")
        equal(wire.answer().status, 204, "OPTIONS of 1.0 without Host, which is what haproxy sends")


@pytest.mark.parametrize("target, part", params([
    ("a tab", b"/a\tb", b"byte 0x09 at offset 2"), ("a control byte", b"/\x01", b"byte 0x01 at offset 1"),
    ("UTF-8", "/\N{LATIN SMALL LETTER E WITH ACUTE}".encode(), b"byte 0xC3 at offset 1"), ("DEL", b"/a?\x7f", b"byte 0x7F at offset 3"),
    ("a fragment", b"/a#b", b"byte 0x23 at offset 2"), ("user information", b"http://u@x/", b"byte 0x40 at offset 8"), ("a space", b"/a b", b"%20"),
    ("a question mark first", b"?a", b"byte 0x3F at offset 0"),
]))
def test_bad_target_names_the_byte(server, target, part):
    answer = server.ask(request(b"GET", target))
    check(part in check_problem(answer, 400).encode(), f"{part!r} is not in {answer.body!r}")
    check(answer.closes, "the connection stays open")


@pytest.mark.parametrize("query, status, body", params([
    ("code", b"code=503&numbytes=3&duration=0", 503, b"***"), ("no body", b"code=204", 204, b""),
    ("all", b"numbytes=2&duration=20ms&delay=20ms&code=201", 201, b"**"),
]))
def test_drip_parameters(server, query, status, body):
    with server.connect() as wire:
        answer = wire.ask(get(b"/drip?" + query))
        equal((answer.status, answer.body), (status, body), "the answer")
        wire.kept()


def test_drip_delays_the_head(server):
    with server.connect() as wire:
        begin = time.monotonic()
        equal(wire.ask(get(b"/drip?numbytes=1&duration=0&delay=300ms")).body, b"*", "the body")
        at_least(time.monotonic() - begin, 0.3, "seconds before the head")


@pytest.mark.parametrize("query", params([("unknown", b"rate=1"), ("misspelled", b"numbyte=1"), ("delay", b"delay=11"), ("code", b"code=100")]))
def test_drip_refuses(server, query):
    with server.connect() as wire:
        check_problem(wire.ask(get(b"/drip?" + query)), 400)
        wire.kept()


@pytest.mark.parametrize("path", (b"/plaintext", b"/bytes/10", b"/headers", b"/ip", b"/version", b"/drip", b"/sse"), ids=bytes.decode)
def test_only_get_and_head(server, path):
    with server.connect() as wire:
        for method in METHODS:
            if method != b"GET":
                answer = wire.ask(request(method, path, b"Content-Length: 3\r\n", b"abc"))
                check_problem(answer, 405)
                allowed = sorted(item.strip() for item in (answer.get("Allow") or "").split(","))
                equal(allowed, ["GET", "HEAD"], f"Allow in answer to {method.decode()}")
                check(not answer.closes, f"closed after {answer}")
        wire.kept()


@pytest.mark.parametrize("path", (
    b"/nowhere", b"/plaintext/", b"/plaintextx", b"/Plaintext", b"/plain%74ext", b"/echox", b"/anythingx", b"//echo",
    b"/./echo", b"/x/../echo", b"/healthz/", b"/%2fecho", b"/statusx/200", b"/bytesx/10", b"/index.html", b"/-"), ids=bytes.decode)
def test_unknown_path(server, path):
    """Paths match as sent: not decoded, not normalised."""
    with server.connect() as wire:
        for method in (b"GET", b"POST", b"OPTIONS"):
            answer = wire.ask(request(method, path, b"Content-Length: 3\r\n", b"abc"))
            check_problem(answer, 404)
            check(not answer.closes, f"closed after {answer}")
        head = wire.ask(request(b"HEAD", path))
        equal((head.status, head.body), (404, b""), "HEAD")
        wire.kept()


def test_plaintext_is_what_benchmarks_expect(server):
    answer = server.ask(get(b"/plaintext"))
    equal((answer.body, answer.get("Content-Length")), (b"Hello, World!", "13"), "body and length")
    equal(answer.get("Content-Type").split(";")[0], TEXT, "Content-Type")


def test_every_status(server):
    """Each code from 200 to 599, with the registered reason where there is one."""
    with server.connect() as wire:
        wire.send(*(b"".join(get(b"/status/%d" % code) for code in range(begin, begin + 100))
                    for begin in range(200, 600, 100)))
        for code in range(200, 600):
            answer = wire.answer()
            equal(answer.status, code, "status")
            check(not answer.closes, f"{code} closes")
            if code in (204, 205, 304):
                equal(answer.body, b"", f"the body of {code}")
            elif reason := REASONS.get(code):
                equal(answer.reason, reason, f"the reason of {code}")
                check(reason.encode() in answer.body, f"the text of {code} is {answer.body!r}")
        wire.kept()


# As IANA registers them; where Python is older, its names differ.
REASONS = {item.value: item.phrase for item in http.HTTPStatus if item.value not in (413, 414, 416, 418, 422)}
REASONS.update({413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"})


def test_status_to_any_method(server):
    with server.connect() as wire:
        for method, code in zip(METHODS, itertools.cycle((200, 404, 503))):
            answer = wire.ask(request(method, b"/status/%d" % code, b"Content-Length: 3\r\n", b"abc"))
            equal(answer.status, code, "status")
        wire.kept()


@pytest.mark.parametrize("path", (
    b"/status/199", b"/status/600", b"/status/100", b"/status/101", b"/status/0", b"/status/-200", b"/status/+200",
    b"/status/20", b"/status/2000", b"/status/abc", b"/status/20x", b"/status/%32%30%30", b"/status/99999999999999999999",
    b"/bytes/-1", b"/bytes/abc", b"/bytes/1073741825", b"/bytes/1x", b"/bytes/+1", b"/bytes/99999999999999999999",
    ), ids=bytes.decode)
def test_parameter_out_of_range(server, path):
    with server.connect() as wire:
        answer = wire.ask(get(path))
        detail = check_problem(answer, 400)
        allowed = ("200", "599") if b"status" in path else ("1",)
        check(all(item in detail for item in allowed), f"it does not say what is allowed: {detail}")
        check(not answer.closes, f"closed after {answer}")
        wire.kept()


@pytest.mark.parametrize("count", (0, 1, 2, 255, 256, 4096, 65536, 100000, 3000000))
def test_bytes_are_a_pattern(server, count):
    """The same bytes each time; fewer of them are the beginning of more."""
    with server.connect() as wire:
        answer = wire.ask(get(b"/bytes/%d" % count))
        equal(answer.get("Content-Length"), str(count), "Content-Length")
        longer = wire.ask(get(b"/bytes/%d" % (count + 1000)))
        equal(len(answer.body), count, "length")
        equal(longer.body[:count], answer.body, "the beginning of a longer one")


def test_bytes_to_a_gibibyte(server):
    with server.connect() as wire:
        head = wire.ask(request(b"HEAD", b"/bytes/1073741824"))
        equal((head.status, head.get("Content-Length")), (200, "1073741824"), "HEAD")
        wire.send(get(b"/bytes/1073741824"))
        while len(wire.received) < 1 << 20:
            check(wire.fill(), "it ended early")
    with server.connect() as wire:  # who went away in the middle does no harm
        wire.kept()


def test_bytes_to_1_0(server):
    with server.connect() as wire:
        wire.send(get(b"/bytes/1000", version=b"1.0"))
        answer = wire.answer()
        equal((answer.get("Content-Length"), len(answer.body)), ("1000", 1000), "length")
        wire.closed()


def test_ip_believes_no_header(server):
    answer = server.ask(get(b"/ip", b"X-Forwarded-For: 9.8.7.6\r\nForwarded: for=9.8.7.6\r\nX-Real-IP: 9.8.7.6\r\n"))
    check(b"9.8.7.6" not in answer.body and b"127.0.0.1" in answer.body, f"/ip says {answer.body!r}")


def test_version_tells_what_runs(server, mode):
    answer = server.ask(get(b"/version")).json()
    equal((answer.get("name"), answer.get("mode")), ("echod", mode), "name and mode")
    check(answer.get("version"), f"no version: {answer}")
    libraries = str(answer.get("libraries")).lower()
    check("libevent" in libraries and "llhttp" in libraries, f"libraries: {libraries}")


@pytest.mark.parametrize("version", params([("1.1", b"1.1"), ("1.0", b"1.0")]))
def test_options_of_the_server(server, version):
    with server.connect() as wire:
        answer = wire.ask(request(b"OPTIONS", b"*", b"Connection: keep-alive\r\n", version=version))
        equal((answer.status, answer.body), (204, b""), "answer")
        allowed = {item.strip() for item in (answer.get("Allow") or "").split(",")}
        check({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} <= allowed, f"Allow: {allowed}")
        wire.kept()


def test_options_with_a_body(server):
    with server.connect() as wire:
        answer = wire.ask(request(b"OPTIONS", b"*", b"Content-Length: 5\r\n", b"hello"))
        equal(answer.status, 204, "status")
        wire.kept()


def test_root_echoes_every_other_method(server):
    with server.connect() as wire:
        for method in METHODS[1:]:
            answer = wire.ask(request(method, b"/", b"Content-Length: 5\r\nContent-Type: a/b\r\n", b"hello"))
            equal((answer.status, answer.body, answer.get("Content-Type")), (200, b"hello", "a/b"), method.decode())
            equal(answer.get("Content-Security-Policy"), "sandbox", "Content-Security-Policy")
        wire.kept()


def test_a_name_of_this_host(server):
    answer = server.ask(post(b"/anything", b"")).json()
    equal(answer["hostname"], socket.gethostname(), "hostname")


def test_a_delay_is_never_too_short(server):
    """Seen by a client, a hundred times: a clock that is coarse must not end a wait."""
    with server.connect() as wire:
        for _ in range(100):
            begun = time.monotonic()
            equal(wire.ask(get(b"/delay/10ms")).status, 200, "status")
            at_least(time.monotonic() - begun, 0.01, "seconds")
