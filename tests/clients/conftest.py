# SPDX-License-Identifier: MIT
"""Servers for the real clients: one for each mode, shared by the tests of a worker, and proxies before it."""

import os
import sys

import pytest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]

import clients  # noqa: E402
from harness import settings  # noqa: E402
from harness.server import Server  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--server", default="build/asan/echod", help="the echod to be tested")
    parser.addoption("--all", action="store_true", help="every client in every mode, and more refused uploads")


def pytest_configure(config):
    settings.server_path = os.path.abspath(config.getoption("--server"))
    clients.everything = config.getoption("--all")


@pytest.fixture(scope="session")
def servers():
    """Makes the server of a mode when it is first asked for. Its end is looked at, too."""
    running = {}

    def server(mode, *flags):
        if (mode, flags) not in running:
            running[mode, flags] = Server(mode, ("--listen", "127.0.0.1:0", *flags))
        running[mode, flags].check_alive()
        return running[mode, flags]

    yield server
    for item in running.values():
        item.stop(seconds=60)
        item.close()
