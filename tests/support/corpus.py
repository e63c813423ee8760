# SPDX-License-Identifier: MIT
"""Raw requests and what answers them. The cases of refusals, splits and modes compared all go through this table."""

import dataclasses

from .refused import REFUSED

HOST = b"Host: x\r\n"
PLAIN = b"GET /plaintext HTTP/1.1\r\nHost: x\r\n\r\n"


def get(path, fields=b"", version=b"1.1"):
    return request(b"GET", path, fields, version=version)


def request(method, path, fields=b"", body=b"", version=b"1.1"):
    return b"%s %s HTTP/%s\r\nHost: x\r\n%s\r\n%s" % (method, path, version, fields, body)


def post(path, body, fields=b"", version=b"1.1"):
    return request(b"POST", path, b"Content-Length: %d\r\n%s" % (len(body), fields), body, version)


def chunked(path, body, fields=b""):
    """`body` holds the chunks as they go over the wire."""
    return request(b"POST", path, b"Transfer-Encoding: chunked\r\n" + fields, body)


def chunk(data, extension=b""):
    return b"%x%s\r\n%s\r\n" % (len(data), extension, data)


LAST = b"0\r\n\r\n"


@dataclasses.dataclass(frozen=True)
class Item:
    """`statuses` are those of all answers until the server closes after the client's FIN, interim ones too."""

    name: str
    data: bytes
    statuses: tuple
    methods: tuple = ()  # of the requests, where one is HEAD
    short: bool = False  # the last answer ends early

    def row(self):
        return (self.name, self)


def _good():
    pattern = bytes(range(256)) * 4
    yield "root", get(b"/"), (200,)
    yield "plaintext", PLAIN, (200,)
    yield "plaintext with a query", get(b"/plaintext?a=b&c"), (200,)
    yield "HEAD", request(b"HEAD", b"/plaintext"), (200,), ("HEAD",)
    yield "HEAD of bytes, then GET", request(b"HEAD", b"/bytes/100") + PLAIN, (200, 200), ("HEAD",)
    yield "echo nothing", get(b"/echo"), (200,)
    yield "echo a body", post(b"/echo", b"hello"), (200,)
    yield "echo every byte", post(b"/echo/x", pattern, b"Content-Type: text/x-pattern\r\n"), (200,)
    yield "echo a body of nothing", post(b"/echo", b""), (200,)
    yield "post to the root", post(b"/", b"hello"), (200,)
    yield "echo chunks", chunked(b"/echo", chunk(b"hello") + chunk(b", world") + LAST), (200,)
    yield "echo no chunk", chunked(b"/echo", LAST), (200,)
    yield "echo chunks with extensions", chunked(b"/echo", chunk(b"a", b";x=1") + chunk(b"b", b';q="a b"') + LAST), (200,)
    yield "echo chunks with trailers", chunked(b"/echo", chunk(b"a") + b"0\r\nX-T: 1\r\nY: 2\r\n\r\n") + PLAIN, (200, 200)
    yield "chunk sizes in other spellings", chunked(b"/echo", b"0005\r\nhello\r\n000A\r\n0123456789\r\n000\r\n\r\n"), (200,)
    yield "HEAD with chunks", request(b"HEAD", b"/echo", b"Transfer-Encoding: chunked\r\n", chunk(b"a") + LAST) + PLAIN, \
        (200, 200), ("HEAD",)
    yield "many chunks", chunked(b"/echo", b"".join(chunk(pattern[:n]) for n in range(1, 60)) + LAST), (200,)
    yield "status in the query", post(b"/echo?status=503&header=X-A:%20b&header=X-C:d", b"no"), (503,)
    yield "status in a field", post(b"/echo", b"no", b"X-Echo-Status: 404\r\nX-Echo-Header: X-A: b\r\n") + PLAIN, (404, 200)
    yield "echo close", post(b"/echo?close=true", b"bye") + PLAIN, (200,)
    yield "204 with a body sent", post(b"/echo?status=204", b"hello") + PLAIN, (204, 200)
    yield "205 with a body sent", post(b"/echo?status=205", b"hello") + PLAIN, (205, 200)
    yield "304 with chunks sent", chunked(b"/echo?status=304", chunk(b"a") + LAST) + PLAIN, (304, 200)
    yield "status path", get(b"/status/418") + get(b"/status/599") + get(b"/status/204"), (418, 599, 204)
    yield "bytes", get(b"/bytes/1000"), (200,)
    yield "anything", post(b"/anything/a?b=c", b"text", b"X-A: 1\r\nx-a: 2\r\n"), (200,)
    yield "anything that is not text", post(b"/anything", b"\xff\x00"), (200,)
    yield "anything with trailers", chunked(b"/anything", chunk(b"a") + b"0\r\nX-T: 1\r\n\r\n"), (200,)
    yield "headers", get(b"/headers", b'X-Quote: "\\\t\xe9\r\n'), (200,)
    yield "ip, version, health", get(b"/ip") + get(b"/version") + get(b"/healthz") + get(b"/readyz"), (200,) * 4
    yield "OPTIONS *", request(b"OPTIONS", b"*") + PLAIN, (204, 200)
    yield "absolute form", get(b"http://example.com:80/plaintext?x"), (200,)
    yield "absolute form without a path", get(b"http://example.com"), (200,)
    yield "unknown path", get(b"/nowhere") + PLAIN, (404, 200)
    yield "unknown path with a body", post(b"/nowhere", b"hello") + PLAIN, (404, 200)
    yield "unknown path with chunks", chunked(b"/nowhere", chunk(b"hello") + LAST) + PLAIN, (404, 200)
    yield "wrong method", post(b"/plaintext", b"hello") + PLAIN, (405, 200)
    yield "bad parameters", get(b"/status/600") + get(b"/bytes/x") + get(b"/echo?status=1") + PLAIN, (400, 400, 400, 200)
    yield "header that frames", post(b"/echo?header=Content-Length:5", b"hello") + PLAIN, (400, 200)
    yield "1.0", PLAIN.replace(b"1.1", b"1.0") + PLAIN, (200,)
    yield "1.0 without Host", b"GET /plaintext HTTP/1.0\r\n\r\n", (200,)
    yield "1.0 kept", get(b"/plaintext", b"Connection: keep-alive\r\n", b"1.0") + PLAIN, (200, 200)
    yield "1.0 echo", post(b"/echo", b"hello", version=b"1.0"), (200,)
    yield "close", get(b"/plaintext", b"Connection: close\r\n") + PLAIN, (200,)
    yield "close among others", get(b"/plaintext", b"Connection: x, CLOSE\r\n") + PLAIN, (200,)
    yield "upgrade", get(b"/plaintext", b"Upgrade: websocket\r\nConnection: Upgrade\r\n") + PLAIN, (200, 200)
    yield "upgrade with a body", post(b"/echo", b"hello", b"Upgrade: h2c\r\nConnection: Upgrade\r\n") + PLAIN, (200, 200)
    yield "expect", post(b"/echo", b"hello", b"Expect: 100-continue\r\n") + PLAIN, (100, 200, 200)
    yield "expect after others", PLAIN + post(b"/echo", b"hello", b"Expect: 100-continue\r\n"), (200, 100, 200)
    yield "expect without a body", get(b"/plaintext", b"Expect: 100-continue\r\n"), (200,)
    yield "expect on 1.0", post(b"/echo", b"hello", b"Expect: 100-continue\r\n", b"1.0"), (200,)
    yield "expect, unknown path", post(b"/nowhere", b"hello", b"Expect: 100-continue\r\n") + PLAIN, (404,)
    yield "expect something else", post(b"/echo", b"hello", b"Expect: 200-ok\r\nConnection: close\r\n"), (417,)
    yield "pipelined", PLAIN + post(b"/echo", b"hello") + get(b"/bytes/300") + PLAIN * 20, (200,) * 23
    yield "empty lines before", b"\r\n" * 8 + PLAIN + b"\r\n" + PLAIN, (200, 200)
    yield "white space around values", b"GET /plaintext HTTP/1.1\r\nHost: \t x \t\r\nConnection:close\r\n\r\n", (200,)
    yield "obsolete text in a value", get(b"/plaintext", b"X: \x80\xff\r\n"), (200,)
    yield "all methods", b"".join(request(m, b"/echo/m", b"Content-Length: 2\r\n", b"ok") for m in METHODS), \
        (200,) * len(METHODS)
    yield "80 KiB", post(b"/echo", pattern * 80), (200,)
    yield "80 KiB in one chunk", chunked(b"/echo", chunk(pattern * 80) + LAST) + PLAIN, (200, 200)
    yield "a body of another length than most", post(b"/echo", b"x" * 65536) + post(b"/echo", b"y" * 65537), (200, 200)


METHODS = tuple(b"GET POST PUT DELETE OPTIONS PATCH TRACE PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK REPORT MKACTIVITY "
                b"CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PURGE MKCALENDAR LINK UNLINK BIND REBIND UNBIND ACL "
                b"SEARCH SOURCE QUERY".split())


def _cut():
    """Requests that the client's FIN cuts off, and errors in a body that already streams."""
    block = bytes(range(256)) * 400  # 100 KiB
    yield "cut in the request line", b"GET /plain", (400,)
    yield "cut in a field", b"GET /plaintext HTTP/1.1\r\nHost", (400,)
    yield "cut before a body's end", post(b"/echo", b"hello")[:-1], (400,)
    yield "cut in a chunk", chunked(b"/echo", b"5\r\nhel"), (400,)
    yield "cut before the last chunk", PLAIN + chunked(b"/echo", chunk(b"hello")), (200, 400)
    yield "part of a body on request", PLAIN + post(b"/echo?abort=body:2", b"hello") + PLAIN, (200, 200), (), True
    yield "part of chunks on request", chunked(b"/echo?abort=body:70000", chunk(block) + LAST) + PLAIN, (200,), (), True
    yield "no answer on request", PLAIN + post(b"/echo?abort=before", b"hello") + PLAIN, (200,)
    yield "cut in a long body", post(b"/echo", block)[:-1], (200,), (), True
    yield "cut in long chunks", chunked(b"/echo", chunk(block) + b"100\r\nx"), (200,), (), True
    yield "bad chunk size in long chunks", chunked(b"/echo", chunk(block) + b"z\r\n") + PLAIN, (200,), (), True
    yield "bad chunk end in long chunks", chunked(b"/echo", b"19000\r\n" + block + b"xx" + LAST) + PLAIN, (200,), (), True
    yield "bad trailer after long chunks", chunked(b"/echo", chunk(block) + b"0\r\nX Y: 1\r\n\r\n") + PLAIN, (200,), (), True


GOOD = [Item(*entry) for entry in _good()]
CUT = [Item(*entry) for entry in _cut()]
BAD = [Item(name, data, (status,)) for name, data, status in REFUSED]
ALL = GOOD + CUT + BAD


def exchange(wire, item, pieces):
    """Sends the item's bytes in these pieces and returns every answer until the server closes."""
    wire.send_what_goes(*pieces)
    wire.finish()
    return wire.answers(item.methods, cut=item.short)
