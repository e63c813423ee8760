# SPDX-License-Identifier: MIT
"""`--access-log`: a line for each request, whole, wherever it goes and whatever becomes of that place."""

import collections
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import threading
import time

import pytest

from support import process, procfs, settings
from support.checks import at_most, check, equal, until
from support.corpus import PLAIN, chunk, chunked, get, post
from support.rows import params
from support.wire import Wire

LINE = re.compile(r'(?P<host>\S+) - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "(?P<request>(?:[^"\\\x00-\x1f\x7f]|\\x..)*)" '
                  r'(?P<status>\d{3}|-) (?P<bytes>\d+) (?P<us>\d+) (?P<mode>\w+) (?P<connection>\d+) (?P<id>[\w.~+/=:@-]+)\Z', re.ASCII)
MEMBERS = {"time", "remote", "status", "bytes", "duration_us", "mode", "connection", "request_id"}


def read_lines(path, encoding="ascii"):
    """Its lines; each was ended."""
    with open(path, encoding=encoding, newline="") as file:
        text = file.read()
    check(text == "" or text.endswith("\n"), f"the last line is not whole: {text[-200:]!r}")
    return text.split("\n")[:-1]


def parse(lines):
    """Each as (request, status, bytes, id); fails for one that is torn."""
    found = []
    for line in lines:
        match = LINE.match(line)
        check(match, f"not a line of the log: {line!r}")
        found.append((match["request"], match["status"], int(match["bytes"]), match["id"]))
    return found


def metric(server, name):
    page = server.ask(get(b"/metrics")).body.decode()
    return sum(int(line.split()[1]) for line in page.splitlines() if line.startswith(name + "{"))


# name, request, what the line says: the request, status, bytes of the body
REQUESTS = [
    (PLAIN, "GET /plaintext HTTP/1.1", "200", 13),
    (get(b"/plaintext").replace(b"GET", b"HEAD"), "HEAD /plaintext HTTP/1.1", "200", 0),
    (post(b"/echo?x=%20%22", b"hello"), "POST /echo?x=%20%22 HTTP/1.1", "200", 5),
    (post(b"/echo", b"x" * 300000), "POST /echo HTTP/1.1", "200", 300000),
    (get(b"/bytes/2000000"), "GET /bytes/2000000 HTTP/1.1", "200", 2000000),
    (get(b"/delay/5ms"), "GET /delay/5ms HTTP/1.1", "200", 13),
    (get(b"/compute/1000"), "GET /compute/1000 HTTP/1.1", "200", None),
    (get(b"/block/1ms"), "GET /block/1ms HTTP/1.1", "200", 13),
    (post(b"/anything", b"{}"), "POST /anything HTTP/1.1", "200", None),
    (get(b"/status/204"), "GET /status/204 HTTP/1.1", "204", 0),
    (get(b"/nowhere"), "GET /nowhere HTTP/1.1", "404", None),
    (b"GET /plaintext HTTP/1.0\r\n\r\n", "GET /plaintext HTTP/1.0", "200", 13),
    (b"NIX /\x1b[1m HTTP/1.1\r\n\r\n", "NIX ", "501", None),
    (b"GET /\x1b[1m HTTP/1.1\r\n\r\n", "GET /\\x1b", "400", None),
    (b"GET /twice HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "GET /twice HTTP/1.1", "400", None),
]


def test_text(start, mode, folder):
    path = os.path.join(folder, "log")
    server = start("--access-log", path)
    answers = [server.ask(raw) for raw, *_ in REQUESTS]
    server.stop()
    lines = read_lines(path)
    equal(len(lines), len(REQUESTS), "lines")
    by_id = {item[3]: item for item in parse(lines)}
    for answer, (_, request, status, count) in zip(answers, REQUESTS):
        line = by_id[answer.get("X-Request-Id")]
        length = len(answer.body) if count is None else count
        equal(line[:3], (request, status, length), "the line")
    check(all(f" {mode} " in line and line.startswith("127.0.0.1 ") for line in lines), f"{lines}")


def test_as_json(start, mode, folder):
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--log-format", "json")
    answers = [server.ask(raw) for raw, *_ in REQUESTS]
    server.stop()
    by_id = {item["request_id"]: item for item in map(json.loads, read_lines(path))}
    equal(len(by_id), len(REQUESTS), "lines")
    for answer, (_, request, status, count) in zip(answers, REQUESTS):
        item = by_id[answer.get("X-Request-Id")]
        rest = set(item) - MEMBERS
        check(MEMBERS <= set(item) and rest in ({"request"}, {"method", "target", "protocol"}), f"members: {item}")
        got = item["request"] if "request" in item else f"{item['method']} {item['target']} {item['protocol']}"
        equal(got, request.replace("\\x1b", "\x1b"), "the request")
        equal((item["status"], item["mode"]), (int(status), mode), "status and mode")
        equal(item["bytes"], len(answer.body) if count is None else count, "bytes")
        check(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item["time"]), item["time"])
        check(re.fullmatch(r"127\.0\.0\.1:\d+", item["remote"]), item["remote"])


def test_to_stdout(start):
    """Behind the lines that say where it listens."""
    server = start("--access-log", "-")
    with server.connect() as wire:
        for _ in range(5):
            wire.kept()
    server.stop()
    lines = server._output.decode().splitlines()
    check(lines[0].startswith("listening on "), f"the first line: {lines[0]}")
    equal([item[:3] for item in parse(lines[1:])], [("GET /plaintext HTTP/1.1", "200", 13)] * 5, "the lines")


@pytest.mark.flags("--access-log", "/dev/null")
def test_request_ids(server):
    with server.connect() as wire:
        for given in (b"a", b"0123456789abcdef-._~+/=:@", b"x" * 128):
            answer = wire.ask(get(b"/plaintext", b"X-Request-Id: " + given + b"\r\n"))
            equal(answer.get("X-Request-Id"), given.decode(), "X-Request-Id")
        seen = set()
        for given in (b"", b"x" * 129, b"two words", b"<script>", b'"', b"a,b", b"\xc3\xa4"):
            answer = wire.ask(get(b"/plaintext", b"X-Request-Id: " + given + b"\r\n"))
            made = answer.get("X-Request-Id")
            check(re.fullmatch(r"[0-9a-f]{12}-[0-9a-f]+-[0-9a-f]+", made), f"X-Request-Id: {made}")
            seen.add(made)
        seen.add(server.ask(PLAIN).get("X-Request-Id"))
        equal(len(seen), 8, "different ids")


@pytest.mark.flags("--access-log", "/dev/null", "--cors")
def test_a_field_that_the_query_asks_for_comes_once(server):
    with server.connect() as wire:
        answer = wire.ask(get(b"/echo?header=x-request-id:mine&header=Access-Control-Allow-Origin:null"))
        equal(answer.values("X-Request-Id"), ["mine"], "X-Request-Id")
        equal(answer.values("Access-Control-Allow-Origin"), ["null"], "Access-Control-Allow-Origin")
        equal(answer.values("Access-Control-Expose-Headers"), ["*"], "Access-Control-Expose-Headers")
        check(wire.ask(get(b"/echo?header=X-A:b")).get("X-Request-Id"), "no X-Request-Id")


def test_without_a_log_there_is_no_id(server):
    equal(server.ask(get(b"/plaintext", b"X-Request-Id: a\r\n")).get("X-Request-Id"), None, "X-Request-Id")


def test_a_line_does_not_wait_for_the_next(start, folder):
    """The connection stays open and silent, others are busy with work: the line comes all the same."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--loops", "1")
    with server.connect() as wire, server.connect() as busy:
        wire.kept()
        until(lambda: len(read_lines(path)) == 1, "the line is there", settings.patience(5))
        wire.kept()
        busy.send(get(b"/plaintext") + get(b"/block/3s"))
        equal(busy.answer().status, 200, "status")
        until(lambda: len(read_lines(path)) >= 2, "the lines are there while it works", settings.patience(2.5))
        equal(busy.answer().status, 200, "status")
        wire.kept()


def test_an_idle_connection_is_left_alone(start, folder):
    """Once the lines are written nothing wakes up for them, and the idle timeout holds."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--idle-timeout", "3s")
    with server.connect() as wire:
        wire.kept()
        until(lambda: len(read_lines(path)) == 1, "the line is there")
        at_most(server.cpu_share(1.0), 0.1 if not settings.sanitizer else 0.3, "processor time while idle")
        wire.closed()


def test_refused_and_cut_off(start, folder):
    """By a server that is full, and by the end of the drain."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--max-connections", "1", "--drain-timeout", "0")
    with server.connect() as wire:
        wire.kept()
        equal(server.ask(PLAIN).status, 503, "status")
        wire.send(get(b"/delay/10s"))
        until(lambda: procfs.cpu_seconds(server.pid) >= 0 and len(read_lines(path)) >= 1, "the first line is there")
        server.stop(1)
    statuses = [item[1] for item in parse(read_lines(path))]
    equal(sorted(statuses), ["-", "200", "503"], "the status of each line")


def test_a_client_that_goes(start, folder):
    """What it was answered so far is told."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path)
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/bytes/1000000000"))
        wire.fill()
        wire.reset()
    until(lambda: len(read_lines(path)) == 1, "the line is there")
    request, status, count, _ = parse(read_lines(path))[0]
    equal((request, status), ("GET /bytes/1000000000 HTTP/1.1", "200"), "the line")
    check(0 < count < 1000000000, f"{count} bytes")
    with server.connect() as wire:
        wire.send(post(b"/echo", b"x" * 1000)[:-500])
        wire.reset()
    until(lambda: len(read_lines(path)) == 2, "the second line is there")
    check(parse(read_lines(path))[1][1] in ("-", "400"), "the status of one that was not answered")


# Rotation, and who writes how much


def load(address, first, least, failures, sent=None, enough=None):
    """Requests with ids from `first` on, a hundred at once: `least` of them, and more until `enough` is set. Tells how far it came."""
    number, end = first, first + least
    try:
        with Wire(address, seconds=60) as wire:
            while number < end or (enough and not enough.is_set()):
                some = range(number, min(number + 100, end) if number < end else number + 100)
                wire.send(b"".join(b"GET /plaintext HTTP/1.1\r\nHost: x\r\nX-Request-Id: %d\r\n\r\n" % item for item in some))
                wanted = 0
                for item in some:
                    head = wire.through(b"\r\n\r\n")
                    wanted += b"X-Request-Id: %d\r\n" % item in head and wire.exactly(13) == b"Hello, World!"
                equal(wanted, len(some), "answers")
                number = some.stop
    except Exception as error:  # told by the case
        failures.append(error)
    if sent is not None:
        sent.append(range(first, number))


FAR = 10**8  # between the ids of two connections


def rotate_under_load(server, path, connections, each, rotations, reports=0):
    """Loads, rotates meanwhile, and looks for every id in what was written."""
    failures, sent, enough, total = [], [], threading.Event(), connections * each
    threads = [threading.Thread(target=load, args=(server.address, index * FAR, each, failures, sent, enough))
               for index in range(connections)]
    for thread in threads:
        thread.start()
    names = [path]
    try:
        for number in range(rotations):
            until(lambda: os.path.getsize(path) > total // (rotations + 1) * 90 // 2, "the log grows", 120)
            names.append(f"{path}.{number}")
            os.rename(path, names[-1])
            server.signal(signal.SIGHUP)
            until(lambda: os.path.exists(path), "the log is opened anew")
            if number < reports:
                server.signal(signal.SIGUSR1)
        until(lambda: os.path.getsize(path) > 0, "the last file is written to", 120)
    finally:
        enough.set()
    for thread in threads:
        thread.join()
    equal(failures, [], "failures of the clients")
    text = server.stop()
    equal(text if not reports else text.count("connections idle: "), reports or "", "stderr, or its reports")
    found = collections.Counter(int(item[3]) for name in names for item in parse(read_lines(name)))
    missing = sum(1 for ids in sent for number in ids if found[number] != 1)
    equal((missing, sum(found.values())), (0, sum(map(len, sent))), "ids that are not there once, and all lines")


def test_rotation(start, folder):
    path = os.path.join(folder, "log")
    rotate_under_load(start("--access-log", path), path, 4, 2500, 2)


@pytest.mark.tsan
def test_rotation_and_a_report(start, folder):
    path = os.path.join(folder, "log")
    rotate_under_load(start("--access-log", path), path, 4, 1000, 1, reports=1)


@pytest.mark.big
@pytest.mark.alone
@pytest.mark.timeout(400)
def test_a_million_lines(start, folder):
    path = os.path.join(folder, "log")
    rotate_under_load(start("--access-log", path), path, 8, 125000, 1)


def test_a_rotation_that_fails(start, folder):
    """The old file is kept."""
    path = os.path.join(folder, "a", "log")
    os.mkdir(os.path.dirname(path))
    server = start("--access-log", path)
    server.ask(PLAIN)
    os.rename(os.path.dirname(path), os.path.join(folder, "b"))
    server.signal(signal.SIGHUP)
    until(lambda: "reopen" in server.errors(), "it is said")
    server.ask(PLAIN)
    server.stop()
    equal(len(parse(read_lines(os.path.join(folder, "b", "log")))), 2, "lines")


def holders(pid, path):
    """Which processes of the server have the file open."""
    found = []
    for process_id in (pid, *procfs.children(pid)):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the process has ended
            for name in os.listdir(f"/proc/{process_id}/fd"):
                with contextlib.suppress(FileNotFoundError):  # it has closed the file
                    found += [process_id] if os.readlink(f"/proc/{process_id}/fd/{name}") == path else []
    return found


def test_nobody_keeps_the_old_file(start, folder):
    """Idle connections, one that waits, one that blocks and one that lingers let go of it at once: its disk space is free."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--workers", "8", "--idle-timeout", "60s")
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.connect()) for _ in range(6)]
        for wire in wires:
            wire.kept()
        wires[1].send(get(b"/delay/8s"))
        wires[2].send(get(b"/block/8s"))
        wires[3].send(b"NIX / HTTP/1.1\r\n\r\n")
        wires[3].problem(501)
        for number in range(3):
            old = f"{path}.{number}"
            os.rename(path, old)
            server.signal(signal.SIGHUP)
            until(lambda: os.path.exists(path), "the log is opened anew")
            until(lambda: holders(server.pid, old) == [], "nobody has the old file open", settings.patience(5))
            wires[0].kept()
        for wire in wires[1:3]:
            equal(wire.answer().status, 200, "status")
    server.stop()
    lines = sum(len(parse(read_lines(name))) for name in (path, *(f"{path}.{number}" for number in range(3))))
    equal(lines, 12, "lines")


def test_rotations_do_not_hold_up_the_idle_timeout(start, folder):
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--idle-timeout", "3s")
    with server.connect() as wire:
        wire.kept()
        begin = time.monotonic()
        while not wire.readable(0.3):
            server.signal(signal.SIGHUP)
            check(time.monotonic() - begin < settings.patience(20), "it never ends")
        wire.closed()


def test_a_pipe_takes_the_place_of_a_file(start, folder):
    """Lines stay whole from then on, whatever its reader is too slow for."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path)
    failures = []
    load(server.address, 0, 10, failures)
    until(lambda: len(read_lines(path)) == 10, "the first lines are there")
    os.unlink(path)
    os.mkfifo(path)
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb", buffering=0) as pipe:
        inode = os.fstat(pipe.fileno()).st_ino
        server.signal(signal.SIGHUP)
        until(lambda: any(os.stat(f"/proc/{server.pid}/fd/{name}").st_ino == inode for name in os.listdir(f"/proc/{server.pid}/fd")
                          if os.path.exists(f"/proc/{server.pid}/fd/{name}")), "the pipe is open")
        threads = [threading.Thread(target=load, args=(server.address, 1000 + index * 1000, 1000, failures)) for index in range(4)]
        text = b""
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            select.select([pipe], [], [], 0.05)
            text += pipe.read(1000) or b""
        server.signal(signal.SIGTERM)
        os.set_blocking(pipe.fileno(), True)
        text += pipe.read()
        server.wait(0)
    equal(failures, [], "failures of the clients")
    check(text.endswith(b"\n"), f"the last line is not whole: {text[-100:]!r}")
    ids = [item[3] for item in parse(text.decode().splitlines())]
    check(len(ids) == len(set(ids)) and len(ids) > 100, f"{len(ids)} lines, {len(set(ids))} ids")


def test_many_writers_of_one_pipe(start, folder):
    """Writes to a pipe are whole as long as they are short; what its reader was too slow for is counted."""
    path = os.path.join(folder, "out")
    with open(path, "wb") as file:
        cat = process.spawn(["cat"], stdin=subprocess.PIPE, stdout=file)
    try:
        server = start("--access-log", f"/proc/self/fd/{cat.stdin.fileno()}", pass_fds=[cat.stdin.fileno()])
        failures = []
        threads = [threading.Thread(target=load, args=(server.address, index * 500, 500, failures)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        equal(failures, [], "failures of the clients")
        lost = metric(server, "echod_access_log_lost_lines_total")
        server.stop()
        cat.stdin.close()
        cat.wait(settings.patience(10))
        ids = {item[3] for item in parse(read_lines(path))} & {str(number) for number in range(4000)}
        check(4000 - lost <= len(ids) <= 4000 and len(ids) > 100, f"{len(ids)} lines of 4000, {lost} lost")
    finally:
        process.end(cat)


# Where it cannot be written


def lost_is_told(server, minimum):
    until(lambda: metric(server, "echod_access_log_lost_lines_total") >= minimum, "lost lines are counted")
    until(lambda: "access log lines are lost" in server.errors(), "a line about it on stderr")  # it is written after they are counted
    text = server.errors()
    equal(text.count("access log lines are lost"), 1, f"lines about it on stderr ({text!r})")


def test_a_pipe_that_nobody_reads(start):
    """The server goes on, and answers at once."""
    server = start("--access-log", "-")
    failures = []
    for index in range(6):
        load(server.address, index * 1000, 1000, failures)
    equal(failures, [], "failures of the client")
    lost_is_told(server, 1)
    reader = threading.Thread(target=server.child.stdout.read, daemon=True)
    reader.start()
    server.signal(signal.SIGTERM)
    reader.join(settings.patience(15))
    check(not reader.is_alive(), "stdout is still open")
    server.child.wait(settings.patience(15))
    equal(server.child.returncode, 0, "exit status")


def test_a_full_disk(start):
    server = start("--access-log", "/dev/full")
    failures = []
    load(server.address, 0, 2000, failures)
    equal(failures, [], "failures of the client")
    lost_is_told(server, 1)


def test_a_file_that_may_not_grow(start, folder):
    """A line of which a part was written is given up; what follows is whole, in the next file too."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path, limits={"FSIZE": 100011})
    failures = []
    load(server.address, 0, 3000, failures)
    lost_is_told(server, 100)
    os.rename(path, path + ".0")
    server.signal(signal.SIGHUP)
    until(lambda: os.path.exists(path), "the log is opened anew")
    before = metric(server, "echod_access_log_lost_lines_total")
    load(server.address, 3000, 20, failures)
    server.stop()
    equal(failures, [], "failures of the client")
    equal(os.path.getsize(path + ".0"), 100011, "the size of the full file")
    with open(path, "rb") as file:
        lines = [line for line in file.read().decode().splitlines() if line]
    ids = {item[3] for item in parse(lines)}
    check({str(number) for number in range(3000, 3020)} <= ids, f"lines of the new file: {sorted(ids)} (lost: {before})")


@pytest.mark.modeless
@pytest.mark.parametrize("path", params([("a folder that is not there", "/nix/log"), ("a folder", "/")]))
def test_cannot_be_opened(start, path):
    server = start("--access-log", path, mode="event", expect_ready=False)
    text = server.wait(1)
    check(text.count("\n") == 1 and path in text, f"stderr: {text!r}")


# What a line says, and which requests have one


def read_json(path):
    lines = read_lines(path, "utf-8")
    check(all(len(line.encode()) < 4096 for line in lines), "a line is too long")
    return list(map(json.loads, lines))


def test_skip(start, folder):
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--log-skip", "/healthz", "--log-skip", "/echo", env={"ECHOD_LOG_SKIP": "/plaintext"})
    paths = (b"/healthz", b"/healthz?a=b", b"/healthz/", b"/plaintext", b"http://x/healthz")
    for target in paths:
        check(server.ask(get(target)).get("X-Request-Id"), f"no id in the answer to {target}")
    with server.connect() as wire:  # a malformed request has a line, whatever its path
        wire.send_what_goes(get(b"/healthz", b"Host: y\r\n"))
        equal(wire.answer().status, 400, "status")
    with server.connect() as wire:  # and one whose body is malformed
        wire.send_what_goes(chunked(b"/echo", b"zz\r\n"))
        equal(wire.answer().status, 400, "status")
    with server.connect() as wire:  # also when its answer has begun
        wire.send_what_goes(chunked(b"/echo", chunk(b"x" * 100000) + b"zz\r\n"))
        wire.through(b"\r\n\r\n")
        while wire.fill():
            pass
    server.stop()
    equal(sorted(item[:2] for item in parse(read_lines(path))),
          [("GET /healthz HTTP/1.1", "400"), ("GET /healthz/ HTTP/1.1", "404"), ("GET /plaintext HTTP/1.1", "200"),
           ("POST /echo HTTP/1.1", "200"), ("POST /echo HTTP/1.1", "400")], "the lines")


def test_admin(start, folder):
    for flags, count in (((), 1), (("--log-admin",), 3)):
        path = os.path.join(folder, f"log{count}")
        server = start("--access-log", path, "--admin-listen", "127.0.0.1:0", *flags, lines=2)
        equal(server.ask(PLAIN).status, 200, "status")
        with Wire(server.addresses[1]) as wire:
            for target in (b"/healthz", b"/metrics"):
                answer = wire.ask(get(target))
                equal((answer.status, answer.get("X-Request-Id") is not None), (200, bool(flags)), "status, and whether there is an id")
        server.stop()
        equal(len(read_lines(path)), count, f"lines with {flags}")


SECRETS = b"Authorization: Basic eA==\r\ncookie: a=b\r\nPROXY-AUTHORIZATION: x\r\nX-A: 1\r\nX-A: \xe4\r\n"


def test_headers(start, folder):
    hidden = [["Host", "x"], ["Authorization", "***"], ["cookie", "***"], ["PROXY-AUTHORIZATION", "***"], ["X-A", "1"], ["X-A", "\xe4"]]
    shown = [["Host", "x"], ["Authorization", "Basic eA=="], ["cookie", "a=b"], ["PROXY-AUTHORIZATION", "x"], ["X-A", "1"], ["X-A", "\xe4"]]
    for flags, wanted in (((), hidden), (("--log-secrets",), shown)):
        path = os.path.join(folder, f"log{len(flags)}")
        server = start("--access-log", path, "--log-format", "json", "--log-headers", *flags)
        for target in (b"/plaintext", b"/delay/5ms", b"/anything", b"/compute/1", b"/bytes/300000", b"/nowhere"):
            server.ask(get(target, SECRETS))
        with server.connect() as wire:
            wire.send_what_goes(b"NIX / HTTP/1.1\r\nAuthorization: x\r\n\r\n")
            equal(wire.answer().status, 501, "status")
        server.stop()
        lines = read_json(path)
        equal(len(lines), 7, "lines")
        for line in lines:
            equal(line.get("headers"), None if "request" in line else wanted, f"headers of {line}")
            check("truncated" not in line, f"a short line is truncated: {line}")


def test_long_headers(start, folder):
    """Whatever a client sends, a line stays whole, also in a pipe that many write to."""
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--log-format", "json", "--log-headers")
    values = [b"X: " + fill * (length // len(fill)) + b"\r\n" for fill in (b"a", b"\xff", b'"', b"<", "\u20ac".encode()) for length in (10, 500, 3000, 6000)]
    with server.connect() as wire:
        for value in values:
            equal(wire.ask(get(b"/plaintext", value + b"Y: 1\r\n")).status, 200, "status")
        equal(wire.ask(get(b"/plaintext?" + b"y" * 5000, b"X: 1\r\n")).status, 200, "status of a long target")
        equal(wire.ask(get(b"/plaintext", b"".join(b"X%d: y\r\n" % n for n in range(900)))).status, 200, "status of many")
    server.stop()
    lines = read_json(path)
    equal(len(lines), len(values) + 2, "lines")
    cut = [bool(line.get("truncated")) for line in lines]
    check(cut[-2] and cut[-1] and not cut[0] and cut[3], f"which lines are cut: {cut}")
    for line, is_cut in zip(lines[:-2], cut):
        check(line["headers"][0] == ["Host", "x"], f"the first field: {line['headers']}")
        equal(is_cut, ["Y", "1"] not in line["headers"], "whether it is cut")


@pytest.mark.modeless
def test_headers_need_json(start):
    server = start("--access-log", "/dev/null", "--log-headers", mode="event", expect_ready=False)
    text = server.wait(2)
    check(text.startswith("echod: --log-headers: it needs --log-format json; ") and text.count("\n") == 1, text)
