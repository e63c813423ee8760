# SPDX-License-Identifier: MIT
"""--trace: what the file says of each request, thread and wake-up; snapshots; and what goes wrong with files."""

import concurrent.futures
import contextlib
import os
import re
import signal
import subprocess
import threading
import time

import pytest

from support import procfs, settings
from support.checks import Skip, check, equal, until
from support.corpus import PLAIN, get, post
from support.metrics import metrics
from support.trace import Trace

CONNECTIONS, REQUESTS = 20, 50  # of each connection

# Request and status; `%d` makes each target another one. All are shorter than the text that a record has room for.
MIXED = ((b"GET /plaintext?%d", 200), (b"POST /echo?%d", 200), (b"GET /delay/3ms?%d", 200), (b"GET /block/1ms?%d", 200),
         (b"GET /compute/9?%d", 200), (b"GET /bytes/9000?%d", 200), (b"GET /nothing?%d", 404), (b"HEAD /echo?%d", 200),
         (b"GET /drip?%d", 400), (b"PUT /plaintext?%d", 405))


def talk(server, first):
    """Requests one after the other on one connection. Returns by name: status, times of sending and of the whole answer."""
    seen = {}
    with server.connect() as wire:
        for number in range(first, first + REQUESTS):
            line, status = MIXED[number % len(MIXED)]
            line = line % number
            body = b"hello" if line.startswith(b"POST") else b""
            sent = time.monotonic_ns()
            wire.send(b"%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (line, len(body), body))
            answer = wire.answer(line.split()[0].decode())
            seen[line.decode()] = (status, sent, time.monotonic_ns())
            equal(answer.status, status, line)
    return seen


@pytest.fixture(name="path")
def _path(folder):
    return os.path.join(folder, "trace.json")


def files(path):
    return sorted(os.listdir(os.path.dirname(path)))


def await_departure(server):
    until(lambda: metrics(server)["echod_connections_open"] == 1, "only the one that asks is open", settings.patience(10))


def test_each_request_has_its_begin_and_its_end(start, mode, path):
    server = start("--trace", path, "--loops", "2", "--workers", str(CONNECTIONS))
    with concurrent.futures.ThreadPoolExecutor(CONNECTIONS) as pool:
        seen = {}
        for part in pool.map(lambda i: talk(server, i * REQUESTS), range(CONNECTIONS)):
            seen.update(part)
    server.stop()
    equal(len(seen), CONNECTIONS * REQUESTS, "requests")
    trace = Trace(path)
    equal(trace.other["mode"], mode, "mode")
    requests = {slice_.name: slice_ for slice_ in trace.slices() if slice_.name in seen}
    equal(sorted(requests), sorted(seen), "requests in the trace")
    for name, (status, sent, received) in seen.items():
        request = requests[name]
        equal(request.args, {"status": status}, name)
        check(sent <= request.begin <= request.end <= received,
              f"{name}: sent at {sent}, begins {request.begin}, ends {request.end}, received {received}")
        inner = [slice_.name for slice_ in request.inner]
        works = "/block" in name or "/compute" in name
        queued = ["queue"] if mode in settings.LOOPS_WITH_WORKERS else []
        equal(inner, [*queued, "work"] if works else ["wait"] if "/delay" in name else inner, f"what {name} consists of")
        equal([slice_.args for slice_ in request.inner if slice_.name == "wait"], [{"cut_short": 0}] * inner.count("wait"), name)
    check_threads(trace, mode)


def check_threads(trace, mode):
    """Each track has a name, a thread does one thing at a time, and arrows lead from thread to thread."""
    names = trace.threads()
    equal(names.count("acceptor"), 1, f"acceptors in {names}")
    each = "process" if mode in settings.PROCESS_EACH else "thread"
    equal(sum(name.startswith(f"{each} of connection ") for name in names),
          CONNECTIONS if mode in settings.TASK_EACH else 0, f"threads or processes of connections in {names}")
    equal([name for name in names if name.startswith("loop")], ["loop 0", "loop 1"] if mode in settings.LOOPS else [], "loops")
    equal(sum(name.startswith("worker") for name in names), CONNECTIONS if mode in settings.WITH_WORKERS else 0, f"workers in {names}")
    for track in trace.thread_slices().values():
        for before, after in zip(track, track[1:]):
            check(before["ts"] + before["dur"] <= after["ts"] + 0.001, f"overlapping: {before} {after}")
    works = sum("/block" in slice_.name or "/compute" in slice_.name for slice_ in trace.slices())
    equal(trace.arrows(), {"connection": CONNECTIONS, **({"work": works, "done": works} if mode in settings.LOOPS_WITH_WORKERS else {})},
          "arrows")
    equal(sum(slice_.name == "fiber" for slice_ in trace.slices()), CONNECTIONS if mode in settings.STACK_EACH else 0, "fibers")


def test_what_ends_early(start, mode, path):
    """A malformed request, one cut off by the client, and a wait that the client does not see end."""
    server = start("--trace", path)
    with server.connect() as bad, server.connect() as gone, server.connect() as half:
        bad.send(b"NIX / HTTP/1.1\r\n\r\n")
        equal(bad.answer().status, 501, "status")
        bad.closed()
        gone.send(get(b"/delay/9s"))
        half.send(post(b"/echo", b"hello")[:-2])
        server.ask(PLAIN)
        gone.reset()
        half.reset()
        bad.close()
        await_departure(server)
    server.stop()
    by_name = {slice_.name: slice_ for slice_ in Trace(path).slices()}
    equal([slice_.args for name, slice_ in by_name.items() if name.startswith("N")], [{"status": 501}], "of the malformed request")
    check("lingering" in by_name, "the malformed request's connection lingers")
    equal(by_name["GET /delay/9s"].args, {"status": 0}, "of the request that was cut off")
    equal([(slice_.name, slice_.args) for slice_ in by_name["GET /delay/9s"].inner], [("wait", {"cut_short": 1})], "its wait")
    equal(by_name["POST /echo"].args, {"status": 0}, "of half a body")


CUT_OFF = (get(b"/delay/9s"), get(b"/block/3s"), get(b"/sse?interval=9s"), post(b"/echo?half", b"hello")[:-2], get(b"/bytes/99999999"))


def test_what_the_drain_cuts_off(start, path):
    """Each request that the drain timeout ends has its end, with its wait or work."""
    server = start("--trace", path, "--drain-timeout", "300ms", "--workers", "8", "--loops", str(len(CUT_OFF)))
    with contextlib.ExitStack() as stack:
        for request in CUT_OFF:
            stack.enter_context(server.connect(receive_buffer=4096)).send(request)
        until(lambda: metrics(server)["echod_connections_open"] == len(CUT_OFF) + 1, "all have come")
        server.signal(signal.SIGTERM)
        server.wait(1)
    trace = Trace(path, open_slices=None)  # after its timeout the drain does not wait for connections that only linger
    check(set(trace.still_open) <= {"connection", "lingering"}, f"slices without an end: {trace.still_open}")
    found = {slice_.name: slice_ for slice_ in trace.slices() if slice_.name.startswith(("GET", "POST"))}
    for request in CUT_OFF:
        name = b" ".join(request.split(b" ")[:2]).decode()
        check(name in found, f"{name} in {sorted(found)}")
        check("status" in found[name].args, f"the end of {name}")
    equal([slice_.args for slice_ in found["GET /delay/9s"].inner], [{"cut_short": 1}], "the wait that was cut off")
    check({"cut_short": 1} in [slice_.args for slice_ in found["GET /sse?interval=9s"].inner], "the stream's wait was cut short")


def test_what_is_refused_has_no_arrow(start, mode, path):
    """Connections without a place, or work without a worker: nobody takes over what was offered."""
    if mode in settings.LOOPS_WITH_WORKERS:
        server = start("--trace", path, "--workers", "1", "--queue", "1", "--loops", "1")
        with server.connect() as one, server.connect() as two, server.connect() as three:
            one.send(get(b"/block/1s"))
            until(lambda: metrics(server)["echod_queue_depth"] == 0 and metrics(server)["echod_connections_open"] == 4, "it blocks")
            two.send(get(b"/block/1ms"))
            until(lambda: metrics(server)["echod_queue_depth"] == 1, "one waits")
            equal(three.ask(get(b"/block/1ms")).status, 503, "status")
            equal((one.answer().status, two.answer().status), (200, 200), "statuses")
        server.stop()
        arrows = Trace(path).arrows()
        equal((arrows["work"], arrows["done"]), (2, 2), "arrows of work")
        return
    server = start("--trace", path, "--max-connections", "1")
    with server.connect() as first:
        first.kept()
        equal(server.ask(PLAIN).status, 503, "status")
    server.stop()
    equal(Trace(path).arrows(), {"connection": 1}, "arrows")


@pytest.mark.modeless
def test_names_are_quoted(start, path):
    server = start("--trace", path, mode="event")
    equal(server.ask(b'GET /"\\\xff\x7f HTTP/1.1\r\nHost: x\r\n\r\n').status, 400, "status")
    equal(server.ask(get(b"/plaintext?a-long-question")).status, 200, "status")
    server.stop()
    names = [slice_.name for slice_ in Trace(path).slices()]
    check('GET /"\\\xff' in names, f"in {names}")  # so far the parser has read
    check("GET /plaintext?a-long-qu\u2026" in names, f"in {names}")


def test_snapshots(start, mode, path):
    """Each SIGUSR2 writes another file, with what came so far."""
    server = start("--trace", path)
    for number in (1, 2):
        server.ask(get(b"/plaintext?%d" % number))
        await_departure(server)
        server.signal(signal.SIGUSR2)
        until(lambda: os.path.exists(f"{path}.{number}"), f"snapshot {number}", settings.patience(10))  # noqa: B023
    equal(files(path), ["trace.json.1", "trace.json.2", "trace.json.part"], "files before the end")
    server.stop()
    equal(files(path), ["trace.json", "trace.json.1", "trace.json.2"], "files")
    texts = [[slice_.name for slice_ in Trace(path + suffix, open_slices=None).slices() if "?" in slice_.name] for suffix in (".1", ".2", "")]
    equal(texts, [["GET /plaintext?1"], ["GET /plaintext?1", "GET /plaintext?2"], ["GET /plaintext?1", "GET /plaintext?2"]],
          "requests in each")


def ask_hundreds(wire, count):
    """So many times a hundred requests, pipelined."""
    for _ in range(count):
        wire.send(PLAIN * 100)
        for _ in range(100):
            wire.answer()


@pytest.mark.modeless
def test_a_snapshot_holds_nobody_up(start, path):
    """While a large trace is written, requests are answered; a second signal meanwhile is refused with a message."""
    server = start("--trace", path, mode="event")
    with server.connect() as wire:
        ask_hundreds(wire, 200)
        server.signal(signal.SIGUSR2)
        until(lambda: os.path.exists(f"{path}.1.part"), "it is begun", settings.patience(10), every=0.001)
        wire.send(PLAIN)
        equal(wire.answer().status, 200, "status")
        server.signal(signal.SIGUSR2)
        until(lambda: f"no trace for this signal: {path}.1 is still being written" in server.errors(), "the second is refused", settings.patience(10))
        check(not os.path.exists(f"{path}.1"), "the answer and the message came before the snapshot was complete")
        until(lambda: os.path.exists(f"{path}.1"), "it is complete", settings.patience(30))
    server.stop(seconds=30)
    Trace(f"{path}.1", open_slices=1)


def test_the_oldest_is_overwritten(start, mode, path):
    server = start("--trace", path, "--trace-buffer", "1m")
    with server.connect() as wire:
        for number in range(300):
            wire.send(get(b"/plaintext?%d" % number) * 100)
            for _ in range(100):
                wire.answer()
    server.stop(seconds=30)
    trace = Trace(path, lost=True)
    check(trace.other["overwritten"] > 0, "nothing was overwritten")
    equal(trace.other["dropped"], 0, "dropped")
    names = {event["name"] for event in trace.events if event["ph"] == "B"}
    check("GET /plaintext?299" in names and "GET /plaintext?0" not in names, f"of {len(names)} names the last is there, the first is not")


def test_a_snapshot_is_a_moment(start, path):
    """Made while connections come and go, it is as whole as a file of the end: no end without its begin, no arrow without its tail."""
    server = start("--trace", path, "--workers", "8")
    over = threading.Event()

    def come_and_go():
        while not over.is_set():
            equal(server.ask(get(b"/plaintext")).status, 200, "status")

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        clients = [pool.submit(come_and_go) for _ in range(3)]
        try:
            for number in range(1, 4):
                server.signal(signal.SIGUSR2)
                until(lambda: os.path.exists(f"{path}.{number}"), "the snapshot", settings.patience(20))  # noqa: B023
        finally:
            over.set()
        for client in clients:
            client.result()
    server.stop(seconds=30)
    for number in range(1, 4):
        trace = Trace(f"{path}.{number}", open_slices=None)
        trace.arrows(open_tails=True)


@pytest.mark.modeless
def test_two_servers_with_one_file(start, path):
    first = start("--trace", path, mode="event")
    second = start("--trace", path, mode="event", expect_ready=False)
    equal(second.wait(1), f"echod: cannot open the trace {path}: another server writes it\n", "stderr")
    first.ask(PLAIN)
    first.stop()
    check("GET /plaintext" in [slice_.name for slice_ in Trace(path).slices()], "the first one's trace is whole")


@pytest.mark.modeless
def test_part_is_removed_or_replaced(start, path):
    """Nothing that belongs to somebody else is renamed or removed."""
    server = start("--trace", path, mode="event")
    os.unlink(path + ".part")
    os.symlink("/etc/hostname", path + ".part")
    equal(server.stop(1), f"echod: cannot write the trace to {path}: File exists\n", "stderr")
    equal(files(path), ["trace.json.part"], "files")


@pytest.mark.modeless
def test_a_signal_while_the_file_is_written(start, path):
    server = start("--trace", path, mode="event")
    with server.connect() as wire:
        ask_hundreds(wire, 300)
    server.signal(signal.SIGTERM)
    until(lambda: os.path.getsize(path + ".part") > 0, "the file is begun", settings.patience(20), every=0.001)
    server.signal(signal.SIGTERM)
    server.wait(128 + signal.SIGTERM)
    equal(files(path), [], "files")


@pytest.mark.parametrize("name, reason", [
    ("nothing/trace.json", "No such file or directory"),
    ("", "it is not a regular file"),
    ("pipe", "it is not a regular file"),
    ("x" * 300, "File name too long"),
])
@pytest.mark.modeless
def test_cannot_open(start, folder, name, reason):
    os.mkfifo(os.path.join(folder, "pipe"))
    server = start("--trace", os.path.join(folder, name), mode="event", expect_ready=False)
    text = server.wait(status=1)
    check(re.fullmatch(rf"echod: cannot (open|write) the trace .*{reason}\n", text), f"said {text!r}")
    equal(os.listdir(folder), ["pipe"], "files")


@pytest.mark.modeless
def test_full_disk(start, path):
    """The file may not grow: a message, status 1, and no half of a file."""
    server = start("--trace", path, mode="event", limits={"FSIZE": 1000})
    server.ask(PLAIN)
    server.signal(signal.SIGUSR2)
    until(lambda: "trace.json.1: File too large" in server.errors(), "the snapshot fails", settings.patience(10))
    equal(server.ask(PLAIN).status, 200, "status")
    text = server.stop(status=1)
    check(f"echod: cannot write the trace to {path}: File too large\n" in text, f"said {text!r}")
    equal(files(path), [], "files")


@pytest.mark.modeless
def test_the_second_signal_leaves_no_file(start, path):
    server = start("--trace", path, "--drain-delay", "1m", mode="event")
    server.signal(signal.SIGTERM)
    until(lambda: server.ask(get(b"/readyz")).status == 503, "/readyz says 503")
    server.signal(signal.SIGTERM)
    server.wait(128 + signal.SIGTERM)
    equal(files(path), [], "files")


@pytest.mark.modeless
def test_an_older_trace_stays_until_the_new_one_is_whole(start, path):
    with open(path, "w", encoding="utf-8") as old:
        old.write("old")
    server = start("--trace", path, mode="event")
    with open(path, encoding="utf-8") as old:
        equal(old.read(), "old", "before the end")
    server.stop()
    Trace(path)


@pytest.mark.parametrize("mode", settings.PROCESS_EACH)
def test_a_crash_of_a_process_shows(start, path):
    """Its connection never ends in the trace; those of others do."""
    server = start("--trace", path)
    with server.connect() as wire:
        wire.kept()
        os.kill(procfs.children(server.pid)[0], signal.SIGKILL)
        wire.closed()
    server.ask(PLAIN)
    server.stop()
    Trace(path, open_slices=1)


@pytest.mark.modeless
def test_probes():
    """Each trace point is a USDT probe, if the build has found sys/sdt.h."""
    with open(settings.server_path, "rb") as file:
        if b"stapsdt" not in file.read():
            raise Skip("built without sys/sdt.h")
    with open(os.path.join(settings.ROOT, "common", "base", "trace.h"), encoding="utf-8") as file:
        names = set(re.findall(r"^ +EVENT\((\w+), ", file.read(), re.MULTILINE))
    notes = subprocess.run(["readelf", "--notes", settings.server_path], stdout=subprocess.PIPE, text=True, check=True).stdout
    found = set(re.findall(r"Provider: echod\n +Name: (\w+)\n", notes))
    equal(found, names, "probes")
