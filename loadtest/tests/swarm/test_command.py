# SPDX-License-Identifier: MIT
"""swarm as a command: its exit status, its messages, its ends."""

import json
import resource
import signal
import subprocess
import unittest

from known_server import PATIENCE, SWARM, Server, command, started
from paths import LOADTEST


def run(*arguments, **settings):
    return subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE, **settings)


@unittest.skipUnless(SWARM.exists(), f"{SWARM} is not built")
class CommandTest(unittest.TestCase):
    def refused(self, done, status, words):
        self.assertEqual((done.returncode, done.stdout), (status, ""))
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertTrue(done.stderr.startswith("swarm: "))
        self.assertIn(words, done.stderr)

    def test_help(self):
        done = run("--help")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.splitlines()
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertLessEqual(len(lines), 60)
        readme = (LOADTEST / "swarm/README.md").read_text()
        for line in lines:
            if line.startswith("  --"):
                self.assertIn(line.split()[0], readme)

    def test_version(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        self.assertEqual([line.split()[0] for line in done.stdout.splitlines()], ["swarm", "libevent", "llhttp"])

    def test_bad_usage(self):
        for arguments, words in (((), "no target"), (("--rate", "x", "http://127.0.0.1:1/"), "--rate 'x': allowed: "),
                                 (("--nonsense",), "unknown flag '--nonsense'"),
                                 (("http://example.org:80/",), "'example.org:80': allowed: ADDRESS:PORT"),
                                 (("--target", "127.0.0.1:1"), "class main: it has no URL"),
                                 (("http://127.0.0.1:1/a", "http://127.0.0.1:1/b"), "'http://127.0.0.1:1/b': a second URL")):
            with self.subTest(arguments):
                self.refused(run(*arguments), 2, words)

    def test_a_limit_that_is_too_low(self):
        def lower():
            resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        self.refused(run("--connections", 100, "http://127.0.0.1:1/", preexec_fn=lower), 1, "the hard limit is 64")

    def test_the_soft_limit_is_raised(self):
        def lower():
            hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
            resource.setrlimit(resource.RLIMIT_NOFILE, (32, hard))
        with Server() as server:
            done = run("--connections", 100, "--each", 1, f"http://127.0.0.1:{server.port}/", preexec_fn=lower)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout)["classes"][0]["answers"], 100)

    def test_nobody_there(self):
        with Server() as server:
            port = server.port
        done = run("--connections", 3, f"http://127.0.0.1:{port}/")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, f"swarm: 127.0.0.1:{port}: no connection could be opened: "
                                      "connect: Connection refused\n")
        result = json.loads(done.stdout)
        self.assertEqual((result["ended"], result["complete"]), ("unopened", False))
        self.assertEqual(result["classes"][0]["connections"]["failed"], 3)

    def test_interrupted(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number), Server() as server:
                with started("--connections", 2, "--duration", "60s", "--gate",
                             f"http://127.0.0.1:{server.port}/") as process:
                    process.stdout.readline()
                    process.stdin.close()
                    while len(server.heads) < 10:
                        server.call(lambda: None)
                    process.send_signal(number)
                    result = json.loads(process.stdout.readline())
                    self.assertEqual(process.wait(), 0)
                    self.assertEqual(process.stderr.read(), "")
                self.assertEqual((result["ended"], result["complete"]), ("interrupted", False))
                [figures] = result["classes"]
                self.assertGreater(figures["answers"], 0)
                self.assertLessEqual(figures["unfinished"], 2)
                self.assertEqual(figures["requests"], figures["answers"] + figures["unfinished"])

    def test_interrupted_at_the_gate(self):
        with Server() as server:
            with started("--gate", f"http://127.0.0.1:{server.port}/") as process:
                process.stdout.readline()
                process.send_signal(signal.SIGINT)
                result = json.loads(process.stdout.readline())
                self.assertEqual(process.wait(), 0)
        self.assertEqual((result["ended"], result["window_s"]), ("interrupted", 0))
        self.assertIsNone(result["classes"][0]["achieved_rate"])

    def test_progress(self):
        with Server() as server:
            url = f"http://127.0.0.1:{server.port}/after/100"
            shown = run("--progress", "--requests", 10, url)
            quiet = run("--requests", 10, url)
        self.assertIn(" answers, 0 errors", shown.stderr)
        self.assertTrue(shown.stderr.endswith("\033[K"))
        self.assertEqual(quiet.stderr, "")
