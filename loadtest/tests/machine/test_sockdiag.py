# SPDX-License-Identifier: MIT
"""The kernel's word on who has which sockets."""

import socket

import pytest
from lab.machine import sockdiag


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_socket_counts_once_it_is_accepted_and_until_it_is_closed(family, address):
    with socket.create_server((address, 0), family=family) as listener:
        port = listener.getsockname()[1]
        assert sockdiag.accepted(port) == 1
        with socket.create_connection((address, port)):
            assert sockdiag.accepted(port) == 1
            accepted, _ = listener.accept()
            assert sockdiag.accepted(port) == 2
            accepted.close()
            assert sockdiag.accepted(port) == 1


def test_more_than_one_reply_holds():
    with socket.create_server(("127.0.0.1", 0), backlog=500) as listener:
        port = listener.getsockname()[1]
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
        servers = [listener.accept()[0] for _ in clients]
        assert sockdiag.accepted(port) == 401
        for held in clients + servers:
            held.close()
    assert sockdiag.accepted(port) == 0
