# SPDX-License-Identifier: MIT
"""`--cors`: the same bytes in every mode, with it and without."""

import pytest

from support.answer import masked
from support.checks import check, equal
from support.corpus import get, post

PREFLIGHT = (b"OPTIONS /echo HTTP/1.1\r\nHost: x\r\nOrigin: http://pages.example\r\nAccess-Control-Request-Method: PUT\r\n"
             b"Access-Control-Request-Headers: x-a, content-type\r\n\r\n")
REQUESTS = [get(b"/plaintext"), get(b"/plaintext", b"Origin: http://pages.example\r\n"), post(b"/echo", b"hello"), get(b"/nowhere"),
            get(b"/bytes/100000"), get(b"/delay/1ms"), get(b"/compute/10"), PREFLIGHT, PREFLIGHT.replace(b"/echo", b"/nowhere")]
MALFORMED = b"GET /\x01 HTTP/1.1\r\n\r\n"


def answers(server):
    with server.connect() as wire:
        found = [wire.ask(request) for request in REQUESTS]
        wire.send(MALFORMED)
        return found + [wire.answer()]


@pytest.mark.flags("--cors")
def test_the_same_in_every_mode(servers):
    wanted = None
    for mode, server in servers.items():
        got = [masked(answer) for answer in answers(server)]
        wanted = wanted or got
        equal(got, wanted, f"the answers of mode {mode}")


@pytest.mark.flags("--cors")
def test_on(server):
    for answer in answers(server):
        equal(answer.get("Access-Control-Allow-Origin"), "*", "Access-Control-Allow-Origin")
    with server.connect() as wire:
        answer = wire.ask(PREFLIGHT)
        equal((answer.status, answer.body), (204, b""), "the answer to a preflight")
        check("PUT" in answer.get("Access-Control-Allow-Methods").split(", "), "PUT is not allowed")
        equal(answer.get("Access-Control-Allow-Headers"), "*, Authorization", "Access-Control-Allow-Headers")
        equal(answer.get("Access-Control-Max-Age"), "86400", "Access-Control-Max-Age")
        wire.kept()


def test_off(server):
    for answer in answers(server):
        check(not any("Access-Control" in line for line in map(str, answer.lines)), f"{answer.lines}")
    equal(server.ask(PREFLIGHT).status, 200, "an OPTIONS of /echo")
