# SPDX-License-Identifier: MIT
"""tools/echod-gdb.py on live processes and on core files, with the debug information that the release build has split off."""

import contextlib
import glob
import os
import re
import resource
import signal
import subprocess
from collections import namedtuple

import pytest
from server import PATIENCE, Echod
from support import procfs, settings
from support.checks import until
from support.corpus import PLAIN, get
from support.settings import BLOCKING, LOOPS, LOOPS_WITH_WORKERS, MODES, PROCESS_EACH, ROOT, STACK_EACH, WITH_WORKERS
from support.wire import Wire

pytestmark = pytest.mark.native

SCRIPT = os.path.join(ROOT, "tools", "echod-gdb.py")
FUNCTIONS = 500  # for which there are tables for unwinding, at least
FIFTY = 50

Row = namedtuple("Row", "number peer state wants age where request")

# What a client sends on a connection of its own, and what is then said of it.
DELAY = b"/delay/50m?name=a%20b"
WAITING = [
    (get(DELAY), ("ANSWER", "WAIT", "GET /delay/50m?name=a%20b")),
    (b"POST /echo?half HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab", ("BODY", "READ", "POST /echo?half")),
    (PLAIN, ("START", "READ", "-")),
    (PLAIN + b"GET /half HT", ("HEAD", "READ", "GET /half HT (incomplete head)")),
]
EXPECTED = sorted(said for _, said in WAITING)


def gdb(*target, commands, program=None, options=()):
    """What it says: of a live process (-p PID), of a core (FILE), or of none."""
    done = subprocess.run(["gdb", "-nx", "-batch", *options, "-iex", "set debuginfod enabled off", "-x", SCRIPT,
                           *(word for command in commands for word in ("-ex", command)), program or settings.server_path, *target],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    return done.stdout.decode()


def table(text, heads):
    """The rows below a line with these heads."""
    begin = re.search("^" + r" {2,}".join(heads) + "$", text, re.MULTILINE)
    assert begin, text
    lines = text[begin.start():].splitlines()
    return [line for line in (re.split(r"\s{2,}", line) for line in lines[1:]) if len(line) == len(heads)]


def rows(text):
    return [Row(*cells) for cells in table(text, Row._fields)]


def said(found):
    return sorted((row.state, row.wants, row.request) for row in found)


class Server(Echod):
    """With long delays, and a folder for its core."""

    def __init__(self, mode, folder, *flags, lines=1):
        super().__init__("--mode", mode, "--listen", "127.0.0.1:0", "--max-delay", "60m", "--header-timeout", "60m",
                         "--body-timeout", "60m", *flags, lines=lines, cwd=folder)
        self.mode, self.folder, self.cores = mode, folder, None

    @property
    def processes(self):
        """Those that hold connections."""
        return procfs.children(self.pid) if self.mode in PROCESS_EACH else [self.pid]

    @property
    def targets(self):
        """Of gdb: the processes, or the cores that dump() has made of them."""
        return self.cores or [("-p", str(pid)) for pid in self.processes]

    def inspect(self, *commands):
        return "".join(gdb(*target, commands=commands) for target in self.targets)

    def dump(self):
        """Ends each process with a core: its own where the system writes one to the process's folder, else gdb's."""
        self.cores = [(dump(pid, self.folder),) for pid in self.processes]


def rows_of_all(text):
    """Of several processes."""
    return [row for part in text.split("\nconnections: ")[:-1] for row in rows(part)]


def dump(pid, folder):
    core = os.path.join(folder, f"core-of-{pid}")
    with open("/proc/sys/kernel/core_pattern") as file:
        own = re.fullmatch(r"core(\.%p)?\n", file.read())
    if own and resource.prlimit(pid, resource.RLIMIT_CORE)[1] == resource.RLIM_INFINITY:
        resource.prlimit(pid, resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        os.kill(pid, signal.SIGABRT)
        until(lambda: not procfs.is_running(pid), "it has ended", PATIENCE)
        written, = glob.glob(os.path.join(folder, "core")) + glob.glob(os.path.join(folder, f"core.{pid}"))
        os.rename(written, core)
    else:
        gdb("-p", str(pid), commands=(f"generate-core-file {core}", "kill"))
    return core


@contextlib.contextmanager
def clients(server, requests):
    """A connection for each, which has sent it."""
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.connect(seconds=PATIENCE)) for _ in requests]
        for wire, request in zip(wires, requests):
            wire.send(request)
            if request.startswith(PLAIN):
                assert wire.answer().status == 200
        yield wires


def wait_for(server, expected, *commands):
    """The rows, once they are as expected, and what gdb says: the server may be at a request when gdb stops it."""
    last = []

    def are_as_expected():
        last[:] = [server.inspect("echod connections", *commands)]
        return said(rows_of_all(last[0])) == expected
    until(are_as_expected, "the connections are listed", 2 * PATIENCE)
    return rows_of_all(last[0]), last[0]


def check_where(server, row, text):
    """What is said of the connection that waits for its delay."""
    text = text[text.index(f"connection {row.number} from {row.peer} ({server.mode}, "):]
    text = text[:text.find("[Inferior")]
    assert "state ANSWER\n  GET /delay/50m?name=a%20b since " in text
    assert "\n  handler delay (of /delay/)\n" in text
    due = re.search(r"\n  waits for a timer due in ([0-9.]+) s of 3000\.0 s, before it answers\n  wants WAIT, timeout: none, woken by \w+",
                    text)
    assert due and 0 < float(due[1]) <= 3000, text
    names = re.findall(r"^    #\d+  (\w+) \(", text, re.MULTILINE)
    if server.mode in BLOCKING:
        assert {"conversation_hold", "blocking_serve"} <= set(names), text
    elif server.mode in STACK_EACH:
        assert names[0] == "fiber_yield" and "conversation_hold" in names and names[-1] == "fiber_main", text
    else:
        assert "it has no stack of its own; its loop's (thread " in text and not names, text


def identity(row):
    """What a core must say as the live process did; the numbers of threads are gdb's, which counts anew for each."""
    return row.number, row.peer, re.sub(r"^thread \d+, ", "", row.where)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("mode", MODES)
def test_live_and_core(mode, folder):
    """The same is said of a live process, which goes on as if nothing had been, and of its core."""
    requests = [request for request, _ in WAITING]
    with Server(mode, folder) as server, clients(server, requests) as wires:
        live, text = wait_for(server, EXPECTED, "echod where 1")
        check_where(server, live[0], text)
        wires[1].send(b"cd")
        wires[1].through(b"abcd")  # no answer(): its Date is that of the head, which came before gdb
        wires[2].send(PLAIN)
        assert wires[2].answer().status == 200

        server.dump()
        left = sorted((("START", "READ", "-"), *(each for each in EXPECTED if each[0] != "BODY")))
        dumped, text = wait_for(server, left, "echod where 1")
        assert [identity(row) for row in dumped] == [identity(row) for row in live]
        check_where(server, dumped[0], text)


def test_fifty_requests_in_a_core(folder):
    with Server("event", folder) as server:
        paths = [b"/delay/%d?client=%d" % (1000 + i, i) for i in range(FIFTY)]
        wanted = sorted(("ANSWER", "WAIT", f"GET {path.decode()}") for path in paths)
        with clients(server, [get(path) for path in paths]):
            wait_for(server, wanted)
            server.dump()
            found, text = wait_for(server, wanted, *(f"echod where {number + 1}" for number in range(FIFTY)))
    for row, text in zip(found, text.split("\nconnection ")[1:], strict=True):
        seconds = re.match(r"GET /delay/(\d+)", row.request)[1]
        assert text.startswith(f"{row.number} from {row.peer} (event, {row.where}, descriptor ")
        assert f"\n  {row.request} since " in text
        assert f" of {seconds}.0 s, before it answers" in text


def test_targets_that_are_long_or_logged(folder):
    """Of a long target the first 256 bytes are kept, with the log on all of them."""
    path = b"/delay/50m?" + b"x" * 280
    for flags, kept in ((), 256), (("--access-log", "-"), len(path)):
        with Server("event", folder, *flags) as server, clients(server, [get(path)]):
            wait_for(server, [("ANSWER", "WAIT", f"GET {path.decode()[:kept]}")])


def busy(text):
    heads = ("worker", "thread", "does", "connection", "frame")
    return [(int(cells[0]), cells[3]) for cells in table(text, heads) if cells[2] == "working"]


@pytest.mark.parametrize("mode", WITH_WORKERS)
def test_workers(mode, folder):
    """Who runs which connection's work, on which stack, and how many pieces wait."""
    with Server(mode, folder, "--workers", "1") as server:
        with server.connect() as first, server.connect() as second:
            first.send(get(b"/block/50m"))
            until(lambda: busy(server.inspect("echod workers")), "a worker is busy", 4 * PATIENCE)
            second.send(get(b"/block/40m"))
            waits = ("ANSWER", "WORK", "GET /block/40m") if mode in LOOPS else ("ACCEPTED", "-", "-")
            _, text = wait_for(server, sorted([("ANSWER", "WORK", "GET /block/50m"), waits]), "echod workers", "echod where 1")
    assert busy(text) == [(0, "1")]
    assert re.search(r"^    #\d+  block_run \(", text, re.MULTILINE)
    assert "\n  waits for its work, block_run(3000000)\n" in text
    if mode in LOOPS_WITH_WORKERS:
        assert "pieces of work that wait: 1\n" in text
        if mode not in STACK_EACH:
            assert "the stack of worker 0 (thread " in text


@pytest.mark.parametrize("mode", LOOPS)
def test_loops(mode, folder):
    with Server(mode, folder, "--loops", "2") as server, clients(server, [PLAIN] * 3):
        _, text = wait_for(server, [("START", "READ", "-")] * 3, "echod loops")
    found = table(text, ("loop", "thread", "connections", "does", "frame"))
    assert [(cells[0], cells[3]) for cells in found] == [("0", "serves"), ("1", "serves")]
    assert sorted(int(cells[2]) for cells in found) == [1, 2]
    assert all(re.fullmatch(r"thread \d+, LWP \d+", cells[1]) for cells in found)


def test_connections_of_the_main_thread(folder):
    """Those of an admin listener are the acceptor's, in every mode."""
    with Server("thread", folder, "--admin-listen", f"unix:{folder}/admin", lines=2) as server:
        with Wire(server.addresses[1]) as admin:
            assert admin.ask(get(b"/healthz")).status == 200
            found, text = wait_for(server, [("START", "READ", "-")], "echod where 1")
    assert [(row.peer, row.where) for row in found] == [("unix:", "admin, main thread")]
    assert "its loop's (thread 1, LWP " in text


def test_work_in_a_loop(folder):
    """A loop that runs work itself shows it on its stack, and who has not reached it."""
    with Server("event", folder, "--loops", "1") as server, clients(server, [get(b"/block/50m")]):
        wait_for(server, [("ANSWER", "WORK", "GET /block/50m")])
        with server.connect():
            _, text = wait_for(server, [("ACCEPTED", "-", "-"), ("ANSWER", "WORK", "GET /block/50m")], "echod where 1", "echod loops")
    assert "the stack of loop 0 (thread 2, " in text
    assert re.search(r"^    #\d+  block_run \(", text, re.MULTILINE)
    assert re.search(r"^0 .* working  in \w+, called by block_until$", text, re.MULTILINE)


def test_the_parent_knows_its_children(folder):
    mode, = PROCESS_EACH
    with Server(mode, folder) as server, clients(server, [get(DELAY)]):
        wait_for(server, [("ANSWER", "WAIT", "GET /delay/50m?name=a%20b")])
        child, = server.processes
        text = gdb("-p", str(server.pid), commands=("echod connections", "echod workers"))
    row, = rows(text)
    assert (row.state, row.where, row.request) == ("WAITING", f"process {child}",
                                                   f"(in the memory of process {child}: attach to that, or read its core)")
    assert table(text, ("child", "thread", "does", "connection", "frame"))[0][:3] == [str(child), "-", "waiting"]


def test_threads_without_libthread_db(folder):
    """Their registers tell which is which."""
    with Server("thread", folder) as server, clients(server, [get(DELAY)]):
        wait_for(server, [("ANSWER", "WAIT", "GET /delay/50m?name=a%20b")])
        text = gdb(*server.targets[0], commands=("echod connections", "echod where 1"),
                   options=("-iex", "set auto-load libthread-db off"))
    again, = rows(text)
    assert re.fullmatch(r"thread \d+, LWP \d+", again.where)
    assert "blocking_serve (" in text


def test_errors(folder):
    """One line that says what to do, never a traceback."""
    with Server("event", folder) as server:
        alone = os.path.join(folder, "echod")
        subprocess.run(["strip", "-o", alone, settings.server_path], check=True)
        bare = gdb(*server.targets[0], commands=("echod connections",), program=alone)
        texts = server.inspect("echod where 9", "echod where", "echod where all", "echod where 1 2", "echod connections foo",
                               "echod loops foo", "echod workers foo", "echod workers", "echod connections")
    idle = gdb(commands=("echod connections", "echod"))
    assert ("no variable `echod`: this is not echod, or gdb lacks the echod.debug of this very build: load it with `symbol-file "
            "echod.debug`\n") in bare
    assert "\nthere is no connection 9; `echod connections` lists those that are here\n" in texts
    assert texts.count("usage: echod where N, with N as `echod connections` lists it\n") == 3
    assert all(f"\nusage: echod {name}\n" in texts for name in ("connections", "loops", "workers"))
    assert "\nmode event has no workers\n" in texts
    assert "\nconnections: 0, mode: event\n" in texts
    assert idle.startswith("there is neither a process nor a core file\n")
    assert "echod where -- Show where a connection stands" in idle
    assert "Traceback" not in bare + texts + idle and "Python Exception" not in bare + texts + idle


def sections(path):
    return set(re.findall(r"\] (\.[\w.]+) ", subprocess.check_output(["readelf", "--wide", "--sections", path], text=True)))


def test_debug_information_is_split_off():
    """The program has none, and names the file that does; the tables for unwinding are there."""
    program = settings.server_path
    assert not [name for name in sections(program) if name.startswith(".debug_")]
    assert ".gnu_debuglink" in sections(program)
    assert {".debug_info", ".debug_frame"} <= sections(program + ".debug")
    tables = subprocess.run(["readelf", "--debug-dump=frames", program + ".debug"], capture_output=True, text=True, check=False)
    assert tables.stdout.count(" FDE ") > FUNCTIONS
