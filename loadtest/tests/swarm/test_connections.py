# SPDX-License-Identifier: MIT
"""What swarm does with its connections: opens, greets, holds, spreads, reuses and closes them."""

import contextlib
import json
import os
import signal
import tempfile
import unittest

from known_server import SWARM, Server, load, started, swarm


def go_on_by_line(process):
    process.stdin.write("\n")
    process.stdin.flush()


def go_on_by_end(process):
    process.stdin.close()


def go_on_by_signal(process):
    os.kill(process.pid, signal.SIGUSR1)


def sockets_of(process):
    folder = f"/proc/{process.pid}/fd"
    links = []
    for name in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            links.append(os.readlink(f"{folder}/{name}"))
    return sum(link.startswith("socket:") for link in links)


@unittest.skipUnless(SWARM.exists(), f"{SWARM} is not built")
class ConnectionsTest(unittest.TestCase):
    def test_kept_alive(self):
        with Server() as server:
            figures, _ = load(server, "--connections", 3, "--requests", 50, "/")
        self.assertEqual((len(server.connections), len(server.heads), figures["answers"]), (3, 50, 50))
        self.assertEqual(figures["connections"],
                         {"asked": 3, "opened": 3, "failed": 0, "reopened": 0, "closed": 0, "open": 3})

    def test_a_new_one_for_each_request(self):
        for model in ((), ("--rate", 200)):
            with self.subTest(model=model), Server() as server:
                figures, _ = load(server, "--connections", 3, "--requests", 20, "--close", *model, "/close")
                self.assertEqual((len(server.connections), figures["answers"]), (20, 20))
                self.assertEqual((figures["connections"]["asked"], figures["connections"]["reopened"]), (0, 20))
                self.assertTrue(all("\r\nConnection: close" in head for head in server.heads))

    def test_those_that_the_server_closes_are_opened_again(self):
        for model in ((), ("--rate", 200)):
            with self.subTest(model=model), Server() as server:
                figures, _ = load(server, "--connections", 2, "--requests", 10, *model, "/close")
                self.assertEqual((figures["answers"], sum(figures["errors"].values())), (10, 0))
                self.assertEqual(len(server.connections), 2 + figures["connections"]["reopened"])
                self.assertGreaterEqual(figures["connections"]["reopened"], 8)

    def test_an_open_model_uses_all_of_them(self):
        with Server() as server:
            load(server, "--connections", 50, "--rate", 1000, "--requests", 100, "/")
            used = {connection.peer for connection in server.connections if connection.pieces}
        self.assertEqual(len(used), 50)

    def test_held_and_greeted(self):
        for go_on in (go_on_by_line, go_on_by_end, go_on_by_signal):
            with self.subTest(go_on.__name__), Server() as server:
                with started("--target", f"127.0.0.1:{server.port}", "--connections", 300, "--hold", "--greet",
                             "--gate", "/") as process:
                    held = json.loads(process.stdout.readline())
                    server.call(lambda: self.assertEqual(sum(c.open for c in server.connections), 300))
                    connect_s = held.pop("connect_s")
                    self.assertGreater(connect_s, 0)
                    self.assertEqual(held, {"event": "held", "asked": 300, "opened": 300, "failed": 0, "open": 300,
                                            "answered": 300, "refused": 0})
                    self.assertIsNone(process.poll())
                    go_on(process)
                    result = json.loads(process.stdout.readline())
                    self.assertEqual(process.wait(), 0)
                self.assertEqual(len(server.heads), 300)
                [figures] = result["classes"]
                self.assertEqual(figures["greeted"], {"answered": 300, "refused": 0, "failed": 0})
                self.assertEqual((figures["model"], figures["requests"]), ("hold", 0))

    def test_held_then_used(self):
        with Server() as server:
            with started("--target", f"127.0.0.1:{server.port}", "--connections", 40, "--gate", "--each", 2,
                         "/") as process:
                held = json.loads(process.stdout.readline())
                self.assertEqual((held["open"], held["answered"], len(server.heads)), (40, 0, 0))
                go_on_by_line(process)
                [figures] = json.loads(process.stdout.readline())["classes"]
        self.assertEqual((figures["answers"], len(server.connections)), (80, 40))

    def test_a_refused_greeting(self):
        with Server() as server:
            [held, result] = swarm("--target", f"127.0.0.1:{server.port}", "--connections", 5, "--hold", "--greet",
                                   "--gate", "/status/503")
        self.assertEqual((held["opened"], held["answered"], held["refused"]), (5, 0, 5))
        self.assertEqual(result["classes"][0]["greeted"], {"answered": 0, "refused": 5, "failed": 0})

    def test_a_greeting_that_fails(self):
        with Server() as server:
            [held, result] = swarm("--target", f"127.0.0.1:{server.port}", "--connections", 5, "--hold", "--greet",
                                   "--gate", "/reset")
        self.assertEqual((held["opened"], held["answered"], held["open"]), (5, 0, 0))
        [figures] = result["classes"]
        self.assertEqual(figures["greeted"]["failed"], 5)
        self.assertTrue(figures["first_error"].startswith("read: "))

    def test_the_server_closes_held_ones(self):
        with Server() as server:
            with started("--target", f"127.0.0.1:{server.port}", "--connections", 20, "--hold", "--greet",
                         "--duration", "60s", "--gate", "/") as process:
                process.stdout.readline()
                go_on_by_line(process)
                before = sockets_of(process)
                server.close_idle(5)
                while sockets_of(process) > before - 5:
                    self.assertIsNone(process.poll())
                process.send_signal(signal.SIGINT)
                result = json.loads(process.stdout.readline())
                self.assertEqual(process.wait(), 0)
        self.assertEqual((result["ended"], result["complete"]), ("interrupted", False))
        connections = result["classes"][0]["connections"]
        self.assertEqual((connections["closed"], connections["open"]), (5, 15))

    def test_sources(self):
        for sources, expected in ((3, {"127.0.0.1", "127.0.0.2", "127.0.0.3"}),
                                  ("127.0.0.9,127.0.0.7", {"127.0.0.9", "127.0.0.7"})):
            with self.subTest(sources), Server() as server:
                load(server, "--connections", 12, "--each", 1, "--sources", sources, "/")
                peers = [connection.peer[0] for connection in server.connections]
                self.assertEqual({peer: peers.count(peer) for peer in peers},
                                 dict.fromkeys(expected, 12 // len(expected)))

    def test_targets(self):
        with Server(hosts=("127.0.0.2", "127.0.0.3")) as server:
            swarm("--target", f"127.0.0.2:{server.port}", "--target", f"127.0.0.3:{server.port}", "--connections", 10,
                  "--each", 1, "/")
        hosts = [connection.own[0] for connection in server.connections]
        self.assertEqual((hosts.count("127.0.0.2"), hosts.count("127.0.0.3")), (5, 5))

    def test_local_socket(self):
        with tempfile.TemporaryDirectory() as folder, Server(path=f"{folder}/socket") as server:
            [result] = swarm("--target", f"unix:{folder}/socket", "--connections", 400, "--each", 1, "/")
        self.assertEqual(result["classes"][0]["answers"], 400)
        self.assertIn("\r\nHost: localhost", server.heads[0])

    def test_a_request_as_asked_for(self):
        with Server() as server:
            load(server, "--requests", 1, "--method", "PUT", "--header", "A: b", "--header", "Host: there", "--data",
                 "four", "/echo?x=y")
            load(server, "--requests", 1, "--body", 70, "/")
            load(server, "--requests", 1, "--method", "DELETE", "/")
        self.assertEqual(server.heads[0], "PUT /echo?x=y HTTP/1.1\r\nA: b\r\nHost: there\r\nContent-Length: 4")
        self.assertEqual(server.heads[1],
                         f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nContent-Length: 70")
        self.assertEqual(server.heads[2], f"DELETE / HTTP/1.1\r\nHost: 127.0.0.1:{server.port}")
