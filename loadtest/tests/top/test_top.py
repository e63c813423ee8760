# SPDX-License-Identifier: MIT
"""The whole command against real servers: its figures against what was done to them, its JSON, its terminal."""

import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
from types import SimpleNamespace

import pytest
from known_server import SWARM
from lab.load import http
from lab.servers.server import Server
from lab.top import main
from lab.top.server import Server as Watched
from paths import LOADTEST
from terminal import everything

ECHOD = SWARM.with_name("echod")
PATIENCE = 60
HELD = 7


def echod(mode, *flags, port=0):
    return Server.command([ECHOD, "--mode", mode, "--listen", f"127.0.0.1:{port}", *flags], mode)


def command(*arguments):
    return [sys.executable, str(LOADTEST / "top.py"), *arguments]


def run(*arguments):
    return subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE, check=False)


def get(connection, path="/plaintext"):
    connection.sendall(http.request_bytes("GET", path, "localhost"))
    assert http.receive(connection).status == 200


@contextlib.contextmanager
def held(server):
    """Connections that were answered once and stay open."""
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(socket.create_connection(server.address)) for _ in range(HELD)]
        for connection in connections:
            get(connection)
        yield connections


@contextlib.contextmanager
def watched(url):
    state = main.State(Watched(url))
    yield state
    state.server.close()


def nobody():
    """The URL of a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize("mode", ["event", "thread", "process"])
def test_the_figures_are_true(mode):
    with echod(mode) as server, held(server.wait_ready()) as connections, watched(server.url) as state:
        state.look(PATIENCE)
        first = state.figures
        for _ in range(5):
            get(connections[0], "/delay/30ms")
        for i in range(495):
            get(connections[i % HELD])
        http.ask(server.address, "GET", "/status/503")
        state.look(PATIENCE)
        found = state.figures
    assert first.requests_per_s is None and first.connections["open"] == HELD + 1  # the scrape's own
    assert found.mode == mode
    assert {code: round(rate * found.interval_s, 6) for code, rate in found.answers_per_s.items()} == {
        "2xx": 501, "3xx": 0, "4xx": 0, "5xx": 1}  # each interval has a scrape
    assert round(found.requests_per_s * found.interval_s, 6) == 502
    assert round(found.connections_per_s * found.interval_s, 6) == 1
    assert found.p50.above_s == 0  # what is answered at once has no time of its own
    assert found.p99.above_s == 0  # the delayed ones are less than a hundredth
    assert found.connections["queued"] == 0
    assert 0 <= found.cpu * found.interval_s < PATIENCE
    assert found.cpu > 0 or mode == "process"  # which looks at its children once a second
    assert found.memory_bytes > 1 << 20
    assert found.switches_per_s["voluntary"] * found.interval_s >= 5  # each delay is one, at least
    if mode != "event":  # one for each connection and the main one; the last connection may not have ended yet
        assert 1 + HELD + 1 <= found.threads <= 1 + HELD + 2


def test_slow_requests_show_in_p99():
    with echod("event") as server, held(server.wait_ready()) as connections, watched(server.url) as state:
        state.look(PATIENCE)
        for _ in range(10):
            get(connections[0], "/delay/110ms")
        for _ in range(10):
            get(connections[0])
        state.look(PATIENCE)
    assert state.figures.p99.above_s >= 0.1


def test_json_of_several_servers(tmp_path):
    """One by its admin listener, one by a unix socket, one that is away."""
    path, dead = f"unix:{tmp_path}/socket", nobody()
    with echod("event", "--listen", path) as one, echod("pool", "--admin-listen", f"unix:{tmp_path}/admin") as other:
        one.wait_ready()
        with held(other.wait_ready()):
            done = run("--once", "--json", "--interval", "200ms", path, f"unix:{tmp_path}/admin", dead)
    assert (done.returncode, done.stderr) == (0, "")
    [line] = done.stdout.splitlines()
    result = json.loads(line)
    assert (result["format"], result["version"]) == ("echod-top", 1)
    first, second, third = result["servers"]
    assert third == {"url": dead, "up": False, "error": "Connection refused"}
    assert (first["url"], first["up"], first["mode"], first["connections"]["open"]) == (path, True, "event", 1)
    assert second["mode"] == "pool"
    assert {name: second["connections"][name] for name in ("open", "queued", "lingering")} == {"open": HELD, "queued": 0, "lingering": 0}
    for answered in first, second:
        assert answered["interval_s"] > 0 and answered["p50"]["above_s"] == 0
        assert round(answered["requests_per_s"] * answered["interval_s"], 6) == 1  # the scrape
    assert set(first) == {"url", "up", "error", "mode", "version", "restarted", "interval_s", "scrape_s", "requests_per_s",
                          "answers_per_s", "p50", "p99", "connections", "connections_per_s", "threads", "memory_bytes",
                          "switches_per_s", "cpu"}


@pytest.mark.parametrize("seen_away", [True, False])
def test_a_server_that_is_restarted(seen_away):
    """It comes back, and no rate is below 0."""
    with watched("http://127.0.0.1:1") as state, contextlib.ExitStack() as stack:
        server = stack.enter_context(echod("event")).wait_ready()
        state.server = Watched(server.url)
        with held(server):
            state.look(PATIENCE)
        server.stop()
        if seen_away:
            state.look(PATIENCE)
            assert state.figures is None and state.error == "Connection refused" and state.away_since is not None
        stack.enter_context(echod("event", port=server.address[1])).wait_ready()
        state.look(PATIENCE)
        assert state.figures.restarted is not seen_away
        assert state.figures.requests_per_s is None and state.error is None and state.away_since is None
        state.look(PATIENCE)
        assert not state.figures.restarted
        assert round(state.figures.requests_per_s * state.figures.interval_s, 6) == 1


def test_lingering_connections_are_counted():
    """One that was told to close and does not."""
    with echod("event") as server, watched(server.wait_ready().url) as state:
        with socket.create_connection(server.address) as client:
            client.sendall(b"nonsense\r\n\r\n")
            assert b"400 Bad Request" in client.recv(65536)
            state.look(PATIENCE)
            assert (state.figures.connections["open"], state.figures.connections["lingering"]) == (2, 1)


@pytest.mark.parametrize("mode", ["event", "thread", "fiber", "uring"])
def test_states_of_connections(mode):
    """The server counts them after it was asked, each second; the one that asks is counted, too."""
    wanted = {"idle": HELD, "sending": 0, "waiting": 1, "working": 0, "lingering": 0}
    with (echod(mode, "--max-delay", "2m") as server, held(server.wait_ready()), watched(server.url) as state,
          socket.create_connection(server.address) as client):
        client.sendall(b"GET /delay/90s HTTP/1.1\r\nHost: a\r\n\r\n")
        deadline = time.monotonic() + PATIENCE
        while True:
            state.look(PATIENCE)
            found = {**state.figures.connections, "idle": (state.figures.connections["idle"] or 1) - 1}
            if {name: found[name] for name in wanted} == wanted or time.monotonic() > deadline:
                break
            time.sleep(0.05)
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize("found, text", [([0.31], "over 0.3 s"), ([0.3, None, 2.04], "over 0.3 to 2.0 s"), ([0.98, 1.02], "over 1.0 s"),
                                         ([None], "over 0.5 s"), ([], "over 0.5 s")])
def test_the_title_says_over_which_time(found, text):
    """`found`: the times between the pages of servers that answer; one that is away beside them."""
    states = [SimpleNamespace(figures=SimpleNamespace(interval_s=seconds)) for seconds in found]
    assert main.over([*states, SimpleNamespace(figures=None)], 0.5) == text


def test_no_server_answers():
    done = run("--once", "--interval", "100ms", nobody())
    assert done.returncode == 1
    assert "Connection refused" in done.stdout


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["--interval", "0", "http://a"], ["--interval", "1m", "http://a"],
                                       ["--unknown", "http://a"], ["http://a"] * 101, ["unix:"], ["http://a b/"]])
def test_mistakes(arguments):
    done = run(*arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)


def test_plain_snapshots_until_the_reader_has_had_enough():
    with subprocess.Popen(command("--interval", "100ms", nobody()), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(40)]
        process.stdout.close()
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == ""
    assert sum(line.startswith("requests/s") for line in lines) >= 2
    assert "\x1b" not in "".join(lines)


def in_terminal(end, **variables):
    """(exit status, all that was written) of the command on a terminal of 80 by 24; `end`: ends it once the screen is there."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(follower, (24, 80))
    before = termios.tcgetattr(follower)
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    process = subprocess.Popen(command("--interval", "100ms", nobody()), stdin=follower, stdout=follower, stderr=follower,
                               env={**environment, "TERM": "xterm", **variables})
    seen = b""
    while b"Connection refused" not in seen:
        seen += os.read(leader, 65536)
    end(leader, process)
    status = process.wait(PATIENCE)
    after = termios.tcgetattr(follower)
    os.close(follower)
    assert after == before
    return status, seen.decode() + everything(leader)


ENDS = {
    "q": lambda leader, process: os.write(leader, b"q"),
    "Ctrl-C": lambda leader, process: process.send_signal(signal.SIGINT),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_the_terminal_is_as_before(end):
    status, written = in_terminal(end)
    assert status == 0
    assert written.index("\x1b[?1049h") < written.index("requests/s") < written.index("\x1b[?1049l")
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")  # the cursor
    assert "\x1b[31m" in written and "Traceback" not in written


def test_no_colours_where_nobody_wants_them():
    _, written = in_terminal(ENDS["q"], NO_COLOR="1")
    assert "\x1b[31m" not in written
