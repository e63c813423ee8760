# SPDX-License-Identifier: MIT
"""What people use against echod in each mode: kept connections, bodies of every framing and size, and refused uploads."""

import json
import os
import re
import tempfile

import clients
import pytest
from support import process
from clients import ALL, EXPECTING, LARGE, MEDIUM, SMALL, TAKES_LARGE, WRITES_FIRST, ask, check_echo, digest, request
from support.settings import DRIVERS, MODES

pytestmark = pytest.mark.timeout(600)

MEBIBYTE = 1 << 20
REFUSED_TIMES = {MEDIUM: 20, LARGE: 20} if clients.everything else {MEDIUM: 10, LARGE: 2}
AT_ONCE = {MEDIUM: 20, LARGE: 5}  # in one session: curl holds the bodies of all at once
EVERYWHERE = ("curl", "http.client", "node http")  # these in every mode
MATRIX = [(client, mode) for mode in MODES for client in ALL
          if clients.everything or mode in DRIVERS or client in EVERYWHERE]

each = pytest.mark.parametrize("client, mode", MATRIX)


def takes_large(client, mode):
    """70 MB by every client in event and thread, and by three in every mode."""
    return clients.everything or mode in ("event", "thread") or client in EVERYWHERE


@each
def test_a_conversation(servers, client, mode):
    """Over one kept connection: answers with and without a body, and no byte of one in the next."""
    items = [request("GET", "/plaintext"), request("POST", "/echo", SMALL), request("HEAD", "/bytes/1000"),
             request("GET", "/status/204"), request("GET", "/status/304"), request("POST", "/echo", SMALL, chunked=True),
             request("GET", "/bytes/100000"), request("PUT", "/echo/x?status=404", SMALL), request("DELETE", "/echo"),
             request("GET", "/anything")]
    results = ask(client, servers(mode).url, items)
    assert all("error" not in item for item in results), results
    statuses = [item["status"] for item in results]
    assert statuses == [200, 200, 200, 204, 304, 200, 200, 404, 200, 200]
    lengths = [item["length"] for item in results[:-1]]
    assert lengths == [13, SMALL, 0, 0, 0, SMALL, 100000, SMALL, 0]
    assert results[2]["headers"]["content-length"] == "1000"
    for number in (1, 5, 7):
        assert results[number]["sha256"] == digest(SMALL)
    last = json.loads(results[-1]["text"])
    assert last["mode"] == mode
    kept = 2 if client in ("node fetch", "node undici") else len(items)  # after a HEAD it opens another one
    assert last["connection"]["requests"] >= kept, "the connection was not kept"


@each
def test_large_bodies(servers, client, mode):
    """By Content-Length and in chunks, both ways; and 70 MB that a server takes whose limit is above.

    A client that reads only when it has written all gets 1 MiB echoed: more is sent to where it does not come back."""
    large = [LARGE] if takes_large(client, mode) else []
    lengths = [(MEDIUM, False), (MEDIUM, True), *((length, False) for length in large)]
    if client in WRITES_FIRST:
        items = [request("POST", "/echo", MEBIBYTE), request("POST", "/echo", MEBIBYTE, chunked=True)]
        items += [request("POST", "/status/200", length, chunked) for length, chunked in lengths]
    else:
        items = [request("POST", "/echo", length, chunked) for length, chunked in lengths]
    items += [request("GET", f"/bytes/{length}") for length in (MEDIUM, *large)]
    results = ask(client, servers(mode, *TAKES_LARGE).url, items)
    for item, result in zip(items, results):
        if item["path"] == "/echo":
            check_echo(result, item["length"])
        else:
            assert result.get("status") == 200, result
            assert result["length"] == int(item["path"].rpartition("/bytes/")[2] if item["method"] == "GET" else 2), result


@pytest.mark.parametrize("client, mode, path, length", [
    (client, mode, path, length) for path, length in [("/anything", MEDIUM), ("/echo", LARGE)] for client, mode in MATRIX
    if length == MEDIUM or takes_large(client, mode)
])
def test_refused_uploads(servers, client, mode, path, length):
    """The 413 is read each time, whatever has been sent by then."""
    results, times = [], REFUSED_TIMES[length]
    while len(results) < times:
        count = min(AT_ONCE[length], times - len(results))
        results += ask(client, servers(mode).url, [request("POST", path, length)] * count)
    read = [item.get("status") for item in results].count(413)
    failed = [item for item in results if item.get("status") != 413]
    assert read == len(results), f"413 was read {read} times of {len(results)}: {failed[:1]}"
    assert all("application/problem+json" in item["headers"]["content-type"] for item in results)


@pytest.mark.parametrize("client, mode", [pair for pair in MATRIX if pair[0] in EXPECTING])
def test_expect(servers, client, mode):
    """A 100 before the body, or the refusal in its place; then the next request is served."""
    items = [request("POST", "/echo", MEDIUM, expect=True), request("POST", "/anything", MEDIUM, expect=True),
             request("POST", "/echo", LARGE, expect=True), request("GET", "/plaintext")]
    results = ask(client, servers(mode).url, items)
    assert all("error" not in item for item in results), results
    assert [item["status"] for item in results] == [200, 413, 413, 200]
    check_echo(results[0], MEDIUM)
    if client != "aiohttp":  # which does not tell
        assert [item["continued"] for item in results[:3]] == [True, False, False]


@pytest.mark.parametrize("mode", MODES)
def test_pipelining(servers, mode):
    """undici sends eight requests before it reads; each gets its own answer."""
    items = [request("GET", f"/anything/{number}?n={number}") for number in range(40)]
    results = ask("node undici-pipelining", servers(mode).url, items)
    assert [json.loads(item["text"])["url"].rpartition("n=")[2] for item in results] == [str(number) for number in range(40)]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("keep, length", [(True, 0), (False, 0), (True, SMALL), (False, MEDIUM)])
def test_ab(servers, mode, keep, length):
    """The Apache project's load client: HTTP/1.0, with and without keep-alive."""
    count = 400 if length < MEDIUM else 20
    with tempfile.NamedTemporaryFile() as file:
        file.write(clients.body(length))
        file.flush()
        argv = [process.need("ab"), "-q", "-n", str(count), "-c", "8", "-s", "60", *(["-k"] if keep else [])]
        argv += ["-p", file.name, "-T", "application/octet-stream"] if length else []
        status, output, errors = clients.run([*argv, servers(mode).url + ("/echo" if length else "/plaintext")])
    text = output.decode()
    numbers = {name: int(value) for name, value in re.findall(r"^([\w -]+): +(\d+)", text, re.MULTILINE)}
    assert status == 0, errors
    assert (numbers["Complete requests"], numbers["Failed requests"]) == (count, 0), text
    assert "Non-2xx responses" not in numbers, text
    assert numbers["HTML transferred"] == count * (length or 13), text
    if keep and mode != "pool":  # where a worker leaves a kept connection for one that waits
        assert numbers["Keep-Alive requests"] == count, text


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("path, length", [("/anything", MEDIUM), ("/echo", LARGE)])
def test_ab_is_refused(servers, mode, path, length):
    with tempfile.TemporaryDirectory() as folder:
        sent = os.path.join(folder, "sent")
        with open(sent, "wb") as file:
            file.write(clients.body(length))
        argv = [process.need("ab"), "-q", "-r", "-n", str(REFUSED_TIMES[length]), "-c", "1", "-s", "60", "-p", sent]
        status, output, errors = clients.run([*argv, "-T", "application/octet-stream", servers(mode).url + path])
    text = output.decode()
    found = re.search(r"Non-2xx responses: +(\d+)", text)
    assert status == 0 and found and int(found[1]) == REFUSED_TIMES[length], text + errors
