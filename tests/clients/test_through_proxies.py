# SPDX-License-Identifier: MIT
"""The same through what usually stands in front: nginx, with the request held first and passed on as it comes, and haproxy.
With the PROXY protocol, and with faults that echod carries out."""

import contextlib

import clients
import pytest
from clients import LARGE, MEDIUM, SMALL, TAKES_LARGE, WRITES_FIRST, ask, check_echo, request, run
from support import proxy
from support.settings import DRIVERS, MODES

pytestmark = pytest.mark.timeout(600)

NGINX = proxy.nginx(upstream="server 127.0.0.1:{backend}; keepalive 8;", http="client_max_body_size 0;",
                    server="proxy_request_buffering {buffering};")
HAPROXY = """defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
listen front
  bind 127.0.0.1:{port}
  server one 127.0.0.1:{backend}
"""
PROXIES = {"nginx, buffering": (NGINX, "on"), "nginx, streaming": (NGINX, "off"), "haproxy": (HAPROXY, "")}
CLIENTS = ("curl", "http.client", "go net/http")
REFUSED_TIMES = 100 if clients.everything else 12  # by each client in each mode
SESSIONS = 100 if clients.everything else 6  # where each request takes a program of its own


@contextlib.contextmanager
def in_front(name, server):
    """The URL of the proxy before the server."""
    text, buffering = PROXIES[name]
    with proxy.running(name.partition(",")[0], text, backend=server.address[1], buffering=buffering) as (_, port):
        yield f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("through", PROXIES)
@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("mode", MODES if clients.everything else DRIVERS)
def test_bodies(servers, through, client, mode):
    path = "/status/200" if client in WRITES_FIRST else "/echo"
    items = [request("GET", "/plaintext"), request("HEAD", "/bytes/1000"), request("GET", "/status/204"),
             request("GET", "/status/304"), request("POST", "/echo", SMALL), request("POST", path, MEDIUM),
             request("POST", path, MEDIUM, chunked=True), request("GET", "/plaintext")]
    if mode == "event":
        # nginx stops sending a request once it has begun to pass the answer on: it cannot echo a large one for sure.
        items.append(request("POST", "/status/200" if through.startswith("nginx") else path, LARGE))
    with in_front(through, servers(mode, *TAKES_LARGE)) as url:
        results = ask(client, url, items)
    for item, result in zip(items, results):
        if item["path"] == "/echo":
            check_echo(result, item["length"])
        else:
            assert result.get("status") == {"/status/204": 204, "/status/304": 304}.get(item["path"], 200), result


@pytest.mark.parametrize("through, client, mode, path, length", [
    (through, client, mode, path, length) for path, length in [("/anything", MEDIUM), ("/echo", LARGE)]
    for through in PROXIES for client in CLIENTS for mode in MODES
    if clients.everything or (mode in DRIVERS and length == MEDIUM) or mode == "event"
])
def test_refused_uploads(servers, through, client, mode, path, length):
    """The proxy reads the 413 and passes it on: no 502.

    nginx that streams promises to keep a connection whose request it has not read whole, and then closes it: a client that
    used it again would lose that request. So each request there has a connection of its own."""
    sessions, requests = (SESSIONS, 1) if through == "nginx, streaming" else (1, REFUSED_TIMES)
    if length == LARGE:
        sessions, requests = min(sessions, 2), min(requests, 2)
    with in_front(through, servers(mode)) as url:
        results = [result for _ in range(sessions) for result in ask(client, url, [request("POST", path, length)] * requests)]
    statuses = [item.get("status") for item in results]
    assert statuses == [413] * (sessions * requests), [item for item in results if item.get("status") != 413][:2]


@pytest.mark.parametrize("version", ["send-proxy", "send-proxy-v2"])
@pytest.mark.parametrize("mode", MODES)
def test_proxy_protocol(servers, version, mode):
    """haproxy tells the client's address, for each connection once."""
    text = HAPROXY.replace("{backend}", "{backend} " + version)
    server = servers(mode, "--proxy-protocol")
    with proxy.running("haproxy", text, backend=server.address[1]) as (_, port):
        url = f"http://127.0.0.1:{port}/ip"
        for address in ("127.0.0.1", "127.0.0.9"):
            status, output, errors = run(["curl", "--silent", "--noproxy", "*", "--interface", address, url, url, url])
            assert (status, output) == (0, b'{"remote":"%s"}\n' % address.encode() * 3), errors


TOO_SHORT = "IncompleteRead(500 bytes read, 500 more expected)"
# What the client of a proxy sees of a fault behind it: of nginx, of haproxy. nginx takes garbage for HTTP/0.9 and passes it on.
FAULTS = {"before": (502, 502), "reset": (502, 502), "garbage": ("BadStatusLine", 502), "body:500": (TOO_SHORT, TOO_SHORT)}


@pytest.mark.parametrize("through", ["nginx, streaming", "haproxy"])
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("mode", MODES)
def test_faults(servers, through, fault, mode):
    with in_front(through, servers(mode)) as url:
        result, = ask("http.client", url, [request("POST", f"/echo?abort={fault}", SMALL)])
    wanted = FAULTS[fault][through == "haproxy"]
    if isinstance(wanted, str):
        assert wanted in result.get("error", ""), result
    else:
        assert result.get("status") == wanted, result
