# SPDX-License-Identifier: MIT
"""The same through what usually stands in front: nginx, with the request held first and passed on as it comes, and haproxy."""

import contextlib
import os
import shutil
import tempfile

import clients
import pytest
from clients import LARGE, MEDIUM, SMALL, TAKES_LARGE, WRITES_FIRST, ask, check_echo, request
from support import ports, process
from support.checks import until
from support.settings import MODES

pytestmark = pytest.mark.timeout(600)

NGINX = """daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 256; }}
http {{ access_log off; client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5; client_max_body_size 0;
  upstream back {{ server 127.0.0.1:{backend}; keepalive 8; }}
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://back; proxy_http_version 1.1;
    proxy_request_buffering {buffering}; proxy_set_header Connection ""; }} }} }}
"""
HAPROXY = """defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
listen front
  bind 127.0.0.1:{port}
  server one 127.0.0.1:{backend}
"""
PROXIES = {
    "nginx, buffering": (NGINX, "on", ["nginx", "-p", "{folder}", "-e", "{folder}/error.log", "-c", "{path}"]),
    "nginx, streaming": (NGINX, "off", ["nginx", "-p", "{folder}", "-e", "{folder}/error.log", "-c", "{path}"]),
    "haproxy": (HAPROXY, "", ["haproxy", "-db", "-f", "{path}"]),
}
CLIENTS = ("curl", "http.client", "go net/http")
REFUSED_TIMES = 100 if clients.everything else 25  # by each client in each mode

each = [pytest.mark.parametrize("proxy", PROXIES), pytest.mark.parametrize("client", CLIENTS),
        pytest.mark.parametrize("mode", MODES if clients.everything else ("event", "thread"))]


@contextlib.contextmanager
def in_front(name, server):
    """The URL of the proxy before the server."""
    text, buffering, argv = PROXIES[name]
    process.need(argv[0])
    folder, port = tempfile.mkdtemp(prefix="echod-clients-"), ports.free()
    path = os.path.join(folder, "conf")
    with open(path, "w") as file:
        file.write(text.format(folder=folder, port=port, backend=server.address[1], buffering=buffering))
    child = process.spawn([process.need(argv[0])] + [item.format(folder=folder, path=path) for item in argv[1:]])
    try:
        until(lambda: ports.listens(port), f"{name} listens", 30)
        yield f"http://127.0.0.1:{port}"
        assert child.poll() is None, f"{name} has ended"
    finally:
        process.end(child)
        shutil.rmtree(folder, ignore_errors=True)


def parametrized(function):
    for mark in each:
        function = mark(function)
    return function


@parametrized
def test_bodies(servers, proxy, client, mode):
    path = "/status/200" if client in WRITES_FIRST else "/echo"
    items = [request("GET", "/plaintext"), request("HEAD", "/bytes/1000"), request("GET", "/status/204"),
             request("GET", "/status/304"), request("POST", "/echo", SMALL), request("POST", path, MEDIUM),
             request("POST", path, MEDIUM, chunked=True), request("GET", "/plaintext")]
    if mode == "event":
        # nginx stops sending a request once it has begun to pass the answer on: it cannot echo a large one for sure.
        items.append(request("POST", "/status/200" if proxy.startswith("nginx") else path, LARGE))
    with in_front(proxy, servers(mode, *TAKES_LARGE)) as url:
        results = ask(client, url, items)
    for item, result in zip(items, results):
        if item["path"] == "/echo":
            check_echo(result, item["length"])
        else:
            assert result.get("status") == {"/status/204": 204, "/status/304": 304}.get(item["path"], 200), result


@parametrized
@pytest.mark.parametrize("path, length", [("/anything", MEDIUM), ("/echo", LARGE)])
def test_refused_uploads(servers, proxy, client, mode, path, length):
    """The proxy reads the 413 and passes it on: no 502.

    nginx that streams promises to keep a connection whose request it has not read whole, and then closes it: a client that
    used it again would lose that request. So each request there has a connection of its own."""
    times = REFUSED_TIMES if length == MEDIUM else 2
    sessions, requests = (times, 1) if proxy == "nginx, streaming" else (1, times)
    with in_front(proxy, servers(mode)) as url:
        results = [result for _ in range(sessions) for result in ask(client, url, [request("POST", path, length)] * requests)]
    statuses = [item.get("status") for item in results]
    assert statuses == [413] * times, [item for item in results if item.get("status") != 413][:2]
