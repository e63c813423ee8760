# SPDX-License-Identifier: MIT
"""An answer as it came over the wire, and what every answer of echod must be whatever the request."""

import dataclasses
import email.utils
import json
import re
import time

from .checks import check, equal, fail, shown

TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
DATE = re.compile(r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT\Z")

# JSON members that may differ from mode to mode and from connection to connection.
CHANGING_MEMBERS = ("mode", "connection", "remote", "hostname", "name", "local")


@dataclasses.dataclass
class Answer:
    """Field names are lower case in `names`; `lines` are the field lines as sent."""

    status: int
    reason: str
    lines: list
    names: list  # (lower-case name, value) pairs of text
    body: bytes = b""
    chunks: list = None  # sizes, if it was chunked
    trailers: bytes = b""
    complete: bool = True  # False: the connection ended before the answer did

    def values(self, name):
        return [value for key, value in self.names if key == name.lower()]

    def get(self, name):
        """The value of a field that is there once, or None."""
        values = self.values(name)
        check(len(values) <= 1, f"more than one {name} field: {values}")
        return values[0] if values else None

    def has_token(self, name, token):
        return token in [item.strip().lower() for value in self.values(name) for item in value.split(",")]

    @property
    def closes(self):
        return self.has_token("Connection", "close")

    def json(self):
        try:
            return json.loads(self.body.decode("utf-8"))
        except ValueError as error:
            fail(f"the body is no JSON in UTF-8 ({error}): {shown(self.body)}")

    def __str__(self):
        return f"{self.status} {self.reason} {self.names} {shown(self.body)}"


def parse_head(head):
    """An Answer without its body, of the bytes up to and with the empty line."""
    first, *lines = head[:-4].split(b"\r\n")
    match = re.match(rb"HTTP/1\.1 (\d{3}) ([\t -~]*)\Z", first)
    check(match, f"not a status line: {first!r}")
    names = []
    for line in lines:
        name, colon, value = line.partition(b":")
        check(colon and TOKEN.match(name), f"not a field line: {line!r}")
        check(not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value), f"control bytes in a field: {line!r}")
        names.append((name.decode().lower(), value.decode("latin-1").strip(" \t")))
    answer = Answer(int(match[1]), match[2].decode(), lines, names)
    check_head(answer)
    return answer


def check_head(answer):
    """What each answer must have by RFC 9112 and this server's own rules."""
    length, coding = answer.get("Content-Length"), answer.get("Transfer-Encoding")
    check(length is None or coding is None, f"Content-Length and Transfer-Encoding: {answer.lines}")
    check(length is None or length.isdigit(), f"Content-Length: {length!r}")
    check(coding in (None, "chunked"), f"Transfer-Encoding: {coding!r}")
    if answer.status < 200 or answer.status == 204:
        check(length is None and coding is None, f"{answer.status} with framing fields: {answer.lines}")
    if answer.status < 200:
        equal(answer.names, [], f"the fields of an interim {answer.status}")
        return
    equal(answer.get("Server"), "echod", "Server")
    date = answer.get("Date") or ""
    check(DATE.match(date), f"Date is no IMF-fixdate: {date!r}")
    off = abs(email.utils.parsedate_to_datetime(date).timestamp() - time.time())
    check(off < 30, f"Date is off by {off:.0f} s: {date}")
    if answer.status == 205:
        equal(length, "0", "Content-Length of a 205")


def has_body(answer, method):
    return not (method == "HEAD" or answer.status < 200 or answer.status in (204, 304))


def check_problem(answer, status):
    """An error of the server itself: application/problem+json (RFC 9457) with a detail."""
    equal(answer.status, status, f"the status ({shown(answer.body)})")
    equal(answer.get("Content-Type"), "application/problem+json", "Content-Type of an error")
    members = answer.json()
    check(isinstance(members, dict), f"the problem is no object: {members}")
    check(isinstance(members.get("detail"), str) and members["detail"], f"a problem without a detail: {members}")
    if "status" in members:
        equal(members["status"], status, "the member `status` of the problem")
    return members["detail"]


def masked(answer):
    """The answer's bytes with what may change taken out: Date, and the changing members of JSON with their length."""
    body, length = answer.body, answer.get("Content-Length")
    if (answer.get("Content-Type") or "").startswith("application/json") and body and answer.complete:
        members = answer.json()
        for name in CHANGING_MEMBERS:
            if name in members:
                members[name] = length = "..."
        body = json.dumps(members).encode()
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}".encode()]
    for line in answer.lines:
        name = line.split(b":")[0]
        if name.lower() == b"date":
            line = name + b": ..."
        if name.lower() == b"content-length":
            line = name + f": {length}".encode()
        lines.append(line)
    end = b"" if answer.complete else b"\n(cut off)\n"
    chunks = b"" if answer.chunks is None else f"(chunks {answer.chunks})\n".encode()
    return b"\r\n".join(lines) + b"\r\n\r\n" + chunks + body + end
