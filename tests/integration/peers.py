#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Sends the conformance documents to other servers, so that a wrong expectation shows.

A peer agrees where it answers the same number of requests, refuses what is refused and answers 200 (with the same
body, for an echo) what is answered, and keeps or closes the connection alike. Where it differs, the document says why.
"""

import argparse
import concurrent.futures
import contextlib
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(FOLDER), os.path.join(FOLDER, "..", "..", "scripts")]

import junit  # noqa: E402
from support import document, process, settings  # noqa: E402
from support.checks import Failure, Skip  # noqa: E402
from support.wire import Short, Wire  # noqa: E402

MARKER = b"GET /plaintext HTTP/1.1\r\nHost: marker\r\nConnection: close\r\n\r\n"
REASONS_OF = {"nginx": "1.22", "node": "20"}  # of other versions a difference without a reason is no failure
PATIENCE = 10  # seconds without a byte, after which a peer waits for more of what it takes for a request


class Peer:
    """A running server on a socket in a folder of its own."""

    def __init__(self, name):
        self.name = name
        self.folder = tempfile.mkdtemp(prefix="echod-peer-")
        self.socket = os.path.join(self.folder, "socket")
        self.child = None
        try:
            self.child = getattr(self, "start_" + name)()
            self.wait_ready()
        except BaseException:
            self.close()
            raise

    @property
    def version(self):
        """"1.22.1"."""
        done = subprocess.run([process.need(self.name), "-v"], stdin=subprocess.DEVNULL, capture_output=True)
        return re.search(rb"\d+(\.\d+)+", done.stdout + done.stderr)[0].decode()

    def start_nginx(self):
        path = os.path.join(self.folder, "nginx.conf")
        with open(os.path.join(FOLDER, "peers", "nginx.conf")) as template, open(path, "w") as file:
            file.write(template.read().replace("{folder}", self.folder))
        return process.spawn([process.need("nginx"), "-p", self.folder, "-e", "stderr", "-c", path])

    def start_node(self):
        return process.spawn([process.need("node"), os.path.join(FOLDER, "peers", "server.js"), self.socket])

    def wait_ready(self):
        for _ in range(1000):
            with contextlib.suppress(OSError):
                Wire(self.socket, PATIENCE).close()
                return
            if self.child.poll() is not None:
                break
            select.select((), (), (), 0.01)
        raise Failure(f"{self.name} did not start")

    def close(self):
        if self.child:
            process.end(self.child)
        shutil.rmtree(self.folder, ignore_errors=True)


class Reading:
    """Answers as another server may give them: read leniently, and compared in what matters."""

    def __init__(self, wire):
        self.wire = wire

    def answer(self, to_head):
        """(status, body), or a word for what came instead."""
        try:
            head = self.wire.through(b"\r\n\r\n")
            match = re.match(rb"HTTP/1\.[01] (\d{3}) ?", head)
            if not match:
                return "no status line", head
            return int(match[1]), self.body(int(match[1]), head.lower(), to_head)
        except Short:
            return ("closed", b"") if not self.wire.received else ("no status line", self.wire.take(1 << 20))
        except Failure:
            return "waits", b""

    def body(self, status, head, to_head):
        if to_head or status < 200 or status in (204, 304):
            return b""
        if length := re.search(rb"\r\ncontent-length: (\d+)\r\n", head):
            return self.wire.exactly(int(length[1]))
        if b"\r\ntransfer-encoding: chunked\r\n" in head:
            return self.chunks()
        body = b""
        while not self.wire.at_end():
            body += self.wire.take(len(self.wire.received))
        return body

    def chunks(self):
        body = b""
        while size := int(self.wire.through(b"\r\n").split(b";")[0], 16):
            body += self.wire.exactly(size + 2)[:-2]
        self.wire.through(b"\r\n")
        return body


def decoded(body):
    """An echo as the document has it, without its chunks' framing."""
    whole = b""
    while match := re.match(rb"([0-9a-f]+)\r\n", body):
        size = int(match[1], 16)
        whole += body[match.end():match.end() + size]
        body = body[match.end() + size + 2:]
    return whole


def expected_of(entry):
    found = []
    for answer in entry.answers:
        framed = ("Transfer-Encoding", "chunked") in answer.fields or answer.body and answer.body.endswith(b"0\r\n\r\n")
        body = decoded(answer.body) if framed else answer.body
        found.append((answer.status, body if answer.status == 200 and not answer.to_head else None))
    if not entry.closes:
        found.append((200, b"Hello, World!"))
    return found + [("closed", None)]


def observed_of(peer, entry):
    found = []
    to_head = [answer.to_head for answer in entry.answers]
    with Wire(peer.socket, PATIENCE) as wire:
        wire.send_what_goes(entry.data if entry.end == "eof close" else entry.data + MARKER)
        if entry.end == "eof close":
            wire.finish()
        reading = Reading(wire)
        while not found or isinstance(found[-1][0], int):
            finals = sum(1 for status, _ in found if status != 100)
            interim = sum(1 for answer in entry.answers if answer.status == 100)
            found.append(reading.answer((to_head[interim:] + [False] * 50)[finals]))
    return found


def same(expected, observed):
    """A refusal is a refusal, whatever its number."""
    if len(expected) != len(observed):
        return False
    for (wanted, body), (got, came) in zip(expected, observed):
        numbers = isinstance(wanted, int) and isinstance(got, int)
        if wanted != got and not (numbers and wanted >= 400 and got >= 400):
            return False
        if body is not None and body != came:
            return False
    return True


def told(answers):
    return " ".join(str(status) for status, _ in answers)


def ask(peer, entry, known):
    """The outcome for one entry, and what the line says of it; `known` says that the reasons are of this version."""
    if "peers" in entry.differs:
        return "skip", entry.differs["peers"]
    expected, observed = expected_of(entry), observed_of(peer, entry)
    reason = entry.differs.get(peer.name)
    if same(expected, observed):
        if reason and known:
            return "FAIL", f"it agrees, so this reason is out of date: {reason}"
        return "ok", f"it agrees with this version, but: {reason}" if reason else ""
    difference = f"expected {told(expected)}, it gave {told(observed)}"
    if told(expected) == told(observed):
        difference += f" with {[body for _, body in observed]}"
    return ("differs", f"{difference}: {reason or 'a version not looked at'}") if reason or not known else \
        ("FAIL", difference)


def ask_all(peer, entries, results):
    counts = {"ok": 0, "differs": 0, "skip": 0, "FAIL": 0}
    known = f"{peer.version}.".startswith(f"{REASONS_OF[peer.name]}.")
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        for entry, (outcome, text) in zip(entries, pool.map(lambda entry: ask(peer, entry, known), entries)):
            counts[outcome] += 1
            if outcome != "skip":
                results.append((f"{entry.name} [{peer.name}]", text if outcome == "FAIL" else None))
            print(f"{outcome:<7} {entry.name} [{peer.name}]" + (f": {text}" if text else ""), flush=True)
    return counts


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", action="append", choices=("nginx", "node"), help="default: those that are installed")
    parser.add_argument("--junitxml", metavar="FILE", help="a JUnit file to write the results to")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name has this in it")
    return parser.parse_args()


def main():
    options = arguments()
    settings.folder = tempfile.gettempdir()
    entries = [entry for entry in document.read_all(os.path.join(FOLDER, "conformance")) if options.only in entry.name]
    results, missing = [], 0
    for name in options.peer or ("nginx", "node"):
        try:
            with contextlib.closing(Peer(name)) as peer:
                counts = ask_all(peer, entries, results)
        except Skip as reason:
            print(f"skip    all cases [{name}]: {reason}")
            missing += bool(options.peer)
            continue
        print(f"{name}: agrees in {counts['ok']} cases, differs in {counts['differs']} that say why and "
              f"{counts['FAIL']} that do not; {counts['skip']} are not asked")
    failed = sum(1 for _, failure in results if failure)
    if options.junitxml:
        junit.write(options.junitxml, results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or missing or not results else 0


if __name__ == "__main__":
    sys.exit(main())
