# SPDX-License-Identifier: MIT
"""A rolling restart of two instances behind each proxy, with the configuration that is in the documentation: no request
fails, though it is a POST, which no proxy may send twice. RESTART_SECONDS is how long it goes on, for each proxy and mode; each
instance is restarted at least once."""

import os
import re
import signal
import subprocess
import tempfile
import time

import pytest
from server import PATIENCE, Echod
from support import ports, process, proxy
from support.checks import until
from support.settings import ROOT

SECONDS = float(os.environ.get("RESTART_SECONDS", "3"))
PROXIES = os.path.join(ROOT, "deploy", "proxies")
DELAYS = {"haproxy": "1s", "nginx": "3s"}  # as the documentation says
CONNECTIONS = 32
POST = 'wrk.method = "POST"\nwrk.body = ("x"):rep(1024)\n'


class Instance:
    """A server that comes back on its port."""

    def __init__(self, mode, port, delay):
        self.flags = ("--mode", mode, "--listen", f"127.0.0.1:{port}", "--drain-delay", delay)
        self.server = Echod(*self.flags)

    def served(self):
        """Requests answered since its start."""
        return int(re.search(r'^echod_requests_total\{.*code="2xx"} (\d+)$', self.server.get("/metrics"), re.M)[1])

    def restart(self):
        """Returns its exit status once its successor has been given work."""
        status = self.server.stop()
        self.server.__exit__()
        self.server = Echod(*self.flags)
        until(lambda: self.served() > 2 * CONNECTIONS, "requests come to the new instance")
        return status


def in_front(name, chosen):
    """haproxy or nginx with its file of deploy/proxies, on the ports chosen for itself and for the two instances."""
    with open(os.path.join(PROXIES, {"haproxy": "haproxy.cfg", "nginx": "nginx.conf"}[name])) as file:
        text = file.read()
    for placeholder, port in zip((8080, 8081, 8082), chosen):
        assert f"127.0.0.1:{placeholder}" in text
        text = text.replace(f"127.0.0.1:{placeholder}", f"127.0.0.1:{port}")
    text = text.replace("{", "{{").replace("}", "}}")
    return proxy.running(name, ("daemon off;\n" if name == "nginx" else "") + text, port=chosen[0])


@pytest.mark.alone  # the proxies must see the 503 of /readyz within the delays of the documentation
@pytest.mark.timeout(4 * SECONDS + 120)
@pytest.mark.parametrize("name", DELAYS)
def test_restart(name, mode):
    chosen = front, *back = ports.several(3)
    instances = [Instance(mode, port, DELAYS[name]) for port in back]
    try:
        with in_front(name, chosen), tempfile.TemporaryDirectory() as folder:
            until(lambda: all(instance.served() >= 0 for instance in instances), "instances")
            script = os.path.join(folder, "post.lua")
            with open(script, "w") as file:
                file.write(POST)
            wrk = process.spawn(["wrk", "-t1", f"-c{CONNECTIONS}", "-d1h", "-s", script, f"http://127.0.0.1:{front}/echo"],
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            try:
                until(lambda: all(instance.served() > CONNECTIONS for instance in instances), "requests come")
                end = time.monotonic() + SECONDS
                restarts = 0
                while restarts < 2 or time.monotonic() < end:
                    assert instances[restarts % 2].restart() == 0
                    restarts += 1
            finally:
                wrk.send_signal(signal.SIGINT)  # it ends and reports
                report = wrk.communicate(timeout=PATIENCE)[0]
    finally:
        for instance in instances:
            instance.server.__exit__()
    assert "Non-2xx" not in report
    assert "Socket errors" not in report
    requests = int(re.search(r"(\d+) requests in", report)[1])
    print(f"{name}, {mode}: {restarts} restarts, {requests} requests, none failed")
