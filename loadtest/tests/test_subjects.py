# SPDX-License-Identifier: MIT
"""Servers beside ours and servers elsewhere: how they are named, started, watched and ended."""

import socket
import sys
import time
import unittest
from types import SimpleNamespace

import context  # noqa: F401
from lab.load import swarm
from lab.load.http import authority
from lab.servers import subjects
from lab.servers.modes import MODES
from lab.text.errors import CannotStart, CellFailed, ServerDied, UsageError

LISTENER = ("import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));\n"
            "while True: s.accept()[0].close()")


class NamesTest(unittest.TestCase):
    def test_modes_flags_and_variants(self):
        variant = SimpleNamespace(name="event-one-loop", mode="event", flags=("--loops", "1"))
        experiment = SimpleNamespace(modes=("event", "pool"), flags={"pool": ("--workers", "9")}, variants=(variant,), twin="event",
                                     efforts={"quick": SimpleNamespace(modes=("pool",)), "full": SimpleNamespace(modes=())})
        found = subjects.of_modes(experiment, [mode for mode in MODES if mode.name != "hybrid"], "/echod")
        self.assertEqual([subject.name for subject in found], ["event", "pool", "event-one-loop", "event-twin"])
        self.assertEqual([subject.argv[-2:] for subject in found[1:3]], [("--workers", "9"), ("--loops", "1")])
        self.assertEqual({subject.ceiling for subject in found}, {"ceiling-epoll", "ceiling-threads"})
        self.assertEqual((found[3].kind, found[3].argv), ("twin", found[0].argv))
        quick = subjects.of_modes(experiment, MODES, "/echod", "quick")
        self.assertEqual([subject.name for subject in quick], ["pool"])

    def test_also(self):
        found = subjects.parse_also(["nginx=nginx -p '{port} x'", "b=b {port}"], ["event"])
        self.assertEqual([(subject.name, subject.argv) for subject in found],
                         [("nginx", ("nginx", "-p", "{port} x")), ("b", ("b", "{port}"))])
        for text in ("nginx", "=x {port}", "9=x {port}", "x=nginx", "event=x {port}", "target=x {port}",
                     "ceiling-epoll=x {port}", "x='{port}"):
            with self.subTest(text), self.assertRaises(UsageError):
                subjects.parse_also([text], ["event"])
        with self.assertRaises(UsageError):
            subjects.parse_also(["x=a {port}", "x=b {port}"], [])

    def test_target(self):
        self.assertEqual(subjects.parse_target("http://192.0.2.7:81").start().address, ("192.0.2.7", 81))
        self.assertEqual(subjects.parse_target("http://[::1]/").start().address, ("::1", 80))
        for url in ("192.0.2.7:80", "https://x", "http://", "http://x:y", "http://x/path", "http://x/?q", "http://[::1", "http://x:0",
                    "http://name:word@x", "http://x/#f", "http://x y", "http://x:99999", "", "http://..:80", "http://x..y",
                    f"http://{'x' * 64}.example", "http://ü.example"):
            with self.subTest(url), self.assertRaises(UsageError):
                subjects.parse_target(url)


class ForeignTest(unittest.TestCase):
    def start(self, *argv):
        return subjects.Subject("other", argv, kind="also").start()

    def test_started_on_a_free_port_and_ended(self):
        with self.start(sys.executable, "-c", LISTENER, "{port}") as server:
            server.wait_ready()
            deadline = time.monotonic() + 10
            while server.sockets() != 1 and time.monotonic() < deadline:  # the one it was tried with goes when it gets to it
                time.sleep(0.01)
            self.assertEqual(server.sockets(), 1)
            self.assertGreater(server.memory()["pss"], 0)
            self.assertIsNone(server.limit())
            self.assertIn("cpu_s", server.stop())

    def test_one_that_ends_and_one_that_never_listens(self):
        with self.start("sh", "-c", "echo port {port} is taken >&2; exit 3") as server:
            with self.assertRaisesRegex(CannotStart, r"other: cannot start: exited with status 3: port \d+ is taken"):
                server.wait_ready()
        with self.start("sleep", "{port}") as server, self.assertRaisesRegex(CannotStart, "does not accept on port"):
            server.wait_ready(timeout=0.1)

    def test_one_that_talks_is_not_stopped_by_it(self):
        with self.start("sh", "-c", f"yes | head -c 1000000; exec {sys.executable} -c \"$0\" {{port}}", LISTENER) as server:
            server.wait_ready(timeout=20)
            server.stop()

    def test_one_that_does_not_heed_sigterm(self):
        with self.start("sh", "-c", f"trap '' TERM; exec {sys.executable} -c \"$0\" {{port}}", LISTENER) as server:
            server.wait_ready(timeout=20)
            began = time.monotonic()
            server.stop()
            self.assertLess(time.monotonic() - began, 15)

    def test_a_failure_of_one_that_has_ended_is_its_end(self):
        with self.assertRaisesRegex(ServerDied, "other: the server died: exited with status 4"):
            with self.start("sh", "-c", "exit 4") as server:
                self.assertTrue(server.child.ended(10))
                raise CellFailed("5 read errors", "errors")


class RemoteTest(unittest.TestCase):
    def test_it_is_only_connected_to(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            subject = subjects.parse_target(f"http://127.0.0.1:{listener.getsockname()[1]}")
            with subject.start() as server:
                server.wait_ready()
                self.assertEqual((server.pid, server.usage(), server.memory(), server.sockets(), server.stop()), (None,) * 5)
        with self.assertRaisesRegex(ServerDied, "it accepts no connection any more"):
            server.stop()
        with subject.start() as server, self.assertRaisesRegex(CannotStart, "cannot connect to .*: Connection refused$"):
            server.wait_ready(timeout=1)

    def test_one_that_has_a_name(self):
        """Clients that take addresses only get the one that answered, and call it by its name all the same."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            with subjects.parse_target(f"http://localhost:{port}").start() as server:
                server.wait_ready()
                self.assertEqual((server.address, server.host), (("127.0.0.1", port), f"localhost:{port}"))
                words = swarm.arguments([{"name": "main", "path": "/x"}], {}, authority(server.address), server.host)
                self.assertEqual(words, ["--target", f"127.0.0.1:{port}", "--class", "main", "--header",
                                         f"Host: localhost:{port}", "/x"])

    def test_one_of_ipv6(self):
        with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
            port = listener.getsockname()[1]
            with subjects.parse_target(f"http://[::1]:{port}").start() as server:
                server.wait_ready()
                self.assertEqual((authority(server.address), server.host), (f"[::1]:{port}",) * 2)


if __name__ == "__main__":
    unittest.main()
