# SPDX-License-Identifier: MIT
"""What wrk prints, judged."""

import contextlib
import os
import select
import shutil
import socket

import pytest
from lab.load import wrk
from lab.load.workloads import WORKLOADS
from lab.text.errors import LabError


def figures(**changes):
    errors = dict.fromkeys(("connect", "read", "write", "timeout", "status", "body"), 0)
    return {"requests": 1000, "bytes": 130_000, "depth": 1, "errors": errors, **changes}


def test_the_last_json_line():
    output = 'Running\n{"latency_us":{},"requests":1}\n{"latency_us":{},"requests":2}\n\n'
    assert wrk.parse(output)["requests"] == 2


@pytest.mark.parametrize("output", [
    "", "Running\n", "{broken\n", '{"other":1}\n',
])
def test_none(output):
    with pytest.raises(LabError):
        wrk.parse(output)


PROBLEMS_CASES = (
    ("good", figures(), 130, ""),
    ("the last answers half read", figures(bytes=130_900), 130, ""),
    ("with Connection: close", figures(bytes=149_000), 130, ""),
    ("nobody knows the length", figures(bytes=1), None, ""),
    ("too short", figures(bytes=120_000), 130, "answers of 120.0 bytes on average, not 130"),
    ("too long", figures(bytes=170_000), 130, "answers of 170.0 bytes on average, not 130"),
    ("none", figures(requests=0, bytes=0), 130, "no request was answered"),
    ("errors", figures(errors={"read": 3, "status": 0, "timeout": 1}), 130, "3 read errors, 1 timeout errors"),
)


@pytest.mark.parametrize("given, length, expected", [case[1:] for case in PROBLEMS_CASES], ids=[case[0] for case in PROBLEMS_CASES])
def test_cases(given, length, expected):
    assert wrk.problems(given, length, 10) == expected


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is not installed")
@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_connections_are_open_before_the_first_request(workload):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with wrk.Run(workload, url, 2, 1, os.sched_getaffinity(0)) as run, contextlib.ExitStack() as stack:
            run.check_alive(0.1)
            probe, *held = [stack.enter_context(listener.accept()[0]) for _ in range(3)]
            assert probe.recv(1) == b""  # wrk only sees whether it can connect
            assert select.select(held, [], [], 0.3)[0] == []
            run.open_gate()
            assert select.select(held, [], [], 10)[0] != []
