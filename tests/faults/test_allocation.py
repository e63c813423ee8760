# SPDX-License-Identifier: MIT
"""Allocations of the server and of libevent that fail: at start-up each in turn, and some while clients are served.

The server is echod_failing (tests/failing/): the same, but that its allocations fail as the variable FAILING says."""

import os
import signal

import pytest

from support import settings
from support.checks import check, equal
from support.rows import params
from injection import PLAIN, attempt, check_recovered
from test_start_up import wait
from test_under_load import load

START_UP = 60  # more allocations than it makes before it serves
SEEDS = (1, 2, 3)
ONE_IN = 7


def failing(what):
    """Options of a server that fails so."""
    path = os.path.join(os.path.dirname(settings.server_path), "tests", "echod_failing")
    if not os.path.exists(path):
        pytest.skip("this preset builds no echod_failing")
    return {"program": path, "env": {"FAILING": what}}


def count_allocations(start):
    """From its start to its end, with a connection served."""
    options = failing("-1")
    options["env"]["FAILING_COUNT"] = "1"
    server = start("--loops", "2", "--workers", "2", **options)
    equal(server.ask(PLAIN).status, 200, "status")
    return int(server.stop().split()[-2])


@pytest.mark.timeout(120)
def test_each_fails_once_at_start_up(start):
    """It starts and serves all the same, or ends with a line that says why."""
    starts, count = 0, count_allocations(start)
    check(10 < count < START_UP * 4, f"{count} allocations")
    for first in range(min(count, START_UP)):
        server = start("--loops", "2", "--workers", "2", expect_ready=False, **failing(str(first)))
        if wait(server):
            starts += 1
            statuses = [attempt(server, PLAIN) for _ in range(3)]
            check(statuses.count(200) >= 2, f"allocation {first} failed: {statuses}")
            server.stop()
        server.close()
    check(0 < starts < count, f"it started {starts} times of {count}")


@pytest.mark.timeout(120)
def test_all_fail_from_one_on_at_start_up(start):
    if settings.counts_lines:
        pytest.skip("what counts the lines crashes without memory")
    for first in range(min(count_allocations(start), START_UP)):
        server = start("--loops", "2", "--workers", "2", expect_ready=False, **failing(f"{first}+"))
        if wait(server):
            server.stop((0, 1))
        server.close()


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seed", params([(f"seed {seed}", seed) for seed in SEEDS]))
def test_some_fail_under_load(start, folder, seed):
    """One in seven, once it serves: whoever is hit is told or loses the connection, all others are answered right."""
    log = ("--access-log", os.path.join(folder, "log"))
    server = start("--loops", "2", "--workers", "8", *log, **failing(f"{START_UP}:{ONE_IN}:{seed}"))
    for _ in range(3):
        served = load(server)
        check(served > 5, f"only {served} requests were answered")
    server.signal(signal.SIGRTMIN)
    check_recovered(server)
