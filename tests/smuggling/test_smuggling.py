# SPDX-License-Identifier: MIT
"""An attacker sends ambiguous requests through a proxy; a victim on another connection must get its own answer each time."""

import contextlib
import itertools
import json
import re
import socket
import socketserver
import threading

import pytest
from attacks import ATTACKS
from proxies import PROXIES, in_front
from support.settings import DRIVERS

pytestmark = pytest.mark.timeout(300)

ANSWER_WAIT = 0.02  # seconds without a byte, after which the attacker looks no further: what it sent is with the proxy
VICTIM_WAIT = 20
TRIES = 5  # a proxy that finds its connection to the server closed may say 502


class Victim:
    """Asks for what nobody else asks for, and knows its own answer."""

    def __init__(self, port):
        self.port = port
        self.numbers = itertools.count(1)

    def wrong(self):
        """What is wrong with the answer, or None."""
        for _ in range(TRIES):
            token = b"victim-%d" % next(self.numbers)
            status, head, body = self.ask(token)
            if status not in (502, 503) or b"server: echod" in head.lower():
                return self.judge(token, status, body)
        return f"no answer but {status} in {TRIES} tries"

    def ask(self, token):
        method = b"POST" if token[-1:] in b"02468" else b"GET"
        body = token if method == b"POST" else b""
        with socket.create_connection(("127.0.0.1", self.port), VICTIM_WAIT) as client:
            client.settimeout(VICTIM_WAIT)
            client.sendall(b"%s /anything/%s HTTP/1.1\r\nHost: victim\r\nX-Victim: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                           % (method, token, token, len(body), body))
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while piece := client.recv(65536):
                    answer += piece
        head, _, rest = answer.partition(b"\r\n\r\n")
        status = re.match(rb"HTTP/1\.1 (\d{3})", head)
        if status is None:
            return 0, head, rest
        if b"\r\ntransfer-encoding: chunked" in head.lower():
            rest = unchunked(rest)
        return int(status[1]), head, rest

    @staticmethod
    def judge(token, status, body):
        if status != 200:
            return f"{status}: {body[:200]!r}"
        try:
            echo = json.loads(body)
        except ValueError:
            return f"no JSON: {body[:200]!r}"
        own = token.decode()
        names = {name.lower(): value for name, value in echo["headers"].items()}
        right = (echo["path"] == f"/anything/{own}" and names.get("x-victim") == [own] and "x-smuggled" not in names
                 and echo["body"] in ("", own) and echo["method"] == ("POST" if echo["body"] else "GET"))
        return None if right else f"another's answer: {body[:300]!r}"


def unchunked(rest):
    whole = b""
    while match := re.match(rb"([0-9a-fA-F]+)[^\r]*\r\n", rest):
        size = int(match[1], 16)
        whole += rest[match.end():match.end() + size]
        rest = rest[match.end() + size + 2:]
    return whole


@contextlib.contextmanager
def attack(port, data):
    """Sends it and takes what comes; the connection stays while the victim asks."""
    with socket.create_connection(("127.0.0.1", port), VICTIM_WAIT) as client:
        with contextlib.suppress(OSError):
            client.sendall(data)
            client.settimeout(ANSWER_WAIT)
            while client.recv(65536):
                pass
        yield


def wronged(port, attacks, stop_at=5):
    """(the attack, what the victim got) for each victim that did not get its own answer."""
    victim, found = Victim(port), []
    assert victim.wrong() is None, "the proxy does not work"
    for data in attacks:
        with attack(port, data):
            wrong = victim.wrong()
        wrong = wrong or victim.wrong()  # what a prefix has swallowed shows behind the attacker's end
        if wrong:
            found.append((data, wrong))
        if len(found) == stop_at:
            break
    return found


@pytest.mark.parametrize("mode", DRIVERS)
@pytest.mark.parametrize("proxy", PROXIES)
def test_no_victim_gets_anothers_answer(start, proxy, mode):
    with in_front(proxy, start().address[1]) as port:
        found = wronged(port, ATTACKS)
    assert not found, "\n".join(f"{data!r}\n  -> {wrong}" for data, wrong in found)


class Vulnerable(socketserver.StreamRequestHandler):
    """A backend that does not know bodies: what is one is the next request to it."""

    def handle(self):
        while line := self.rfile.readline().strip():
            names = {}
            while field := self.rfile.readline().strip():
                name, _, value = field.decode("latin-1").partition(":")
                names[name] = [value.strip()]
            method, path, *_ = line.decode("latin-1").split() + ["", ""]
            body = json.dumps({"method": method, "path": path, "headers": names, "body": ""}).encode()
            self.wfile.write(b"HTTP/1.1 200 OK\r\nServer: echod\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


class VulnerableServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request, client_address):
        """The proxies cut connections; that is no news."""


@pytest.mark.parametrize("proxy", PROXIES)
def test_a_vulnerable_backend_is_found(proxy):
    with VulnerableServer(("127.0.0.1", 0), Vulnerable) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with in_front(proxy, server.server_address[1]) as port:
            found = wronged(port, ATTACKS, stop_at=1)
        server.shutdown()
    assert found, "no victim was wronged by a backend that takes bodies for requests"


def test_there_are_some_hundreds():
    assert len(ATTACKS) >= 300
