# SPDX-License-Identifier: MIT
"""A server whose delays and faults are known, in a thread of the tests' own process, and swarm run against it."""

import asyncio
import contextlib
import json
import os
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SWARM = Path(os.environ.get("SWARM", ROOT / "build/release/swarm"))
PATIENCE = 60


def answer(body=b"hello", status="200 OK", fields=""):
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body


class _Connection(asyncio.Protocol):
    def __init__(self, server):
        self.server = server
        self.data = b""
        self.pieces = 0

    def connection_made(self, transport):
        self.transport = transport
        self.server.connections.append(self)
        self.peer = transport.get_extra_info("peername")
        self.own = transport.get_extra_info("sockname")
        self.open = True

    def connection_lost(self, _exception):
        self.open = False

    def data_received(self, data):
        self.data += data
        self.pieces += 1
        while (end := self.data.find(b"\r\n\r\n")) >= 0:
            head = self.data[:end].decode("latin-1")
            size = int(head.lower().partition("content-length: ")[2].split("\r\n")[0] or 0)
            path = head.split(" ")[1]
            if path != "/deaf" and len(self.data) < end + 4 + size:
                return
            body, self.data = self.data[end + 4:end + 4 + size], self.data[end + 4 + size:]
            self.server.heads.append(head)
            self.server.respond(self, path, body)

    def send(self, data, close=False):
        if self.open:
            self.transport.write(data)
            if close:
                self.transport.close()

    def reset(self):
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()


class Server:
    """Answers by the path: see respond(). Its lists are for reading once swarm has ended."""

    def __init__(self, hosts=("127.0.0.1",), path=None):
        self.connections = []
        self.heads = []  # of every request
        self.waiting = 0  # answers that are not due yet
        self.most_waiting = 0
        self.port = 0
        self._listeners = []
        self._hosts = hosts
        self._path = path
        self._stalled = False
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def respond(self, connection, path, body):
        _, verb, *arguments = path.split("/")
        if verb == "after":
            self._later(connection, int(arguments[0]))
        elif verb == "stall":  # once, at the request of that number, nobody is answered for so many milliseconds
            if len(self.heads) >= int(arguments[0]) and not self._stalled:
                self._stalled = True
                time.sleep(int(arguments[1]) / 1000)
            connection.send(answer())
        elif verb == "every":  # each N-th request is answered after so many milliseconds, the others at once
            if len(self.heads) % int(arguments[0]) == 0:
                self._later(connection, int(arguments[1]))
            else:
                connection.send(answer())
        elif verb == "bytes":
            connection.send(answer(b"x" * int(arguments[0])))
        elif verb == "echo":
            connection.send(answer(body))
        elif verb == "status":
            connection.send(answer(status=f"{arguments[0]} So"))
        elif verb == "close":
            connection.send(answer(fields="Connection: close\r\n"), close=True)
        elif verb == "cut":
            connection.send(answer()[:-1], close=True)
        elif verb == "garbage":
            connection.send(b"SSH-2.0-nonsense\r\n")
        elif verb == "more":
            connection.send(answer() + b"x")
        elif verb in ("reset", "deaf"):
            connection.reset()
        elif verb != "never":
            connection.send(answer())

    def _later(self, connection, milliseconds):
        def due():
            self.waiting -= 1
            connection.send(answer())
        self.waiting += 1
        self.most_waiting = max(self.waiting, self.most_waiting)
        self._loop.call_later(milliseconds / 1000, due)

    def call(self, function):
        """In the server's thread; returns when it is done."""
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (function(), done.set()))
        if not done.wait(PATIENCE):
            raise AssertionError("the server does not respond")

    def close_idle(self, count):
        """Closes so many of the open connections."""
        self.call(lambda: [c.transport.close() for c in [c for c in self.connections if c.open][:count]])

    def _serve(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._listen())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._close())
        self._loop.close()

    async def _close(self):
        for listener in self._listeners:
            listener.close()
        for connection in self.connections:
            connection.transport.abort()
        while any(connection.open for connection in self.connections):
            await asyncio.sleep(0)

    async def _listen(self):
        def factory():
            return _Connection(self)
        if self._path:
            self._listeners.append(await self._loop.create_unix_server(factory, self._path))
            return
        for host in self._hosts:
            self._listeners.append(await self._loop.create_server(factory, host, self.port, backlog=1024))
            self.port = self._listeners[0].sockets[0].getsockname()[1]

    def __enter__(self):
        self._thread.start()
        if not self._started.wait(PATIENCE):
            raise AssertionError("the server does not start")
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def command(*arguments):
    return [str(SWARM), *map(str, arguments)]


def swarm(*arguments, expected=0):
    """Runs it to its end: the values of its lines."""
    done = subprocess.run(command(*arguments), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=PATIENCE)
    if done.returncode != expected:
        raise AssertionError(f"swarm {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


@contextlib.contextmanager
def started(*arguments):
    """swarm with pipes on stdin, stdout and stderr."""
    process = subprocess.Popen(command(*arguments), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            stream.close()


def load(server, *arguments):
    """Its only class's figures, and the result they stand in."""
    [result] = swarm("--target", f"127.0.0.1:{server.port}", *arguments)
    [figures] = result["classes"]
    return figures, result
