# SPDX-License-Identifier: MIT
"""What wrk prints, judged."""

import contextlib
import os
import select
import shutil
import socket
import unittest

import context  # noqa: F401
from lab.load import wrk
from lab.load.workloads import WORKLOADS
from lab.text.errors import LabError


def figures(**changes):
    errors = dict.fromkeys(("connect", "read", "write", "timeout", "status", "body"), 0)
    return {"requests": 1000, "bytes": 130_000, "depth": 1, "errors": errors, **changes}


class ParseTest(unittest.TestCase):
    def test_the_last_json_line(self):
        output = 'Running\n{"latency_us":{},"requests":1}\n{"latency_us":{},"requests":2}\n\n'
        self.assertEqual(wrk.parse(output)["requests"], 2)

    def test_none(self):
        for output in ("", "Running\n", "{broken\n", '{"other":1}\n'):
            with self.subTest(output), self.assertRaises(LabError):
                wrk.parse(output)


class ProblemsTest(unittest.TestCase):
    CASES = (
        ("good", figures(), 130, ""),
        ("the last answers half read", figures(bytes=130_900), 130, ""),
        ("with Connection: close", figures(bytes=149_000), 130, ""),
        ("nobody knows the length", figures(bytes=1), None, ""),
        ("too short", figures(bytes=120_000), 130, "answers of 120.0 bytes on average, not 130"),
        ("too long", figures(bytes=170_000), 130, "answers of 170.0 bytes on average, not 130"),
        ("none", figures(requests=0, bytes=0), 130, "no request was answered"),
        ("errors", figures(errors={"read": 3, "status": 0, "timeout": 1}), 130, "3 read errors, 1 timeout errors"),
    )

    def test_cases(self):
        for name, given, length, expected in self.CASES:
            with self.subTest(name):
                self.assertEqual(wrk.problems(given, length, 10), expected)


@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class GateTest(unittest.TestCase):
    def test_connections_are_open_before_the_first_request(self):
        for workload in WORKLOADS:
            # A listener for each: wrk connects again when its connections are closed.
            with self.subTest(workload.name), socket.create_server(("127.0.0.1", 0)) as listener:
                listener.settimeout(10)
                url = f"http://127.0.0.1:{listener.getsockname()[1]}"
                with wrk.Run(workload, url, 2, 1, os.sched_getaffinity(0)) as run, contextlib.ExitStack() as stack:
                    run.check_alive(0.1)
                    probe, *held = [stack.enter_context(listener.accept()[0]) for _ in range(3)]
                    self.assertEqual(probe.recv(1), b"")  # wrk only sees whether it can connect
                    self.assertEqual(select.select(held, [], [], 0.3)[0], [])
                    run.open_gate()
                    self.assertNotEqual(select.select(held, [], [], 10)[0], [])


if __name__ == "__main__":
    unittest.main()
