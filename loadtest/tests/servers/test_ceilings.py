# SPDX-License-Identifier: MIT
"""The parse-less servers: what they answer, and that what they cost is seen."""

import os
import socket
import tempfile
import unittest
from pathlib import Path

from lab.machine import procfs
from lab.servers import ceilings
from lab.servers.server import Server

LENGTH = 150
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def answer(address, request):
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while more := client.recv(65536):
            received += more
        return received


class CeilingTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def start(self, name, *arguments):
        server = Server.command((str(ceilings.build(name, self.folder)), str(LENGTH), *arguments), name)
        self.addCleanup(server.child.close)
        return server.wait_ready()

    def test_an_answer_for_each_empty_line(self):
        for name in sorted(path.stem for path in ceilings.SOURCES.glob("*.c")):
            with self.subTest(name):
                server = self.start(name)
                one = answer(server.address, REQUEST)
                self.assertEqual(len(one), LENGTH)
                self.assertTrue(one.endswith(b"\r\n\r\nHello, World!"))
                self.assertEqual(answer(server.address, 3 * REQUEST), 3 * one)
                self.assertEqual(answer(server.address, REQUEST[:-1]), b"")

    def test_ended_processes_are_counted(self):
        """One for each connection: their CPU time is their parent's once it has waited for them, else nobody's."""
        server = self.start("processes")
        ended = 0
        for _ in range(5000):
            answer(server.address, REQUEST)
            with open(f"/proc/{server.pid}/stat", encoding="ascii") as file:
                ended = sum(procfs.parse_stat(file.read())[2:])
            if ended >= 3 / os.sysconf("SC_CLK_TCK"):
                return
        self.fail(f"{ended} s")
