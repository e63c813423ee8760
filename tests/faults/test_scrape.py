# SPDX-License-Identifier: MIT
"""A scrape of /metrics on the admin listener holds up nobody, however many children there are."""

import contextlib
import os
import re

import pytest

from support.checks import at_most, check, equal, until
from support.corpus import get
from support.settings import PROCESS_EACH, patience
from support.wire import Wire
from injection import tracing

CHILDREN = 150
AT_ONCE = 40  # children that are read in one turn of the loop, at most


def values(page):
    return {name: float(value) for name, value in re.findall(r"^(\w+)\{mode=\"\w+\"\} ([\d.]+)$", page, re.MULTILINE)}


def reads_between_waits(text, pid):
    """The children that the process reads between two waits for events, the most of them."""
    most = count = 0
    for line in text.splitlines():
        if not line.startswith(f"{pid} "):
            continue
        if " epoll_wait(" in line or " epoll_pwait(" in line:
            count = 0
        elif re.search(r'openat\(.*"/proc/\d+/stat"', line):
            count += 1
            most = max(most, count)
    return most


@pytest.mark.timeout(120)
def test_of_many_connections(start, folder, mode):
    """A few children are read in each turn of the loop that accepts and reaps. In time all are counted, dead ones no more."""
    calls = os.path.join(folder, "calls")
    server = start("--admin-listen", "127.0.0.1:0", "--workers", CHILDREN + 1, lines=2,
                   **tracing(calls, ["openat", "epoll_wait", "epoll_pwait"]))
    with contextlib.ExitStack() as stack, Wire(server.addresses[1], seconds=patience(20)) as admin:
        for _ in range(CHILDREN):
            stack.enter_context(server.connect(seconds=patience(20))).kept()

        def scrape():
            return values(admin.ask(get(b"/metrics")).body.decode())

        first = scrape()
        equal(first["echod_connections_open"], CHILDREN, "echod_connections_open")
        check(first["process_open_fds"] > 0 and first["process_resident_memory_bytes"] > 0, f"{first}")
        if mode in PROCESS_EACH:
            equal(first["echod_threads"], CHILDREN + 1, "echod_threads")
            until(lambda: scrape()["process_open_fds"] >= 4 * CHILDREN, "all children are counted", patience(20))
        seen = scrape()["process_cpu_seconds_total"]
        check(seen >= first["process_cpu_seconds_total"] > 0, f"{seen} s of CPU after {first}")
    with Wire(server.addresses[1], seconds=patience(20)) as admin:
        until(lambda: scrape()["echod_connections_open"] == 0, "the connections are gone", patience(20))
        last = scrape()
        check(last["process_cpu_seconds_total"] >= seen, "CPU time went back")
        if mode in PROCESS_EACH:
            equal(last["echod_threads"], 1, "echod_threads")
    server.stop()
    with open(calls, errors="replace") as file:
        at_most(reads_between_waits(file.read(), server.pid), AT_ONCE, "children read in one turn of the loop")
