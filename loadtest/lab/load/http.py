# SPDX-License-Identifier: MIT
"""Just enough of HTTP to check an answer before it is timed, and to know how many bytes it has on the wire."""

import socket
import time
from dataclasses import dataclass

from ..text.errors import LabError

_LONGEST_HEAD = 65536  # bytes


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict  # names in lower case
    body: bytes
    length: int  # head and body together


def parse_head(head):
    """(status, headers) of an answer's head without its empty line."""
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    if not version.startswith("HTTP/1.") or not (rest[:3].isascii() and rest[:3].isdecimal()):
        raise LabError(f"not an HTTP answer: {lines[0][:60]!r}")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    return int(rest[:3]), headers


def _receive_more(connection, deadline):
    """What has come next; TimeoutError if all together takes too long, however little is missing each time."""
    if deadline is not None:
        if (left := deadline - time.monotonic()) <= 0:
            raise TimeoutError("timed out")
        connection.settimeout(left)
    return connection.recv(65536)


def _body_length(headers):
    if "content-length" not in headers:
        raise LabError("an answer without Content-Length")
    text = headers["content-length"]
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise LabError(f"an answer with a Content-Length of {text[:60]!r}")
    return int(text)


def receive(connection, deadline=None):
    """One answer with a Content-Length from a connected socket, whole before the deadline of the monotonic clock."""
    data = bytearray()
    while (end := data.find(b"\r\n\r\n")) < 0:
        if len(data) > _LONGEST_HEAD:
            raise LabError(f"an answer whose head does not end in {_LONGEST_HEAD} bytes")
        if not (more := _receive_more(connection, deadline)):
            raise LabError("the connection was closed before an answer")
        data += more
    status, headers = parse_head(bytes(data[:end]))
    length = end + 4 + _body_length(headers)
    while len(data) < length:
        if not (more := _receive_more(connection, deadline)):
            raise LabError("an answer shorter than its Content-Length")
        data += more
    return Answer(status, headers, bytes(data[end + 4:length]), length)


def authority(address):
    """A host and its port as they stand in a URL."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def request_bytes(method, path, host, headers=(), body=None):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


def ask(address, method, path, headers=(), body=None, timeout=5, host=None):
    """One request on a connection of its own, answered within `timeout` seconds. `host`: what the server is called, if not by
    its address."""
    deadline = time.monotonic() + timeout
    try:
        with socket.create_connection(address, timeout=timeout) as connection:
            connection.sendall(request_bytes(method, path, host or authority(address), headers, body))
            return receive(connection, deadline)
    except OSError as error:
        raise LabError(f"{method} {path}: {error}") from None
