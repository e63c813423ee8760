# SPDX-License-Identifier: MIT
"""What clients say of answers that go wrong on request: a reset, a body that is too short, no answer, no HTTP."""

import re

import pytest
from clients import SMALL, ask, request
from support.settings import MODES

pytestmark = pytest.mark.timeout(300)

SAID = {
    "reset": {"curl": "curl: 56 ", "http.client": "ConnectionResetError", "node http": "ECONNRESET", "go net/http": "connection reset by peer"},
    "before": {"curl": "curl: 52 ", "http.client": "RemoteDisconnected", "node http": "socket hang up", "go net/http": "EOF"},
    "body:500": {"curl": "curl: 18 .*500 bytes remaining", "http.client": r"IncompleteRead\(500 bytes read, 500 more expected\)",
                 "node http": "aborted", "go net/http": "unexpected EOF"},
    "garbage": {"curl": "curl: 1 ", "http.client": "BadStatusLine", "node http": "Parse Error", "go net/http": "malformed HTTP"},
}


@pytest.mark.parametrize("client", SAID["reset"])
@pytest.mark.parametrize("mode", MODES)
def test_errors(servers, client, mode):
    for fault, said in SAID.items():
        result, = ask(client, servers(mode).url, [request("POST", f"/echo?abort={fault}", SMALL)])
        assert re.search(said[client], result.get("error", ""), re.DOTALL), f"{fault}: {result}"


@pytest.mark.parametrize("client", SAID["reset"])
@pytest.mark.parametrize("mode", MODES)
def test_the_next_request_is_served(servers, client, mode):
    """On another connection."""
    items = [request("GET", "/plaintext"), request("POST", "/echo?abort=body:2", SMALL), request("GET", "/plaintext")]
    results = ask(client, servers(mode).url, items)
    assert [item.get("status") for item in results] == [200, None, 200], results
