# SPDX-License-Identifier: MIT
"""The plugin that runs all tests: which of them run, and what is said and left behind when one fails, hangs or dies."""

import os
import re
import subprocess
import sys

import pytest

from support import settings
from support.checks import check, equal, until
from support.shared import KEPT_MAX, SharedServers

TESTS = os.path.join(settings.ROOT, "tests")
HEAD = "import os, signal, subprocess, threading, time\nimport pytest\nfrom support.checks import equal\nfrom support.corpus import PLAIN\n"


@pytest.fixture
def run(folder):
    """run(source, *arguments): pytest's status and output for a file with these tests, in mode event."""

    def run(source, *arguments):
        path = os.path.join(folder, "test_inner.py")
        with open(path, "w") as file:
            file.write(HEAD + source)
        env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-c", os.path.join(settings.ROOT, "pytest.ini"), "--rootdir", folder, "-p", "support.plugin",
             "--server", settings.server_path, "--modes", "event", "-q", *arguments, path],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=env | {"PYTHONPATH": TESTS, "PYTHONDONTWRITEBYTECODE": "1", "FOLDER": folder}, timeout=settings.patience(40))
        return done.returncode, done.stdout

    return run


def check_has(output, *patterns):
    for pattern in patterns:
        check(re.search(pattern, output), f"no {pattern!r} in:\n{output}")


def test_a_failed_test_shows_what_its_server_has_said(run):
    status, output = run("""
def test_fails(start):
    server = start("--max-connections", "1")
    with server.connect() as served, server.connect() as refused:
        served.kept()
        equal(refused.ask(PLAIN).status, 200, "the status")
""")
    equal(status, 1, "pytest's status")
    check_has(output, r"test_inner\.py:\d+: in test_fails", "the status: expected 200, got 503",
              r"stderr of server --mode event .*--max-connections 1 -+\n.*full", "1 failed")
    check("1 error" not in output, f"the server is complained of a second time:\n{output}")


def test_a_crash_behind_a_failure_is_in_the_results(run, folder):
    """So that such a case has no second try."""
    path = os.path.join(folder, "results.xml")
    run("""
def test_own(start):
    server = start()
    server.signal(signal.SIGSEGV)
    server.child.wait()
    equal(server.pid, 0, "the answer")

def test_shared(server):
    server._errors.write(b"ERROR: AddressSanitizer: x")
    server._errors.flush()
    equal(server.pid, 0, "the answer")
""", "--junitxml", path)
    with open(path) as file:
        found = re.findall(r"<failure message=.*?</failure>", file.read(), re.DOTALL)
    equal(len(found), 2, "failures")
    check_has(found[0], "the answer: expected 0", r"Sanitizer|status -\d")
    check_has(found[1], "the answer: expected 0", "AddressSanitizer")


@pytest.mark.parametrize("ending, problem", [
    ("server.signal(signal.SIGKILL)\n    server.child.wait()", "got -9"),
    ("os.write(2, b'')\n    server._errors.write(b'ERROR: AddressSanitizer: x')\n    server._errors.flush()", "the server complains"),
], ids=["a status", "a report on stderr"])
def test_a_server_that_ends_badly_is_an_error(run, ending, problem):
    status, output = run(f"""
def test_passes(start):
    server = start()
    {ending}
""")
    equal(status, 1, "pytest's status")
    check_has(output, "ERROR at teardown of test_passes", problem, "1 passed, 1 error")


def test_a_shared_server_that_dies_is_replaced(run):
    status, output = run("""
def test_kills_it(server):
    server.signal(signal.SIGKILL)
    server.child.wait()

def test_gets_another(server):
    equal(server.ask(PLAIN).status, 200, "the status")
""")
    equal(status, 1, "pytest's status")
    check_has(output, "ERROR at teardown of test_kills_it", "the server died: status -9", "2 passed, 1 error")


def test_a_shared_server_that_ends_badly_is_an_error(run):
    status, output = run("""
def test_passes(server):
    server._errors.write(b"ERROR: AddressSanitizer: x")
    server._errors.flush()
""")
    equal(status, 1, "pytest's status")
    check_has(output, "ERROR at teardown of test_passes", "which tests shared: the server complains", "1 passed, 1 error")


@pytest.mark.modeless
def test_the_shared_server_asked_for_longest_ago_gives_way():
    shared = SharedServers()
    try:
        first, second = (shared.get("event", ("--max-connections", str(number))) for number in (1, 2))
        for number in range(3, KEPT_MAX + 1):
            shared.get("event", ("--max-connections", str(number)))
        check(shared.get("event", ("--max-connections", "1")) is first, "it is started once")
        shared.get("event", ("--max-connections", str(KEPT_MAX + 1)))
        equal([first.is_alive(), second.is_alive()], [True, False], "which are alive")
    finally:
        shared.drop_all()


def test_a_hung_test_is_reported_with_all_stacks(run):
    status, output = run("""
def sleeps_on_beside():
    time.sleep(600)

@pytest.mark.timeout(0.5)
def test_hangs(start):
    threading.Thread(target=sleeps_on_beside, daemon=True).start()
    start()
    time.sleep(600)

def test_comes_after(start):
    start()
""")
    equal(status, 1, "pytest's status")
    check_has(output, "in test_hangs\n +time.sleep", "Timeout >", "in sleeps_on_beside", "1 failed, 1 passed")


def test_a_worker_that_is_killed_takes_its_servers_with_it(run, folder):
    status, output = run("""
def test_is_killed(start, folder):
    with open(os.path.join(os.environ["FOLDER"], "pid"), "w") as file:
        file.write(str(start().pid))
    os.kill(os.getpid(), signal.SIGKILL)

def test_comes_after(start):
    start()
""", "-n", "1")
    equal(status, 1, "pytest's status")
    check_has(output, r"worker 'gw0' crashed while running 'test_inner\.py::test_is_killed\[event\]'", "1 failed, 1 passed")
    with open(os.path.join(folder, "pid")) as file:
        pid = int(file.read())
    until(lambda: not os.path.exists(f"/proc/{pid}"), "the server is gone")


def test_a_shared_server_that_is_left_stopped_is_an_error(run):
    status, output = run("""
def test_stops_it(server):
    server.signal(signal.SIGSTOP)

def test_gets_another(server):
    equal(server.ask(PLAIN).status, 200, "the status")
""")
    equal(status, 1, "pytest's status")
    check_has(output, "ERROR at teardown of test_stops_it", "left the server stopped", "2 passed, 1 error")


def test_a_process_that_a_test_leaves_is_an_error(run, folder):
    status, output = run("""
def test_leaves_it():
    child = subprocess.Popen(["cat", "-u"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    child.stdin.write(b"x")
    child.stdout.read(1)
    with open(os.path.join(os.environ["FOLDER"], "pid"), "w") as file:
        file.write(str(child.pid))

def test_comes_after(start):
    start()
""")
    equal(status, 1, "pytest's status")
    check_has(output, "ERROR at teardown of test_leaves_it", "left running: cat -u", "2 passed, 1 error")
    with open(os.path.join(folder, "pid")) as file:
        check(not os.path.exists(f"/proc/{file.read()}"), "it still runs")


def test_shared_servers_of_any_kind_stay(run):
    status, output = run("""
from support.shared import SharedServers
OWN = SharedServers()

@pytest.mark.parametrize("turn", [1, 2])
def test_uses_it(turn):
    equal(OWN.get("event", ()).ask(PLAIN).status, 200, "the status")

def test_ends_it():
    OWN.drop_all()
""")
    equal((status, re.findall(r"\d passed.*? in", output)), (0, ["3 passed in"]), f"status and sum of:\n{output}")


def test_a_server_that_is_not_there_is_named(run):
    status, output = run("def test_passes():\n    pass\n", "--server", "/nowhere/echod")
    equal(status, 4, "pytest's status")
    check_has(output, "--server: /nowhere/echod is no program")


SUITES = """
@pytest.mark.big
def test_big():
    pass

@pytest.mark.slow
def test_slow():
    pass
"""


@pytest.mark.parametrize("arguments, passed", [
    ((), ["test_slow"]), (("-m", "not slow"), []), (("-m", "big"), ["test_big"]), (("--suite", "big"), ["test_big"]),
    (("--suite", "any"), ["test_big", "test_slow"]), (("-k", "big"), []), (("-k", "big", "--suite", "any"), ["test_big"]),
], ids=str)
def test_a_suite_runs_only_if_it_is_asked_for(run, arguments, passed):
    _, output = run(SUITES, "-rp", *arguments)
    equal(re.findall(r"^PASSED .*::(\w+)", output, re.MULTILINE), passed, "what ran")
