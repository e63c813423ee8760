# SPDX-License-Identifier: MIT
"""Servers beside ours and servers elsewhere: how they are named, started, watched and ended."""

import re
import socket
import sys
import time
from types import SimpleNamespace

import pytest
from lab.load import swarm
from lab.load.http import authority
from lab.machine.command import ROOT
from lab.report import glossary
from lab.servers import ceilings, subjects
from lab.servers.modes import MODES, choose
from lab.text.errors import CannotStart, CellFailed, ServerDied, UsageError
from paths import TESTS

LISTENER = ("import socket, sys, time; s = socket.create_server(('127.0.0.1', int(sys.argv[1])));\n"
            "while True: s.accept()[0].close()")


def test_the_table_has_the_modes_of_the_server():
    """A mode that is missing from the lab's table would not be measured."""
    table = (ROOT / "server" / "modes" / "mode.h").read_text(encoding="utf-8")
    assert [mode.name for mode in MODES] == re.findall(r"^ +MODE\((\w+)\)", table, re.MULTILINE)


@pytest.fixture
def forbidding(tmp_path):
    """A server that offers thread and uring, where the system forbids io_uring."""
    path = tmp_path / "server"
    path.write_text(f"""#!/bin/sh
case $2 in
thread) exec {sys.executable} {TESTS}/fake_server.py "$@" ;;
uring) echo 'echod: cannot start mode uring: a seccomp filter forbids io_uring' >&2; exit 1 ;;
esac
exit 2
""")
    path.chmod(0o755)
    return path


def test_a_mode_that_the_system_forbids_is_left_out(forbidding, capsys):
    assert [mode.name for mode in choose(forbidding)] == ["thread"]
    assert re.fullmatch(r"uring: cannot start: .* a seccomp filter forbids io_uring; the mode is left out\n", capsys.readouterr().err)


def test_a_mode_that_the_system_forbids_and_that_was_asked_for(forbidding):
    with pytest.raises(CannotStart, match="a seccomp filter forbids io_uring"):
        choose(forbidding, "thread,uring")


@pytest.mark.parametrize("mode", MODES, ids=[mode.name for mode in MODES])
def test_each_mode_has_its_ceiling_and_its_word(mode):
    assert (ceilings.SOURCES / f"{mode.ceiling}.c").exists()
    assert re.search(rf"\b{mode.name} \(", dict(glossary.words())["mode"])


def test_modes_flags_and_variants():
    variant = SimpleNamespace(name="event-one-loop", mode="event", flags=("--loops", "1"))
    experiment = SimpleNamespace(modes=("event", "pool"), flags={"pool": ("--workers", "9")}, variants=(variant,), twin="event",
                                 efforts={"quick": SimpleNamespace(modes=("pool",)), "full": SimpleNamespace(modes=())})
    found = subjects.of_modes(experiment, [mode for mode in MODES if mode.name != "hybrid"], "/echod")
    assert [subject.name for subject in found] == ["event", "pool", "event-one-loop", "event-twin"]
    assert [subject.argv[-2:] for subject in found[1:3]] == [("--workers", "9"), ("--loops", "1")]
    assert {subject.ceiling for subject in found} == {"ceiling-epoll", "ceiling-threads"}
    assert (found[3].kind, found[3].argv) == ("twin", found[0].argv)
    quick = subjects.of_modes(experiment, MODES, "/echod", "quick")
    assert [subject.name for subject in quick] == ["pool"]


def test_also():
    found = subjects.parse_also(["nginx=nginx -p '{port} x'", "b=b {port}"], ["event"])
    assert [(subject.name, subject.argv) for subject in found] == [("nginx", ("nginx", "-p", "{port} x")), ("b", ("b", "{port}"))]
    with pytest.raises(UsageError):
        subjects.parse_also(["x=a {port}", "x=b {port}"], [])


@pytest.mark.parametrize("text", [
    "nginx", "=x {port}", "9=x {port}", "x=nginx", "event=x {port}", "target=x {port}", "ceiling-epoll=x {port}", "x='{port}",
])
def test_also_refuses(text):
    with pytest.raises(UsageError):
        subjects.parse_also([text], ["event"])


def test_target():
    assert subjects.parse_target("http://192.0.2.7:81").start().address == ("192.0.2.7", 81)
    assert subjects.parse_target("http://[::1]/").start().address == ("::1", 80)


@pytest.mark.parametrize("url", [
    "192.0.2.7:80", "https://x", "http://", "http://x:y", "http://x/path", "http://x/?q", "http://[::1", "http://x:0",
    "http://name:word@x", "http://x/#f", "http://x y", "http://x:99999", "", "http://..:80", "http://x..y",
    f"http://{'x' * 64}.example", "http://ü.example",
])
def test_target_refuses(url):
    with pytest.raises(UsageError):
        subjects.parse_target(url)


def start(*argv):
    return subjects.Subject("other", argv, kind="also").start()


def test_started_on_a_free_port_and_ended():
    with start(sys.executable, "-c", LISTENER, "{port}") as server:
        server.wait_ready()
        deadline = time.monotonic() + 10
        while server.sockets() != 1 and time.monotonic() < deadline:  # the one it was tried with goes when it gets to it
            time.sleep(0.01)
        assert server.sockets() == 1
        assert server.memory()["pss"] > 0
        assert server.limit() is None
        assert "cpu_s" in server.stop()


def test_one_that_ends_and_one_that_never_listens():
    with start("sh", "-c", "echo port {port} is taken >&2; exit 3") as server:
        with pytest.raises(CannotStart, match=r"other: cannot start: exited with status 3: port \d+ is taken"):
            server.wait_ready()
    with start("sleep", "{port}") as server, pytest.raises(CannotStart, match="does not accept on port"):
        server.wait_ready(timeout=0.1)


def test_one_that_talks_is_not_stopped_by_it():
    with start("sh", "-c", f"yes | head -c 1000000; exec {sys.executable} -c \"$0\" {{port}}", LISTENER) as server:
        server.wait_ready(timeout=20)
        server.stop()


def test_one_that_does_not_heed_sigterm():
    with start("sh", "-c", f"trap '' TERM; exec {sys.executable} -c \"$0\" {{port}}", LISTENER) as server:
        server.wait_ready(timeout=20)
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 15


def test_a_failure_of_one_that_has_ended_is_its_end():
    with pytest.raises(ServerDied, match="other: the server died: exited with status 4"):
        with start("sh", "-c", "exit 4") as server:
            assert server.child.ended(10)
            raise CellFailed("5 read errors", "errors")


def test_it_is_only_connected_to():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        subject = subjects.parse_target(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with subject.start() as server:
            server.wait_ready()
            assert (server.pid, server.usage(), server.memory(), server.sockets(), server.stop()) == (None,) * 5
    with pytest.raises(ServerDied, match="it accepts no connection any more"):
        server.stop()
    with subject.start() as server, pytest.raises(CannotStart, match="cannot connect to .*: Connection refused$"):
        server.wait_ready(timeout=1)


def test_one_that_has_a_name():
    """Clients that take addresses only get the one that answered, and call it by its name all the same."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with subjects.parse_target(f"http://localhost:{port}").start() as server:
            server.wait_ready()
            assert (server.address, server.host) == (("127.0.0.1", port), f"localhost:{port}")
            words = swarm.arguments([{"name": "main", "path": "/x"}], {}, authority(server.address), server.host)
            assert words == ["--target", f"127.0.0.1:{port}", "--class", "main", "--header",
                                     f"Host: localhost:{port}", "/x"]


def test_one_of_ipv6():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as listener:
        port = listener.getsockname()[1]
        with subjects.parse_target(f"http://[::1]:{port}").start() as server:
            server.wait_ready()
            assert (authority(server.address), server.host) == (f"[::1]:{port}",) * 2
