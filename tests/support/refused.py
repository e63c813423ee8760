# SPDX-License-Identifier: MIT
"""The table of refusals, row by row: bytes that are answered with one status and then closed."""

H = b"Host: x\r\n"
END = b"\r\n"
HIDDEN = b"GET /status/299 HTTP/1.1\r\nHost: x\r\n\r\n"  # behind what is refused; never answered


def _line(text, fields=H):
    return text + b"\r\n" + fields + END


def _field(text):
    return b"GET /plaintext HTTP/1.1\r\n" + H + text + b"\r\n" + END


def _post(fields, body=b"hello"):
    return b"POST /echo HTTP/1.1\r\n" + H + fields + END + body


def _chunks(body, coding=b"chunked"):
    return _post(b"Transfer-Encoding: " + coding + b"\r\n", body)


METHODS = [
    ("unknown method", _line(b"FOO /plaintext HTTP/1.1"), 501),
    ("method in lower case", _line(b"get /plaintext HTTP/1.1"), 501),
    ("method that begins as a known one", _line(b"GETS /plaintext HTTP/1.1"), 501),
    ("known method cut short", _line(b"POS /plaintext HTTP/1.1"), 501),
    ("method of odd token bytes", _line(b"!#$%&'*+-.^_`|~9 / HTTP/1.1"), 501),
    ("method of 32 characters", _line(b"M" * 32 + b" / HTTP/1.1"), 501),
    ("method of 33 characters", _line(b"M" * 33 + b" / HTTP/1.1"), 400),
    ("unknown method with another version", _line(b"FOO / HTTP/3.0"), 501),
    ("unknown method with a body", _line(b"FOO / HTTP/1.1", H + b"Content-Length: 5\r\n") + b"hello", 501),
    ("CONNECT", _line(b"CONNECT x:443 HTTP/1.1"), 501),
    ("CONNECT with a body", _line(b"CONNECT x:443 HTTP/1.1", H + b"Content-Length: 5\r\n") + b"hello", 501),
    ("method with a byte that is no token", _line(b"G(T / HTTP/1.1"), 400),
    ("method with a byte above ASCII", _line(b"G\xc3\x89T / HTTP/1.1"), 400),
    ("tab behind the method", _line(b"GET\t/plaintext HTTP/1.1"), 400),
    ("method alone", _line(b"GET"), 400),
    ("unknown method alone", _line(b"FOO"), 400),
    ("space before the method", _line(b" GET / HTTP/1.1"), 400),
]

VERSIONS = [
    ("HTTP/2.0", _line(b"GET / HTTP/2.0"), 505),
    ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", 505),
    ("HTTP/0.9 spelled out", _line(b"GET / HTTP/0.9"), 505),
    ("HTTP/3.0", _line(b"POST /echo HTTP/3.0"), 505),
    ("HTTP/9.9", _line(b"GET / HTTP/9.9"), 505),
    ("HTTP/1.2", _line(b"GET / HTTP/1.2"), 505),
    ("HTTP/1.9", _line(b"GET / HTTP/1.9"), 505),
    ("HTTP/1.10", _line(b"GET / HTTP/1.10"), 400),
    ("HTTP/11.1", _line(b"GET / HTTP/11.1"), 400),
    ("HTTP/1", _line(b"GET / HTTP/1"), 400),
    ("HTTP/1,1", _line(b"GET / HTTP/1,1"), 400),
    ("HTTP/x.1", _line(b"GET / HTTP/x.1"), 400),
    ("http/1.1", _line(b"GET / http/1.1"), 400),
    ("RTSP/1.0", _line(b"GET / RTSP/1.0"), 400),
    ("ICE/1.0", _line(b"SOURCE / ICE/1.0"), 400),
    ("no version", _line(b"GET /plaintext"), 400),
    ("no version but a space", _line(b"GET /plaintext "), 400),
    ("a space behind the version", _line(b"GET /plaintext HTTP/1.1 "), 400),
    ("a word behind the version", _line(b"GET /plaintext HTTP/1.1 x"), 400),
]

LINES = [
    ("TLS", b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + bytes(range(32)) + b"\r\n\r\n", 400),
    ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", 400),
    ("a NUL first", b"\x00GET / HTTP/1.1\r\n" + H + END, 400),
    ("an answer", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    ("two spaces behind the method", _line(b"GET  /plaintext HTTP/1.1"), 400),
    ("two spaces behind the target", _line(b"GET /plaintext  HTTP/1.1"), 400),
    ("no slash", _line(b"GET plaintext HTTP/1.1"), 400),
    ("* with GET", _line(b"GET * HTTP/1.1"), 400),
    ("* and more with OPTIONS", _line(b"OPTIONS *x HTTP/1.1"), 400),
    ("a space in the target", _line(b"GET /plain text HTTP/1.1"), 400),
    ("a control byte in the target", _line(b"GET /plain\x01text HTTP/1.1"), 400),
    ("NUL in the target", _line(b"GET /plaintext\x00 HTTP/1.1"), 400),
    ("DEL in the target", _line(b"GET /plaintext\x7f HTTP/1.1"), 400),
    ("a byte above ASCII in the target", _line(b"GET /pl\xc3\xa4in HTTP/1.1"), 400),
    ("a fragment", _line(b"GET /plaintext#x HTTP/1.1"), 400),
    ("authority form", _line(b"GET x:80 HTTP/1.1"), 400),
    ("absolute form without authority", _line(b"GET http:///plaintext HTTP/1.1"), 400),
    ("absolute form with a bad authority", _line(b"GET http://a[b/plaintext HTTP/1.1"), 400),
    ("LF ends the request line", b"GET /plaintext HTTP/1.1\n" + H + END, 400),
    ("CR ends the request line", b"GET /plaintext HTTP/1.1\rHost: x\r\n" + END, 400),
    ("an empty line of LF before", b"\nGET /plaintext HTTP/1.1\r\n" + H + END, 400),
    ("an empty line of CR before", b"\rGET /plaintext HTTP/1.1\r\n" + H + END, 400),
    ("nine empty lines", b"\r\n" * 9 + b"GET /plaintext HTTP/1.1\r\n" + H + END, 400),
    ("nothing but empty lines", b"\r\n" * 9, 400),
]

HOSTS = [
    ("no Host", b"GET /plaintext HTTP/1.1\r\n\r\n", 400),
    ("no Host with absolute form", b"GET http://x/plaintext HTTP/1.1\r\n\r\n", 400),
    ("two Hosts", _field(b"Host: x"), 400),
    ("two Hosts on 1.0", b"GET /plaintext HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400),
    ("two Hosts with absolute form", b"GET http://x/plaintext HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n", 400),
    ("bad Host on 1.0", b"GET /plaintext HTTP/1.0\r\nHost: x/y\r\n\r\n", 400),
    ("bad Host with absolute form", b"GET http://x/plaintext HTTP/1.1\r\nHost: x/y\r\n\r\n", 400),
] + [
    (f"Host {name}", b"GET /plaintext HTTP/1.1\r\nHost: " + value + b"\r\n\r\n", 400) for name, value in (
        ("with a space", b"a b"), ("with a slash", b"a/b"), ("with a backslash", b"a\\b"), ("with a query", b"a?b"),
        ("with a fragment", b"a#b"), ("with user information", b"u@a"), ("with a bad escape", b"a%zz"),
        ("with a cut escape", b"a%4"), ("with a port of letters", b"a:b"), ("with two ports", b"a:80:90"),
        ("with angle brackets", b"<a>"), ("with quotes", b'"a"'), ("above ASCII", b"\xc3\xa4"), ("with a tab", b"a\tb"),
        ("that is half an IPv6 address", b"[::1"), ("with something behind an IPv6 address", b"[::1]x"),
        ("that is no IPv6 address", b"[::g]"), ("that is an IPv6 address without brackets", b"::1"),
        ("with empty brackets", b"[]"), ("that is a list", b"a, b"), ("that is a URL", b"http://a"),
    )
]

FRAMING = [
    ("Content-Length with Transfer-Encoding", _post(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    ("Transfer-Encoding with Content-Length", _post(b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n"), 400),
    ("Content-Length 0 with Transfer-Encoding", _post(b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    ("Content-Length with another coding", _post(b"Content-Length: 5\r\nTransfer-Encoding: gzip\r\n"), 400),
    ("Content-Length twice", _post(b"Content-Length: 5\r\nContent-Length: 5\r\n"), 400),
    ("two Content-Lengths", _post(b"Content-Length: 5\r\nContent-Length: 6\r\n"), 400),
    ("Content-Length twice in a GET", _field(b"Content-Length: 0\r\nContent-Length: 0"), 400),
    ("Transfer-Encoding on 1.0", _chunks(b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    ("Transfer-Encoding on 1.0, kept",
     _post(b"Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n").replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    ("another coding on 1.0", _chunks(b"", b"gzip").replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
    ("chunked in two fields", _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 400),
    ("a coding in two fields", _post(b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"), 501),
    ("a coding behind chunked in two fields",
     _post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", b"0\r\n\r\n"), 400),
] + [
    (f"Content-Length {name}", _post(b"Content-Length:" + value + b"\r\n"), 400) for name, value in (
        ("of nothing", b""), ("of a space", b" "), ("with a sign", b" +5"), ("below zero", b" -5"), ("in hexadecimal", b" 0x5"),
        ("with a space inside", b" 5 5"), ("that is a list", b" 5, 5"), ("of a word", b" five"), ("with a fraction", b" 5.0"),
        ("with more behind", b" 5;"), ("with a comma", b" 5,"),
    )
] + [
    (f"Transfer-Encoding {name}", _chunks(b"0\r\n\r\n", value), status) for name, value, status in (
        ("gzip", b"gzip", 400), ("identity", b"identity", 400), ("of nothing", b"", 400), ("gzip, chunked", b"gzip, chunked", 501),
        ("x-unknown ,chunked", b"x-unknown ,chunked", 501), ("identity, chunked", b"identity, chunked", 501),
        ("chunked, gzip", b"chunked, gzip", 400), ("chunked, chunked", b"chunked, chunked", 400),
        ("with an empty coding behind", b"chunked,", 400), ("with an empty coding before", b",chunked", 400),
        ("with an empty coding between", b"gzip,, chunked", 400), ("xchunked", b"xchunked", 400), ("chunkedx", b"chunkedx", 400),
        ("chunked in quotes", b'"chunked"', 400), ("with a vertical tab", b"\x0bchunked", 400), ("chunked chunked", b"chunked chunked", 400),
    )
]

FIELDS = [
    ("LF ends a field", b"GET /plaintext HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", 400),
    ("CR ends a field", b"GET /plaintext HTTP/1.1\r\nHost: x\rX: y\r\n\r\n", 400),
    ("LF ends the header section", b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\n", 400),
    ("CR before the end of the header section", b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\r\n", 400),
] + [
    (name, _field(text), 400) for name, text in (
        ("a space before the colon", b"X : y"), ("a tab before the colon", b"X\t: y"), ("a folded line", b"X: y\r\n z"),
        ("a line folded by a tab", b"X: y\r\n\tz"), ("a folded line of blanks", b"X: y\r\n  "), ("no name", b": y"), ("no colon", b"X"), ("a space in a name", b"X Y: z"),
        ("a bracket in a name", b"X(Y): z"), ("a byte above ASCII in a name", b"X\xe9: z"), ("NUL in a name", b"X\x00: z"),
        ("NUL in a value", b"X: a\x00b"), ("a control byte in a value", b"X: a\x01b"), ("DEL in a value", b"X: a\x7fb"),
        ("a vertical tab in a value", b"X: a\x0bb"), ("an escape in a value", b"X: \x1b[0m"), ("CR in a value", b"X: a\rb"),
        ("two CRs at the end of a field", b"X: a\r"),
    )
] + [
    ("a space before the first field", b"GET /plaintext HTTP/1.1\r\n X: y\r\nHost: x\r\n\r\n", 400),
    ("a space before Transfer-Encoding's colon", _post(b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n"), 400),
]

CHUNKS = [
    (f"chunk {name}", _chunks(body), 400) for name, body in (
        ("size of letters", b"xyz\r\nhello\r\n0\r\n\r\n"), ("without a size", b"\r\nhello\r\n0\r\n\r\n"),
        ("size behind a space", b" 5\r\nhello\r\n0\r\n\r\n"), ("size before a space", b"5 \r\nhello\r\n0\r\n\r\n"),
        ("size before a tab", b"5\t\r\nhello\r\n0\r\n\r\n"),
        ("size with 0x", b"0x5\r\nhello\r\n0\r\n\r\n"), ("size with a plus", b"+5\r\nhello\r\n0\r\n\r\n"),
        ("size below zero", b"-5\r\nhello\r\n0\r\n\r\n"), ("size with an underscore", b"1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n"),
        ("size that ends with LF", b"5\nhello\r\n0\r\n\r\n"), ("size that ends with CR", b"5\rhello\r\n0\r\n\r\n"),
        ("with only an extension", b";a\r\nhello\r\n0\r\n\r\n"),
        ("extension with LF", b"5;a\nb\r\nhello\r\n0\r\n\r\n"), ("extension with CR", b"5;a\rb\r\nhello\r\n0\r\n\r\n"),
        ("extension with NUL", b"5;a\x00b\r\nhello\r\n0\r\n\r\n"), ("extension that LF ends", b"5;a\nhello\r\n0\r\n\r\n"),
        ("longer than its size", b"5\r\nhello!\r\n0\r\n\r\n"), ("shorter than its size", b"6\r\nhello\r\n0\r\n\r\n"),
        ("that LF ends", b"5\r\nhello\n0\r\n\r\n"), ("that CR ends", b"5\r\nhello\r0\r\n\r\n"), ("without an end", b"5\r\nhello0\r\n\r\n"),
        ("last one that LF ends", b"5\r\nhello\r\n0\n\r\n"), ("section that LF ends", b"5\r\nhello\r\n0\r\n\n"),
        ("size line of more than 4 KiB", b"5;" + b"a" * 4200 + b"\r\nhello\r\n0\r\n\r\n"),
        ("size of too many zeros", b"0" * 4200 + b"5\r\nhello\r\n0\r\n\r\n"),
        ("framing of too many extensions", b"".join(b"1;%s\r\nx\r\n" % (b"a" * 4000) for _ in range(20)) + b"0\r\n\r\n"),
        ("framing of too many chunks", b"1\r\nx\r\n" * 20000 + b"0\r\n\r\n"),
        ("trailer with a space in its name", b"0\r\nX Y: 1\r\n\r\n"), ("trailer with a space before the colon", b"0\r\nX : 1\r\n\r\n"),
        ("trailer that LF ends", b"0\r\nX: 1\n\r\n"), ("trailer that is folded", b"0\r\nX: 1\r\n 2\r\n\r\n"),
        ("trailer with NUL", b"0\r\nX: \x00\r\n\r\n"), ("trailer without a colon", b"0\r\nX\r\n\r\n"),
    )
]

LIMITS = [  # with the defaults
    ("Content-Length above the limit", _post(b"Content-Length: 67108865\r\n", b""), 413),
    ("Content-Length above 32 bits", _post(b"Content-Length: 4294967301\r\n"), 413),
    ("Content-Length of 64 bits", _post(b"Content-Length: 18446744073709551615\r\n"), 413),
    ("chunk above the limit", _chunks(b"4000001\r\nhello"), 413),
    ("chunk of 64 bits", _chunks(b"ffffffffffffffff\r\nhello"), 413),
    ("anything above 1 MiB", _post(b"Content-Length: 1048577\r\n", b"").replace(b"/echo", b"/anything"), 413),
    ("request line above 16 KiB", b"GET /" + b"a" * 16400 + b" HTTP/1.1\r\n" + H + END, 414),
    ("request line that never ends", b"GET /" + b"a" * 20000, 414),
    ("method that never ends", b"G" * 20000, 400),
    ("bad byte within the limit, then too long", b"GET /a\x01" + b"a" * 20000, 400),
    ("bad byte behind the limit", b"GET /" + b"a" * 17000 + b"\x01 HTTP/1.1\r\n" + H + END, 414),
    ("field above 16 KiB", _field(b"X: " + b"a" * 16400), 431),
    ("field that never ends", b"GET / HTTP/1.1\r\nX: " + b"a" * 20000, 431),
    ("name that never ends", b"GET / HTTP/1.1\r\n" + b"a" * 20000, 431),
    ("many fields", _field(b"\r\n".join(b"X-%d: y" % i for i in range(2000))), 431),
    ("many fields, a bad one first", _field(b"X Y: z\r\n" + b"\r\n".join(b"X-%d: y" % i for i in range(2000))), 400),
    ("trailers above 16 KiB", _chunks(b"0\r\nX: " + b"a" * 16400 + b"\r\n\r\n"), 431),
    ("many trailers", _chunks(b"5\r\nhello\r\n0\r\n" + b"X: y\r\n" * 3000 + b"\r\n"), 431),
]

# Each is followed by a request that must not be seen, where the refused bytes have an end at all.
REFUSED = [(name, data + HIDDEN, status)
           for name, data, status in METHODS + VERSIONS + LINES + HOSTS + FRAMING + FIELDS + CHUNKS + LIMITS]
