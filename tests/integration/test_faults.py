# SPDX-License-Identifier: MIT
"""Faults that /echo carries out on request: how the connection ends, shares, and what the server does by default."""

import contextlib
import json
import math
import os
import signal
import time

import pytest

from support import settings
from support.answer import check_problem
from support.checks import at_least, at_most, check, equal, fail, pause, until
from support.corpus import LAST, PLAIN, chunk, chunked, get, post, request
from support.metrics import metrics
from support.rows import params
from support.wire import Wire

BODY = bytes(range(256)) * 400  # 100 KiB


def ended(wire):
    """Everything that still comes, and how the connection ends."""
    while wire.fill():
        pass
    return wire.take(len(wire.received)), wire.ended


# name, request
ASKED = params([
    ("nothing sent", get(b"/echo?abort=%s")), ("a body", post(b"/echo?abort=%s", b"hello")), ("chunks", chunked(b"/echo?abort=%s", chunk(b"hello") + LAST)),
    ("a field", post(b"/echo", b"hello", b"X-Echo-Abort: %s\r\n")), ("a long body", post(b"/echo?abort=%s", BODY)),
    ("HEAD", request(b"HEAD", b"/echo?abort=%s")), ("behind a delay", post(b"/echo?abort=%s&delay=30ms", b"hello")),
])


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("kind, end", [("before", "fin"), ("reset", "reset")])
def test_no_answer(server, asked, kind, end):
    with server.connect() as wire:
        wire.send_what_goes(asked.replace(b"%s", kind.encode()))
        equal(ended(wire), (b"", end), "what came, and the end")


@pytest.mark.parametrize("kind, end", [("before", "fin"), ("reset", "reset"), ("garbage", "fin")])
def test_behind_others_and_before_others(server, kind, end):
    """Earlier answers come whole; what is pipelined behind is dropped."""
    with server.connect() as wire:
        wire.send_what_goes(PLAIN + post(b"/echo", b"hello") + get(b"/echo?abort=%s" % kind.encode()) + PLAIN * 3)
        equal(wire.answer().body, b"Hello, World!", "the first answer")
        equal(wire.answer().body, b"hello", "the second answer")
        rest, how = ended(wire)
        equal((len(rest), how), (512 if kind == "garbage" else 0, end), "what came behind, and the end")


@pytest.mark.parametrize("waits", params([("at once", False), ("late", True)]))
def test_a_reset_behind_a_long_answer(server, waits):
    """The answer has arrived before: to a client that reads slowly, too."""
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/bytes/3000000") + get(b"/echo?abort=reset"))
        if waits:
            pause(1)
        equal(len(wire.answer().body), 3000000, "bytes of the answer")
        equal(ended(wire), (b"", "reset"), "what came behind, and the end")


def test_a_reset_behind_an_answer_that_nobody_reads(start):
    """It does not wait for ever, nor hold up a drain."""
    server = start("--drain-timeout", "300ms")
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/bytes/300000") + get(b"/echo?abort=reset"))
        until(lambda: metrics(server)["echod_sent_bytes_total"] >= 300000, "the system has the answer")
        server.signal(signal.SIGTERM)
        server.wait((0, 1))


def test_on_a_connection_that_was_kept(server):
    with server.connect() as wire:
        wire.kept()
        wire.kept()
        wire.send(get(b"/echo?abort=reset"))
        equal(ended(wire), (b"", "reset"), "what came, and the end")


def test_a_unix_socket_just_ends(start, folder):
    path = os.path.join(folder, "socket")
    server = start("--listen", f"unix:{path}", lines=2)
    for kind in (b"before", b"reset"):
        with Wire(path) as wire:
            wire.send(get(b"/echo?abort=" + kind))
            equal(ended(wire), (b"", "fin"), "what came, and the end")
    server.stop()


def test_garbage(server):
    seen = set()
    for _ in range(2):
        with server.connect() as wire:
            wire.send(post(b"/echo?abort=garbage", b"hello"))
            data, end = ended(wire)
            equal((len(data), end), (512, "fin"), "what came, and the end")
            check(not data.startswith(b"H") and b"\r\n" not in data and b"\0" in data, f"this could be HTTP: {data[:40]}")
            seen.add(data)
    equal(len(seen), 1, "kinds of garbage")


@pytest.mark.parametrize("count, sent", params([
    ("none", 0, 5), ("some", 3, 5), ("all", 5, 5), ("more than there are", 9, 5), ("some of many", 1000, len(BODY)),
    ("many of many", 90000, len(BODY)), ("all of many", len(BODY), len(BODY)),
]))
def test_part_of_a_body(server, count, sent):
    data, due = BODY[:sent], min(count, sent)
    with server.connect() as wire:
        wire.send_what_goes(post(b"/echo?abort=body:%d" % count, data))
        head = wire.through(b"\r\n\r\n")
        check(b"\r\nContent-Length: %d\r\n" % sent in head and b"Connection" not in head, f"the head: {head!r}")
        equal(ended(wire), (data[:due], "fin"), "what came, and the end")
    with server.connect() as wire:
        wire.send_what_goes(chunked(b"/echo?abort=body:%d" % count, chunk(data) + LAST))
        wire.through(b"\r\n\r\n")
        whole = chunk(data) + LAST
        wanted = whole if count > sent else b"" if count == 0 else whole[:whole.index(b"\r\n") + 2 + due]
        equal(ended(wire), (wanted, "fin"), "what came in chunks, and the end")


@pytest.mark.parametrize("raw, method", params([
    ("HEAD", request(b"HEAD", b"/echo?abort=body:2", b"Content-Length: 5\r\n", b"hello"), "HEAD"),
    ("204", post(b"/echo?abort=body:2&status=204", b"hello"), "POST"), ("304", post(b"/echo?abort=body:2&status=304", b"hello"), "POST"),
    ("nothing", get(b"/echo?abort=body:2"), "GET"),
]))
def test_part_of_no_body(server, raw, method):
    with server.connect() as wire:
        answer = wire.ask(raw + PLAIN, method)
        equal((answer.body, answer.closes), (b"", False), "the answer")
        equal(ended(wire), (b"", "fin"), "what came behind, and the end")


@pytest.mark.parametrize("raw, tail", params([
    ("a body", post(b"/echo?abort=stall", b"hello"), b"Content-Length: 5\r\n\r\n"),
    ("chunks", chunked(b"/echo?abort=stall", chunk(b"hello") + LAST), b"chunked\r\n\r\n"),
    ("nothing", get(b"/echo?abort=stall"), b"Content-Length: 0\r\n"),
    ("HEAD", request(b"HEAD", b"/echo?abort=stall", b"Content-Length: 5\r\n", b"hello"), b"Content-Length: 5\r\n"),
]))
def test_stall(server, raw, tail):
    """The head and no more, until the client ends its side."""
    with server.connect() as wire:
        wire.send(raw + PLAIN)
        head = wire.through(tail)
        check(head.startswith(b"HTTP/1.1 200 OK\r\n"), f"the head: {head!r}")
        wire.silent(0.3)
        wire.send(PLAIN)
        wire.silent(0.2)
        wire.finish()
        equal(ended(wire), (b"", "fin"), "what came, and the end")


def test_a_client_that_resets_a_stall(start):
    server = start()
    with server.connect() as wire:
        wire.send(get(b"/echo?abort=stall"))
        wire.through(b"Content-Length: 0\r\n")
        wire.reset()
    until(lambda: metrics(server)["echod_connections_open"] == 1, "the connection is gone")
    server.stop()


def test_a_stall_ends_however_much_its_client_sends(start):
    """The timeout of the body is not that of the bytes, which nobody wants."""
    server = start("--body-timeout", "1s")
    with server.connect() as wire:
        wire.send(post(b"/echo?abort=stall", b"hello"))
        begun = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - begun < 20:
                wire.socket.sendall(b"x" * 1048576)
        at_most(time.monotonic() - begun, 10, "seconds until the connection is closed")


def test_a_stall_ends_at_the_body_timeout(start):
    server = start("--body-timeout", "600ms")
    with server.connect() as wire:
        begin = time.monotonic()
        wire.send(get(b"/echo?abort=stall"))
        wire.through(b"Content-Length: 0\r\n")
        wire.trickle(PLAIN * 100, 0.05)  # what it sends does not prolong it
        check(not wire.fill(), "more came")
        check(0.5 < time.monotonic() - begin < settings.patience(3), f"it took {time.monotonic() - begin:.2f} s")
    server.stop()


def test_stalls_hold_up_nothing(start, mode):
    """Other requests are served meanwhile, and the drain ends the stalls at once."""
    server = start("--workers", "8") if mode == "pool" else start()
    with contextlib.ExitStack() as stack:
        wires = [stack.enter_context(server.connect()) for _ in range(6)]
        for wire in wires:
            wire.send(get(b"/echo?abort=stall"))
            wire.through(b"Content-Length: 0\r\n")
        equal(server.ask(PLAIN).status, 200, "status")
        if mode in settings.LOOPS:
            at_most(server.cpu_share(0.5), 0.2, "processor time while they stall")
        begin = time.monotonic()
        server.stop()
        at_most(time.monotonic() - begin, settings.patience(2), "seconds until the end")
        for wire in wires:
            equal(ended(wire), (b"", "fin"), "what came, and the end")


def test_no_interim_answer_to_a_request_that_gets_no_answer(server):
    for kind, end in ((b"before", "fin"), (b"reset", "reset")):
        with server.connect() as wire:
            wire.send(request(b"POST", b"/echo?abort=" + kind, b"Content-Length: 5\r\nExpect: 100-continue\r\n"))
            equal(ended(wire), (b"", end), "what came, and the end")
    with server.connect() as wire:
        wire.send(request(b"POST", b"/echo?abort=body:2", b"Content-Length: 5\r\nExpect: 100-continue\r\n"))
        equal(wire.answer().status, 100, "the interim answer")
        wire.send(b"hello")
        wire.through(b"\r\n\r\n")
        equal(ended(wire), (b"he", "fin"), "what came, and the end")


@pytest.mark.parametrize("query", params([(text, text.encode()) for text in (
    "abort=later", "abort=", "abort=body", "abort=body:x", "abort=reset:101", "abort=reset:60,before:41", "status=503:101", "status=503:50,500:51",
    "delay=1s:", "delay=11s:1", "close=true:1.234", "abort=reset:1:1")]))
def test_not_allowed(server, query):
    with server.connect() as wire:
        check_problem(wire.ask(post(b"/echo?" + query, b"hello")), 400)
        wire.kept()


def test_a_bad_parameter_is_told_and_nothing_goes_wrong(server):
    with server.connect() as wire:
        check_problem(wire.ask(post(b"/echo?abort=reset&status=1", b"hello")), 400)
        wire.kept()


# Shares

SHARED = b"/echo?status=503:20,500:5&close=true:0.5&abort=reset:1"
SEED = ("--fault-seed", "4711")


def outcomes(server, count):
    """What becomes of the first requests of a server: the number of the connection, of the request on it, and the outcome."""
    found, connection = [], 0
    while len(found) < count:
        connection += 1
        with server.connect() as wire:
            for number in range(1, 1 + min(20, count - len(found))):
                wire.send(post(SHARED, b"hello"))
                if not wire.fill():
                    found.append((connection, number, wire.ended))
                    break
                answer = wire.answer()
                found.append((connection, number, (answer.status, answer.closes)))
                if answer.closes:
                    break
    return found


@pytest.mark.modeless
def test_the_same_draws_in_every_mode(start):
    results = {mode: outcomes(start(*SEED, mode=mode), 300) for mode in settings.modes}
    first = next(iter(results.values()))
    check(len({outcome for _, _, outcome in first}) >= 4, f"outcomes: {first}")
    for mode, result in results.items():
        equal(result, first, f"the outcomes in mode {mode}")


@pytest.mark.modeless
def test_another_seed_gives_other_draws(start):
    one, two = (outcomes(start("--fault-seed", seed, mode="event"), 200) for seed in ("1", "2"))
    check(one != two, "two seeds give the same outcomes")


@pytest.mark.modeless
def test_without_a_seed_it_is_random_and_told(start):
    servers = [start("-v", mode="event") for _ in range(2)]
    seeds = [server.errors().rsplit("fault seed ", 1)[1].strip() for server in servers]
    check(seeds[0] != seeds[1] and all(seed.isdigit() for seed in seeds), f"seeds: {seeds}")
    again = start("--fault-seed", seeds[0], mode="event")
    equal(outcomes(again, 100), outcomes(servers[0], 100), "the outcomes with the seed that was told")


def shares_of(server, connections, each):
    """How many of the requests got each status, pipelined a thousand at once."""
    counts = {}
    path = b"/echo?status=503:20,500:5,404:0.5"
    for _ in range(connections):
        with server.connect(seconds=60) as wire:
            for _ in range(each // 1000):
                wire.send(get(path) * 1000)
                for _ in range(1000):
                    head = wire.through(b"\r\n\r\n")
                    counts[head[9:12]] = counts.get(head[9:12], 0) + 1
    return counts


def check_shares(counts, total):
    for status, share in ((b"503", 0.2), (b"500", 0.05), (b"404", 0.005), (b"200", 0.745)):
        deviation = math.sqrt(total * share * (1 - share))
        off = abs(counts.get(status, 0) - total * share)
        check(off <= 3 * deviation, f"{status.decode()}: {counts.get(status)} of {total}, {off / deviation:.1f} standard deviations off")


def test_shares(start):
    server = start(*SEED)
    check_shares(shares_of(server, 5, 2000), 10000)
    check(2400 <= metrics(server)['echod_faults_total{kind="status"}'] <= 2700, "faults of the kind status")


@pytest.mark.scale
@pytest.mark.timeout(300)
def test_shares_of_many(start):
    check_shares(shares_of(start(*SEED), 100, 1000), 100000)


@pytest.mark.scale
@pytest.mark.timeout(300)
def test_shares_of_one_connection(start):
    check_shares(shares_of(start(*SEED), 1, 100000), 100000)


# Defaults

@pytest.mark.flags("--default-status", "503:100", "--default-header", "X-A: 1", "--default-header", "Retry-After: 7", "--default-close", "true:0",
                   "--default-delay", "10ms")
def test_defaults(server):
    with server.connect() as wire:
        answer = wire.ask(post(b"/echo", b"hello"))
        equal((answer.status, answer.body, answer.get("X-A"), answer.get("Retry-After")), (503, b"hello", "1", "7"), "the answer")
        answer = wire.ask(post(b"/echo?status=201&header=X-B:2", b"hello"))
        equal((answer.status, answer.get("X-A"), answer.get("X-B")), (201, None, "2"), "the answer to a query")
        answer = wire.ask(post(b"/", b"hello", b"X-Echo-Status: 202\r\n"))
        equal((answer.status, answer.get("X-A")), (202, "1"), "the answer to a field")
        for path in (b"/plaintext", b"/anything", b"/status/204", b"/"):
            check(wire.ask(get(path)).status < 300, f"{path} is another path")


@pytest.mark.flags("--default-abort", "reset", "--default-close", "true")
def test_default_abort(server):
    with server.connect() as wire:
        wire.kept()
        wire.send(get(b"/echo"))
        equal(ended(wire), (b"", "reset"), "what came, and the end")
    with server.connect() as wire:
        answer = wire.ask(get(b"/echo?abort=reset:0"))
        check(answer.closes, "the default does not close")
        wire.closed()


def test_defaults_in_the_environment(start):
    server = start(env={"ECHOD_DEFAULT_STATUS": "404", "ECHOD_DEFAULT_HEADER": "X-A: 1, 2\nX-B: 3\n", "ECHOD_NAME": "blue"})
    answer = server.ask(get(b"/echo"))
    equal((answer.status, answer.get("X-A"), answer.get("X-B"), answer.get("X-Echo-Name")), (404, "1, 2", "3", "blue"), "the answer")
    server.stop()


# What is told of it

def test_counted_and_logged(start, folder):
    path = os.path.join(folder, "log")
    server = start("--access-log", path, "--log-format", "json")
    queries = {b"abort=before": ("before", 200), b"abort=reset": ("reset", 200), b"abort=garbage&status=503": ("status,garbage", 503),
               b"abort=body:2": ("body", 200), b"status=500": ("status", 500), b"close=true&delay=1ms": ("delay,close", 200)}
    before = metrics(server)
    for query in queries:
        with server.connect() as wire:
            wire.send(post(b"/echo?" + query, b"hello", b"X-Request-Id: %s\r\n" % query.replace(b"&", b"+")))
            if query == b"status=500":
                wire.finish()
            ended(wire)
    after = metrics(server)
    change = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name)}
    equal({name: change[name] for name in change if name.startswith("echod_faults")},
          {f'echod_faults_total{{kind="{kind}"}}': count for kind, count in
           (("before", 1), ("reset", 1), ("garbage", 1), ("body", 1), ("status", 2), ("delay", 1), ("close", 1))}, "faults")
    equal((change.get('echod_requests_total{code="2xx"}'), change.get('echod_requests_total{code="5xx"}')), (3, 1),
          "answers: those of body:2, of the delay, and of one page of metrics; no others")
    server.stop()
    with open(path, encoding="ascii") as file:
        lines = {line["request_id"]: line for line in map(json.loads, file)}
    for query, (fault, status) in queries.items():
        line = lines[query.replace(b"&", b"+").decode()]
        equal((line.get("fault"), line["status"]), (fault, status), f"the line of {query}")


# Other limits

@pytest.mark.flags("--max-requests", "3")
def test_max_requests(server):
    with server.connect() as wire:
        wire.send(PLAIN + post(b"/echo", b"hello") + get(b"/anything") + PLAIN * 5)
        closes = [wire.answer().closes for _ in range(3)]
        equal(closes, [False, False, True], "which answers say Connection: close")
        wire.closed()
    with server.connect() as wire:
        for closes in (False, False, True):
            equal(wire.ask(get(b"/delay/1ms")).closes, closes, "whether the answer says Connection: close")
        wire.closed()


@pytest.mark.flags("--max-delay", "150ms")
def test_max_delay(server):
    with server.connect() as wire:
        for path in (b"/delay/151ms", b"/block/151ms", b"/drip?duration=151ms", b"/drip?delay=151ms", b"/sse?interval=151ms", b"/echo?delay=151ms"):
            check("150 ms" in check_problem(wire.ask(get(path)), 400), f"{path} does not tell the limit")
        for path in (b"/delay/150ms", b"/block/150ms", b"/drip?duration=150ms", b"/drip", b"/sse?interval=150ms&count=2", b"/echo?delay=150ms"):
            begin = time.monotonic()
            equal(wire.ask(get(path)).status, 200, f"status of {path}")
            at_least(time.monotonic() - begin, 0.13, f"seconds of {path}")


@pytest.mark.slow
@pytest.mark.flags("--max-delay", "1m")
def test_a_longer_delay(server):
    begin = time.monotonic()
    equal(server.ask(get(b"/delay/10.3"), seconds=20).status, 200, "status")
    at_least(time.monotonic() - begin, 10.3, "seconds")


@pytest.mark.flags("--name", "blue-1", "--cors")
def test_name(server):
    for raw in (PLAIN, get(b"/nowhere"), b"NIX / HTTP/1.1\r\n\r\n", b"GET /\x01 HTTP/1.1\r\n\r\n", get(b"/status/204"), post(b"/echo", b"x" * 100000)):
        with server.connect() as wire:
            wire.send_what_goes(raw)
            equal(wire.answer().get("X-Echo-Name"), "blue-1", f"X-Echo-Name in the answer to {raw[:30]}")
    equal(server.ask(get(b"/anything")).json()["name"], "blue-1", "the member name")
    preflight = request(b"OPTIONS", b"/echo", b"Origin: http://o\r\nAccess-Control-Request-Method: PUT\r\n")
    answer = server.ask(preflight)
    equal((answer.status, answer.get("X-Echo-Name"), answer.get("Access-Control-Allow-Origin")), (204, "blue-1", "*"), "the preflight")


def test_without_a_name(server):
    equal(server.ask(PLAIN).get("X-Echo-Name"), None, "X-Echo-Name")
    check("name" not in server.ask(get(b"/anything")).json(), "there is a member name")


def test_a_full_server_has_a_name(start):
    server = start("--name", "x", "--max-connections", "1")
    with server.connect() as wire:
        wire.kept()
        answer = server.ask(PLAIN)
        equal((answer.status, answer.get("X-Echo-Name")), (503, "x"), "the answer")


def test_a_signal_while_it_resets(start):
    """A drain among faults of all kinds ends well."""
    server = start("--default-abort", "before:20,reset:20,body:2:20,garbage:20,stall:10", *SEED)
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            wire = stack.enter_context(server.connect())
            wire.send_what_goes(post(b"/echo", b"hello"))
        pause(0.1)
        server.signal(signal.SIGTERM)
        server.wait()


def test_nothing_is_kept(start):
    server = start()
    for kind in (b"before", b"reset", b"body:90000", b"stall", b"garbage"):
        with server.connect() as wire:
            wire.send_what_goes(chunked(b"/echo?abort=" + kind, chunk(BODY) + LAST))
            wire.finish()
            ended(wire)
    until(lambda: metrics(server)["echod_connections_open"] == 1, "all are gone")
    if server.ask(PLAIN).status != 200:
        fail("it serves no more")
    server.stop()
