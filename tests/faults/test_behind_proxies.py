# SPDX-License-Identifier: MIT
"""nginx and HAProxy in front of two servers, over connections that they keep, while everything is restarted in turn under
load: no client sees an error."""

import contextlib
import http.client
import re
import signal
import threading

import pytest

from support import proxy
from support.checks import check, until
from support.rows import params
from support.settings import patience

# nginx closes what is idle before the drain does: it may not repeat a POST that crosses the end of its connection.
NGINX = proxy.nginx(upstream="server {one} max_fails=0; server {two} max_fails=0; keepalive 16; keepalive_timeout 500ms;",
                    processes="worker_processes 2")

HAPROXY = """global
  maxconn 500
defaults
  mode http
  timeout connect 10s
  timeout check 10s
  timeout client 60s
  timeout server 60s
  option redispatch
  retries 3
  retry-on conn-failure empty-response
frontend front
  bind 127.0.0.1:{port}
  default_backend back
backend back
  option httpchk GET /readyz
  http-reuse always
  server one {one} check inter 50ms fall 1 rise 1
  server two {two} check inter 50ms fall 1 rise 1
"""


# The command, the configuration, and the signal that makes it load its configuration anew.
PROXIES = {"nginx": ("nginx", NGINX, signal.SIGHUP), "haproxy": ("haproxy master", HAPROXY, signal.SIGUSR2)}


@contextlib.contextmanager
def in_front(name, servers, folder):
    """The proxy's process, its port, and that signal."""
    command, text, reload = PROXIES[name]
    one, two = ("%s:%d" % server.address for server in servers)
    with proxy.running(command, text, folder, one=one, two=two) as (child, port):
        yield child, port, reload


class Client(threading.Thread):
    """Asks over a connection that it keeps, by GET and by POST."""

    def __init__(self, port):
        super().__init__()
        self.port = port
        self.answers, self.failures = 0, []
        self.ended = threading.Event()

    def run(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            while not self.ended.is_set():
                self.ask(connection, "GET", "/plaintext", None, b"Hello, World!")
                self.ask(connection, "POST", "/echo", b"x" * 2000, b"x" * 2000)
        finally:
            connection.close()

    def ask(self, connection, method, path, body, wanted):
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            got = answer.read()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            connection.close()  # the proxy's doing: it was told to load its configuration anew
            return
        except (http.client.HTTPException, OSError) as failure:
            self.failures.append(repr(failure))
            self.ended.set()
            return
        if (answer.status, got) != (200, wanted):
            self.failures.append(f"{method}: {answer.status} {got[:100]!r}")
        self.answers += 1


@contextlib.contextmanager
def load(port):
    clients = [Client(port) for _ in range(6)]
    for client in clients:
        client.start()
    try:
        yield clients
    finally:
        for client in clients:
            client.ended.set()
        for client in clients:
            client.join()


def more_answers(clients, count):
    before = sum(client.answers for client in clients)
    until(lambda: sum(client.answers for client in clients) >= before + count, f"{count} answers", patience(30))


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", params([(name, name) for name in PROXIES]))
def test_everything_is_restarted(start, folder, name):
    flags = ("--drain-delay", "1s", "--workers", "16")
    servers = [start(*flags), start(*flags)]
    with in_front(name, servers, folder) as (child, port, reload), load(port) as clients:
        more_answers(clients, 100)
        for index in (0, 1):
            servers[index].signal(signal.SIGTERM)
            servers[index].wait(0)
            more_answers(clients, 50)
            servers[index] = start(*flags, "--listen", servers[index].listening[0], listen=False)
            until(lambda index=index: takes_part(servers[index]), "the proxy uses it again", patience(10))
            more_answers(clients, 50)
        child.send_signal(reload)
        more_answers(clients, 200)
    failures = [failure for client in clients for failure in client.failures]
    check(not failures, f"{len(failures)} failures, such as {failures[:2]}; {name} says:\n{proxy.said(folder)[-4000:]}")


def takes_part(server):
    """Somebody but us has asked it for something."""
    page = server.ask(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").body
    return int(re.search(rb'\nechod_requests_total{.*code="2xx"} (\d+)', page)[1]) > 100
