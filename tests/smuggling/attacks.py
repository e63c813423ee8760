# SPDX-License-Identifier: MIT
"""Ambiguous requests: each hides another one where a second reading of its framing would look for the next request."""

import itertools

WHOLE = b"GET /smuggled HTTP/1.1\r\nHost: smuggled\r\n\r\n"
PREFIX = b"GET /smuggled HTTP/1.1\r\nHost: smuggled\r\nX-Smuggled: "  # would swallow the next request's line

CODINGS = [
    b"Transfer-Encoding: chunked", b"Transfer-Encoding:chunked", b"Transfer-Encoding:\tchunked", b"Transfer-Encoding: chunked\t",
    b"Transfer-Encoding: chunked ", b"Transfer-Encoding: \x0bchunked", b"Transfer-Encoding: chunked\x0b",
    b"Transfer-Encoding : chunked", b"Transfer-Encoding\t: chunked", b" Transfer-Encoding: chunked",
    b"X: y\nTransfer-Encoding: chunked", b"X: y\rTransfer-Encoding: chunked", b"X: y\r\n Transfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked", b"Transfer-Encoding: chunked\r\n x", b"Transfer-Encoding\0: chunked",
    b"Transfer-Encoding: chunked\0", b"Transfer-Encoding: xchunked", b"Transfer-Encoding: chunkedx", b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: CHUNKED", b"tRANSFER-eNCODING: chunked", b"Transfer_Encoding: chunked", b"Transfer-Encoding: chunked;a=b",
    b"Transfer-Encoding: identity", b"Transfer-Encoding: identity, chunked", b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: gzip, chunked", b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: ,chunked",
    b"Transfer-Encoding: chunked,", b"Transfer-Encoding:", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding:",
    b"Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", b"TE: chunked\r\nTransfer-Encoding: \xc2\xa0chunked"]

LENGTHS = [
    b"%d", b" %d", b"\t%d", b"%d\t", b"%d \t ", b"+%d", b"-%d", b"0%d", b"0x%x", b"%d,%d", b"%d, %d", b"%d %d", b"%d.0", b"%de0", b"%d\x0b",
    b"\x0b%d", b"%d\0", b"%d;", b'"%d"', b"1844674407370955161%d", b"%d\r\nContent-Length: 0", b"0\r\nContent-Length: %d",
    b"%d\r\nContent-Length: %d", b"%d\r\nContent_Length: 0", b"0\r\nConnection: Content-Length\r\nX: %d",
    b"%d\r\nConnection: Content-Length", b"%d\r\nContent-Length:", b"%d\r\n 0", b"\r\n %d", b"0\nContent-Length: %d", b"%d\rX: y"]
NAMES = [b"Content-Length:", b"Content-Length :", b"Content-Length\t:", b" Content-Length:", b"content-length:", b"Content-Length\0:"]

# What stands for the size line of a chunk of `%x` bytes.
SIZES = [
    b"%x\r\n", b"%x \r\n", b"%x\t\r\n", b" %x\r\n", b"%x;a\r\n", b"%x ;a\r\n", b"%x; a\r\n", b"%x;\ta = b\r\n", b"%x ; a\t=\t\"b\" ; c\r\n",
    b"%x;a \r\n", b"%x;\r\n", b"%x;a=\"\r\n", b"%x;a=\"b\nc\"\r\n", b"%x;\n\r\n", b"%x;a\n\r\n", b"%x;a\rb\r\n", b"%x\n", b"%x\r", b"%x\r\r\n",
    b"%x\n\r\n", b"0x%x\r\n", b"+%x\r\n", b"-%x\r\n", b"%x_0\r\n", b"%xg\r\n", b"%x,0\r\n", b"%x.0\r\n", b"1%016x\r\n", b"00000000000000000%x\r\n",
    b"%x a=b\r\n", b"%x\0\r\n", b"%x\x0b\r\n", b"%x;a=b;a=\"\\\"\r\n", b"%x;\xff\r\n", b"%x;" + b"a" * 5000 + b"\r\n"]
LASTS = [b"0\r\n\r\n", b"0 \r\n\r\n", b"0;a\r\n\r\n", b"0 ; a = b\r\n\r\n", b"0\n\n", b"0\r\n\n", b"0\n\r\n", b"00\r\n\r\n", b"-0\r\n\r\n", b"0x0\r\n\r\n",
         b"0\r\nContent-Length: 50\r\n\r\n", b"0\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\nX : y\r\n\r\n", b"0\r\nX: y\n\r\n",
         b"0\r\n X: y\r\n\r\n", b"0\r\nHost: other\r\nConnection: close\r\n\r\n", b"0\r\n\rX\r\n\r\n", b"\r\n\r\n"]
ENDS = [b"\r\n", b"\n", b"\r", b"", b"\n\r", b" \r\n", b"X\r\n"]  # of a chunk's data

METHODS = [b"GET", b"HEAD", b"DELETE", b"OPTIONS", b"PUT", b"TRACE", b"PROPFIND", b"PATCH"]
LINES = [b"POST /echo HTTP/1.0", b"POST /echo HTTP/1.2", b"POST /echo HTTP/1.1\t", b"POST  /echo HTTP/1.1", b"POST /echo  HTTP/1.1",
         b"POST /echo\tHTTP/1.1", b"POST http://x/echo HTTP/1.1", b"POST /echo?%20 HTTP/1.1", b"POST /a b HTTP/1.1", b"post /echo HTTP/1.1",
         b"POST /echo", b"\r\nPOST /echo HTTP/1.1", b"\nPOST /echo HTTP/1.1", b"POST /echo#x HTTP/1.1"]
FIELDS = [b"Expect: 100-continue", b"Expect: 100-Continue\r\nExpect: x", b"Upgrade: websocket\r\nConnection: Upgrade",
          b"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nConnection: Upgrade, HTTP2-Settings", b"Connection: close",
          b"Connection: keep-alive, Content-Length", b"Connection: Host", b"Host: other", b"X-HTTP-Method-Override: GET", b"X",
          b"X : y", b"\0: y", b": y", b"X: \0", b"X: a\r\n\tb", b"X: a\rb", b"X: a\nb"]


def _request(framing, body, line=b"POST /echo HTTP/1.1"):
    return b"%s\r\nHost: x\r\n%s\r\n\r\n%s" % (line, framing, body)


def _chunked(body):
    return _request(b"Transfer-Encoding: chunked", body)


def _filled(template, number):
    return template % ((number,) * (template.count(b"%d") + template.count(b"%x") + template.count(b"%016x")))


def _codings(hidden):
    for coding in CODINGS:
        body = b"0\r\n\r\n" + hidden
        yield _request(b"Content-Length: %d\r\n%s" % (len(body), coding), body)
        yield _request(b"%s\r\nContent-Length: 4" % coding, b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden))
        yield _request(coding, body)


def _lengths(hidden):
    for length in LENGTHS:
        yield _request(b"Content-Length:" + (b"" if length[:1] in b"\r\t" else b" ") + _filled(length, len(hidden)), hidden)
    for name in NAMES:
        yield _request(b"%s %d" % (name, len(hidden)), hidden)
        yield _request(b"%s 0\r\nContent-Length: %d" % (name, len(hidden)), hidden)


def _chunks(hidden):
    for size in SIZES:
        yield _chunked(_filled(size, len(hidden)) + hidden + b"\r\n0\r\n\r\n")
        yield _chunked(_filled(size, 5) + b"hello\r\n0\r\n\r\n" + hidden)
    for last in LASTS:
        yield _chunked(b"5\r\nhello\r\n" + last + hidden)
    for end in ENDS:
        yield _chunked(b"5\r\nhello" + end + b"0\r\n\r\n" + hidden)
        yield _chunked(b"5\r\nhello" + end + b"%x\r\n%s\r\n0\r\n\r\n" % (len(hidden), hidden))


def _others(hidden):
    length = b"Content-Length: %d" % len(hidden)
    for method, path in itertools.product(METHODS, (b"/echo", b"/plaintext")):
        yield _request(length, hidden, b"%s %s HTTP/1.1" % (method, path))
    for line in LINES:
        yield _request(length, hidden, line)
        yield _request(b"Transfer-Encoding: chunked", b"0\r\n\r\n" + hidden, line)
    for field in FIELDS:
        yield _request(length + b"\r\n" + field, hidden)


def generate():
    """Every request once, with a whole one hidden in it and with the beginning of one."""
    for hidden in (WHOLE, PREFIX):
        for kind in (_codings, _lengths, _chunks, _others):
            yield from kind(hidden)


ATTACKS = list(dict.fromkeys(generate()))
