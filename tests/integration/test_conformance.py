# SPDX-License-Identifier: MIT
"""The documents of conformance/ in each mode: every answer is as it says there, and no request more is answered."""

import os

import pytest

import conformance_page
from support import document
from support.answer import check_problem
from support.checks import at_least, check, equal
from support.rows import params

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "conformance")
ENTRIES = document.read_all(FOLDER)
FLAGS = ("--max-body-size", "300000")  # as in the unit tests, which read the same documents

MARKER = b"GET /plaintext HTTP/1.1\r\nHost: marker\r\nConnection: close\r\n\r\n"
OWN_ERRORS = (400, 404, 405, 408, 413, 414, 417, 431, 501, 505)


@pytest.mark.flags(*FLAGS)
@pytest.mark.parametrize("entry", params([(entry.name, entry) for entry in ENTRIES]))
def test_answer(server, entry):
    """What is left open answers one request more, and what is closed does not: so nothing hidden was answered."""
    with server.connect() as wire:
        wire.send_what_goes(entry.data if entry.end == "eof close" else entry.data + MARKER)
        if entry.end == "eof close":
            wire.finish()
        for number, expected in enumerate(entry.answers, 1):
            compare(wire.answer("HEAD" if expected.to_head else "GET"), expected, f"answer {number}")
        if not entry.closes:
            last = wire.answer()
            equal((last.status, last.body), (200, b"Hello, World!"), "the answer to one request more")
        wire.closed()


def compare(got, expected, which):
    equal(got.status, expected.status, f"the status of {which}")
    for name, value in expected.fields:
        equal(got.get(name), value, f"{name} of {which}")
    if expected.body is not None:
        equal(wire_body(got), expected.body, f"the body of {which}")
    if got.get("Content-Type") == "application/problem+json" and not expected.to_head and got.status in OWN_ERRORS:
        check_problem(got, expected.status)


def wire_body(got):
    """The body as it came: with its framing, if it was chunked."""
    if got.chunks is None:
        return got.body
    framed, at = b"", 0
    for size in got.chunks:
        framed += b"%x\r\n%s\r\n" % (size, got.body[at:at + size])
        at += size
    return framed + b"0\r\n\r\n"


def test_the_page_is_current():
    check(conformance_page.current(), "docs/conformance.md: run tests/integration/conformance_page.py")


def test_every_entry_is_whole():
    at_least(len(ENTRIES), 200, "cases")
    names = [entry.name for entry in ENTRIES]
    equal(sorted(set(names)), sorted(names), "names that are there once")
    for entry in ENTRIES:
        check(entry.section and "RFC" in entry.section, f"no section of an RFC: {entry.name}")
        check(entry.data and entry.answers and entry.end, f"something is missing: {entry.name}")
