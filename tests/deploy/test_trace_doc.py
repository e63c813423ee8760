# SPDX-License-Identifier: MIT
"""The commands of docs/trace.md: the trace is written, and the probes are seen by perf and by bpftrace where the machine allows it."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
import time

import pytest
from support import settings
from support.corpus import get
from support.server import Server
from test_docs import Session, own_network  # noqa: F401 (a fixture)

with open(os.path.join(settings.ROOT, "docs", "trace.md"), encoding="utf-8") as file:
    BLOCKS = re.findall(r"^```sh[^\n]*\n(.*?)^```\n", file.read(), re.MULTILINE | re.DOTALL)


def test_there_are_blocks():
    assert len(BLOCKS) == 3


@pytest.mark.alone
def test_the_trace(own_network):  # noqa: F811
    path = os.path.join(settings.ROOT, "build", "trace.json")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with Session() as session:
        session.run(BLOCKS[0], waits=False)
    with open(path, encoding="utf-8") as trace:
        names = {event.get("name") for event in json.load(trace)["traceEvents"]}
    assert {"GET /plaintext", "GET /delay/20ms", "wait", "GET /block/20ms", "queue", "work"} <= names


@pytest.fixture
def program():
    """The program that the commands name; the machine must be able to see its probes."""
    path = os.path.join(settings.ROOT, "build", "release", "echod")
    with open(path, "rb") as build:
        if b"stapsdt" not in build.read():
            pytest.skip("built without sys/sdt.h")
    if os.geteuid() != 0 or not os.access("/sys/kernel/tracing/uprobe_events", os.W_OK):
        pytest.skip("this machine does not allow uprobes")
    return path


def said_under_load(program, commands):
    """What the commands print while a server answers with 200 and 404, the first after a wait."""
    server = Server("event", program=program)
    over = threading.Event()

    def ask():
        while not over.is_set():
            server.ask(get(b"/delay/2ms"))
            server.ask(get(b"/nothing"))
            time.sleep(0.01)

    client = threading.Thread(target=ask)
    client.start()
    try:
        run = subprocess.run(["sh", "-e", "-c", commands], cwd=settings.ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
        assert run.returncode == 0, run.stdout
        return run.stdout
    finally:
        over.set()
        client.join()
        server.stop()
        server.close()


def drop_events():
    subprocess.run(["perf", "probe", "--quiet", "--del", "sdt_echod:*"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_perf(program):
    if not shutil.which("perf"):
        pytest.skip("without perf")
    drop_events()  # of a run that was ended
    try:
        said = said_under_load(program, BLOCKS[1])
    finally:
        drop_events()
    assert {"200", "404"} <= set(re.findall(r"sdt_echod:request_end: .* arg2=(\d+)", said)), said


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_bpftrace(program):
    if not shutil.which("bpftrace"):
        pytest.skip("without bpftrace")
    said = said_under_load(program, BLOCKS[2])
    assert re.search(r"@answers\[200\]: [1-9]", said) and re.search(r"@answers\[404\]: [1-9]", said), said
    assert re.search(r"@wait_ms:\s*\n\[\d", said), said
