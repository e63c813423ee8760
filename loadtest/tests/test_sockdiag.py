# SPDX-License-Identifier: MIT
"""The kernel's word on who has which sockets."""

import socket
import unittest

import context  # noqa: F401
from lab.machine import sockdiag


class AcceptedTest(unittest.TestCase):
    def test_a_socket_counts_once_it_is_accepted_and_until_it_is_closed(self):
        for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with self.subTest(address), socket.create_server((address, 0), family=family) as listener:
                port = listener.getsockname()[1]
                self.assertEqual(sockdiag.accepted(port), 1)
                with socket.create_connection((address, port)):
                    self.assertEqual(sockdiag.accepted(port), 1)
                    accepted, _ = listener.accept()
                    self.assertEqual(sockdiag.accepted(port), 2)
                    accepted.close()
                    self.assertEqual(sockdiag.accepted(port), 1)

    def test_more_than_one_reply_holds(self):
        with socket.create_server(("127.0.0.1", 0), backlog=500) as listener:
            port = listener.getsockname()[1]
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(400)]
            servers = [listener.accept()[0] for _ in clients]
            self.assertEqual(sockdiag.accepted(port), 401)
            for held in clients + servers:
                held.close()
        self.assertEqual(sockdiag.accepted(port), 0)


if __name__ == "__main__":
    unittest.main()
