# SPDX-License-Identifier: MIT
"""Prometheus reads /metrics, and what it adds up is what the clients counted. PROMETHEUS_SECONDS is how long the load
goes on."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request

import pytest
from server import PATIENCE, Echod
from support import ports, process, settings
from support.checks import until
from support.settings import ROOT

SECONDS = float(os.environ.get("PROMETHEUS_SECONDS", "3"))
DASHBOARD = os.path.join(ROOT, "deploy", "compose", "grafana", "dashboards", "echod.json")
CONFIG = """
global: {scrape_interval: 1s}
scrape_configs:
  - job_name: echod
    static_configs: [{targets: %s}]
"""
# What the clients ask for, with the class that the server counts it in.
LOADS = (("/plaintext", "2xx"), ("/echo", "2xx"), ("/status/404", "4xx"), ("/status/503", "5xx"))
BATCH = 400  # requests of a client's run


class Prometheus:
    def __init__(self, targets):
        self.folder = tempfile.mkdtemp(prefix="echod-prometheus-")
        config = os.path.join(self.folder, "prometheus.yml")
        with open(config, "w") as file:
            file.write(CONFIG % json.dumps(targets))
        address = f"127.0.0.1:{ports.free()}"
        self.url = f"http://{address}"
        self.log = open(os.path.join(self.folder, "log"), "w+")
        self.child = process.spawn(["prometheus", f"--config.file={config}", f"--web.listen-address={address}",
                                    f"--storage.tsdb.path={self.folder}/data"], stdout=self.log, stderr=self.log)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait(PATIENCE)
        self.log.close()
        shutil.rmtree(self.folder)

    def query(self, expression):
        """The samples of an instant query, by mode and code; None while Prometheus starts."""
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?query=" + urllib.parse.quote(expression)) as answer:
                result = json.load(answer)["data"]["result"]
        except OSError:
            assert self.child.poll() is None, "Prometheus did not start"
            return None
        return {(item["metric"].get("mode", item["metric"].get("instance")), item["metric"].get("code")):
                float(item["value"][1]) for item in result}


def h2load(url):
    """A batch of requests over 4 connections, every one of them answered."""
    done = subprocess.run(["h2load", "--h1", f"-n{BATCH}", "-c4", url], capture_output=True, text=True, timeout=120)
    figures = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, \d+ succeeded, \d+ failed, (\d+) errored, "
                        r"(\d+) timeout", done.stdout)
    assert figures and figures.groups() == (str(BATCH), str(BATCH), "0", "0"), done.stdout + done.stderr
    return BATCH


@pytest.fixture
def servers():
    with contextlib.ExitStack() as stack:
        yield {mode: stack.enter_context(Echod("--mode", mode, "--listen", "127.0.0.1:0")) for mode in settings.modes}


def test_format(mode):
    with Echod("--mode", mode, "--listen", "127.0.0.1:0") as server:
        done = subprocess.run(["promtool", "check", "metrics"], input=server.get("/metrics"), capture_output=True, text=True,
                              timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_dashboard_asks_for_what_there_is(servers):
    with open(DASHBOARD) as file:
        expressions = [target["expr"] for panel in json.load(file)["panels"] for target in panel["targets"]]
    there = set(re.findall(r"^(\w+)[{ ]", servers["event"].get("/metrics"), re.MULTILINE))
    asked = {name for text in expressions for name in re.findall(r"\b(?:echod|process)_\w+", text)}
    assert len(asked) > 8
    assert asked <= there


@pytest.mark.alone  # a scrape that takes longer than a second counts as down
@pytest.mark.timeout(SECONDS + 120)
def test_totals_are_the_clients(servers):
    targets = {mode: server.url.removeprefix("http://") for mode, server in servers.items()}
    with Prometheus(list(targets.values())) as prometheus:
        until(lambda: len(prometheus.query("up == 1") or ()) == len(settings.modes), "every mode is scraped")
        sent = {}
        end = time.monotonic() + SECONDS
        while not sent or time.monotonic() < end:
            for mode, server in servers.items():
                for path, code in LOADS:
                    sent[mode, code] = sent.get((mode, code), 0) + h2load(server.url + path)
        begun = time.time()
        until(lambda: min(prometheus.query("timestamp(echod_info)").values()) > begun, "another scrape of each")
        # In one query, so that both are of the same scrape. A scrape is a request too, counted when it is answered.
        scrapes = "label_replace(count_over_time(up[1h]) - 1, 'code', '2xx', '', '')"
        own = f"echod_requests_total{{code='2xx'}} - on(instance, code) group_left {scrapes}"
        counted = prometheus.query(f"({own}) or echod_requests_total{{code=~'4xx|5xx'}}")
        up = prometheus.query("min_over_time(up[1h])")
    assert set(up.values()) == {1.0}, "a scrape failed"
    assert counted == sent
    print(f"{sum(sent.values())} requests in {SECONDS:.0f} s, all of them in Prometheus's totals")
