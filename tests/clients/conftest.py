# SPDX-License-Identifier: MIT
"""Servers for the real clients: one for each mode, shared by the tests of a worker, and proxies before it."""

import clients
import pytest
from support.shared import SharedServers


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="every client in every mode, and more refused uploads")


def pytest_configure(config):
    clients.everything = config.getoption("--all", False)


@pytest.fixture(scope="session")
def servers():
    """servers(mode, *flags): the server, made when it is first asked for. Its end is looked at, too."""
    running = SharedServers(kept=None)  # proxies that are kept stand before them

    def server(mode, *flags):
        found = running.get(mode, flags)
        found.check_alive()
        return found

    yield server
    running.drop_all()
