# SPDX-License-Identifier: MIT
"""Servers for the real clients: one for each mode, shared by the tests of a worker, and proxies before it."""

import clients
import pytest
from support.server import Server
from support.shared import LISTEN


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="every client in every mode, and more refused uploads")


def pytest_configure(config):
    clients.everything = config.getoption("--all", False)


@pytest.fixture(scope="session")
def servers():
    """Makes the server of a mode when it is first asked for. Its end is looked at, too."""
    running = {}

    def server(mode, *flags):
        if (mode, flags) not in running:
            running[mode, flags] = Server(mode, (*LISTEN, *flags))
        running[mode, flags].check_alive()
        return running[mode, flags]

    yield server
    for item in running.values():
        item.stop(seconds=60)
        item.close()
