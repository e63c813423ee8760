# SPDX-License-Identifier: MIT
"""Outputs that take nothing: a full disk, and a pipe that nobody reads. What stdout says is in integration's lifecycle."""

import os
import signal
import subprocess
import sys

import pytest

from support import process, settings
from support.checks import check, equal
from support.idle import check_idle
from support.rows import params
from support.server import environment
from support.settings import patience
from injection import PLAIN


def closed_pipe():
    """A descriptor to write to, of a pipe that has no reader."""
    reader, writer = os.pipe()
    os.close(reader)
    return os.fdopen(writer, "wb")


def full_disk():
    return open("/dev/full", "wb")


TAKE_STDERR = "import os, sys; os.dup2(int(sys.argv[1]), 2); os.execv(sys.argv[2], sys.argv[2:])"
OUTPUTS = {"full": full_disk, "closed": closed_pipe}


def run(flags, **streams):
    child = process.spawn([settings.server_path, *flags], env=environment(), **{"stderr": subprocess.PIPE, **streams})
    try:
        _, errors = child.communicate(timeout=patience(15))
    finally:
        process.end(child)
    return child.returncode, (errors or b"").decode()


@pytest.mark.parametrize("flags", params([("help", ["--help"]), ("version", ["--version"]), ("server", ["--listen", "127.0.0.1:0"])]))
def test_a_pipe_nobody_reads_as_stdout(flags):
    with closed_pipe() as output:
        status, errors = run(flags, stdout=output)
    equal(status, 1, "status")
    check("stdout" in errors and errors.count("\n") == 1, f"expected one line about stdout, got {errors!r}")


@pytest.mark.parametrize("name", params([(name, name) for name in OUTPUTS]))
def test_stderr_takes_nothing_from_who_cannot_start(name):
    with OUTPUTS[name]() as output:
        equal(run(["--nix"], stdout=subprocess.DEVNULL, stderr=output)[0], 2, "status")
    with OUTPUTS[name]() as output:
        equal(run(["--listen", "192.0.2.1:80"], stdout=subprocess.DEVNULL, stderr=output)[0], 1, "status")


@pytest.mark.parametrize("name", params([(name, name) for name in OUTPUTS]))
def test_stderr_takes_nothing_from_a_server(start, name):
    """It has something to say, cannot, and goes on."""
    with OUTPUTS[name]() as output:
        wrapper = (sys.executable, "-c", TAKE_STDERR, output.fileno())
        server = start("-v", "--max-connections", "1", wrapper=wrapper, pass_fds=(output.fileno(),))
    with server.connect() as served, server.connect() as refused:
        served.kept()
        equal(refused.ask(PLAIN).status, 503, "status where it is full")
        served.kept()
    server.stop()


@pytest.mark.parametrize("form", params([("text", "text"), ("json", "json")]))
def test_an_access_log_on_a_full_disk(start, form):
    """Lines are lost, answers are not."""
    server = start("--access-log", "/dev/full", "--log-format", form)
    for _ in range(3):
        for _ in range(100):
            equal(server.ask(PLAIN).status, 200, "status")
        server.signal(signal.SIGHUP)  # it is opened again
    check_idle(server)
    errors = server.stop()
    check(errors.count("\n") <= 4, f"it complains again and again: {errors!r}")


def test_an_access_log_that_nobody_reads(start):
    """Who reads stdout has gone."""
    server = start("--access-log", "-")
    server.child.stdout.close()
    for _ in range(100):
        equal(server.ask(PLAIN).status, 200, "status")
    check_idle(server)
    server.stop()


def test_an_access_log_that_is_read_no_more(start):
    """Who reads stdout has stopped reading: the pipe is full, and clients are served all the same."""
    server = start("--access-log", "-")
    with server.connect() as wire:
        for _ in range(40):
            wire.send(PLAIN * 100)
            for _ in range(100):
                equal(wire.answer().status, 200, "status")
    check_idle(server)
    server.stop()
