#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes inputs to begin with, made of the conformance documents, into a folder for each target that reads requests."""

import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))

from support import document  # noqa: E402

LONGEST = 4096
# What befalls the connection: fuzz_session.c says how the end of an input is read.
ENDINGS = (b"\x00\x00", b"\x01\x00\x01", b"\x0b\x13\x1a\x00\x03", b"\x45\x81\xc3\x08\x03",
           b"\x01\x09\x04\x02", b"\x01\x70\x01", b"\x01\x80\x01", b"\x02\xa0\x01")


def inputs(data):
    """(target, bytes) for a request."""
    for number, ending in enumerate(ENDINGS):
        if number == 0 or len(data) < 300:
            yield "session", data + ending
    line, newline, rest = data.partition(b"\n")
    yield "request_line", line + newline
    if b"\r\n\r\n" in rest:
        yield "head", (b"\1" if b"HTTP/1.1" in line else b"\0") + rest[: rest.index(b"\r\n\r\n") + 4]
    if b"chunked" in data and b"\r\n\r\n" in rest:
        for line in re.findall(rb"(?:\A|\r\n)([0-9a-fA-F]+[^\n]*\n)", rest[rest.index(b"\r\n\r\n") + 4:]):
            yield "chunk_line", line
    if match := re.match(rb"\w+ (\S+) ", line):
        yield "route", b"\0" + match[1]
    for value in re.findall(rb"Host: ([^\r\n]*)\r\n", data):
        yield "authority", value


def write(folder):
    entries = document.read_all(os.path.join(HERE, "..", "integration", "conformance"))
    seen = set()
    for entry in entries:
        for target, data in inputs(entry.data):
            if len(data) <= LONGEST and (target, data) not in seen:
                seen.add((target, data))
                os.makedirs(os.path.join(folder, target), exist_ok=True)
                with open(os.path.join(folder, target, f"document-{len(seen):04}"), "wb") as file:
                    file.write(data)


if __name__ == "__main__":
    write(sys.argv[1])
