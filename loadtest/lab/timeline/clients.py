# SPDX-License-Identifier: MIT
"""The script of clients, which is the same for every mode, and its run: who asked for what, when, and when the answer was there.

A client has one connection at a time. The server numbers connections from 1 in the order in which it accepts them, which is the
order in which they were opened: so the clients know under which number the server's trace has a request.
"""

import asyncio
import socket
import time
from dataclasses import dataclass, field, replace

from ..load import http
from ..text.errors import LabError

LENGTH = 500  # ms that the script takes; no request is sent later
_PATIENCE = 10  # seconds that the answers still due at its end may take
_PIECE = 16384  # bytes that the slow reader takes at a time
_PAUSE = 0.004  # seconds between two pieces
_PLAIN, _EVERY = 6, 12  # the clients that ask for /plaintext, and the ms between two requests of each

COMPUTING = 60  # ms that a request that computes is to take
COMPUTE = "/compute/{rounds}"
_KINDS = {"/delay/": "waiting", "/block/": "blocking", "/compute/": "computing"}
_TRIED, _TRIES = 500_000, 40  # rounds, which take less than a slice of time that another program may get in between


@dataclass(frozen=True)
class Client:
    name: str
    path: str
    at: float  # ms after the begin of the script
    every: float | None = None  # ms from one request to the next, if there are several; one that is late is sent at the next time
    waits: float | None = None  # ms for which the server has nothing to do but wait
    slow: bool = False  # reads its answer in small pieces, with pauses, into a small buffer

    @property
    def kind(self):
        """What its requests make the server do: waiting, blocking, computing; None for others."""
        return next((kind for start, kind in _KINDS.items() if self.path.startswith(start)), None)

    @property
    def text(self):
        """The request as the server's trace calls it."""
        return f"GET {self.path}"


@dataclass
class Request:
    """One that was sent. Times are microseconds of CLOCK_MONOTONIC, as in the server's trace."""

    client: Client
    sent: float
    connection: int  # the one on which it was sent last
    place: int  # among the requests of that connection, from 0
    answered: float | None = None  # when the last byte was there
    status: int | None = None
    sent_again: int = 0  # times, because the server had closed the connection without having read it


@dataclass
class Run:
    begin: float  # µs of CLOCK_MONOTONIC
    requests: list = field(default_factory=list)
    opened: int = 0  # connections


SCRIPT = (
    *(Client(f"plaintext {n + 1}", "/plaintext", 30 + n * _EVERY / _PLAIN, every=_EVERY) for n in range(_PLAIN)),
    Client("delay 1", "/delay/100ms", 50, waits=100), Client("delay 2", "/delay/100ms", 55, waits=100),
    Client("block 1", "/block/80ms", 150), Client("block 2", "/block/80ms", 155),
    Client("compute 1", COMPUTE, 350), Client("compute 2", COMPUTE, 355),
    Client("slow reader", "/bytes/16777216", 40, slow=True),
)


def script(rounds):
    """The script with that many rounds to compute."""
    return tuple(replace(client, path=client.path.replace("{rounds}", str(rounds))) for client in SCRIPT)


def rounds_that_fit(address):
    """How many rounds of /compute take COMPUTING here. The fastest of some tries counts: other programs only make one slower."""
    fastest = min(_computing_time(address) for _ in range(_TRIES))
    return max(1, round(_TRIED * COMPUTING / 1000 / fastest / 1e6)) * 1_000_000


def _computing_time(address):
    began = time.monotonic()
    http.ask(address, "GET", f"/compute/{_TRIED}")
    return time.monotonic() - began


def described(played):
    """[(clients, what they do)] of a script, in words."""
    rows = {}
    for client in played:
        rows.setdefault((client.text, client.every, client.slow), []).append(client)
    found = []
    for (text, every, slow), clients in rows.items():
        first = clients[0]
        when = f"from {first.at:g} ms on, one request every {every:g} ms" if every else "at " + " and ".join(f"{one.at:g} ms" for one in clients)
        how = f", reading {_PIECE // 1024} KiB every {_PAUSE * 1000:g} ms into a small buffer" if slow else ""
        found.append((f"{len(clients)} × {text}", when + how))
    return found


def run(address, played):
    """Plays a script against a server. LabError for an answer that is wrong or missing."""
    return asyncio.run(_run(address, played))


async def _run(address, played):
    found = Run(time.monotonic_ns() / 1000)
    players = [_Player(found, client, address) for client in played]
    try:
        for player in players:
            await player.connect()
        await asyncio.wait_for(asyncio.gather(*(player.play() for player in players)), LENGTH / 1000 + _PATIENCE)
    except TimeoutError:
        raise LabError(f"not every answer came within {_PATIENCE} s") from None
    except OSError as error:
        raise LabError(f"a connection failed: {error.strerror or error}") from None
    finally:
        for player in players:
            player.close()
    return found


class _Player:
    """A client that plays its part."""

    def __init__(self, found, client, address):
        self._found, self._client, self._address = found, client, address
        self._socket, self._number, self._asked = None, 0, 0

    def close(self):
        if self._socket:
            self._socket.close()

    async def connect(self):
        self.close()
        self._socket = socket.socket()
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._client.slow:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIECE)
        self._found.opened += 1
        self._number, self._asked = self._found.opened, 0
        await asyncio.get_running_loop().sock_connect(self._socket, self._address)

    async def play(self):
        client, due = self._client, self._client.at
        while due < LENGTH:
            await asyncio.sleep((self._found.begin + due * 1000) / 1e6 - time.monotonic())
            await self._ask()
            if not client.every:
                break
            passed = (_now() - self._found.begin) / 1000 - client.at
            due = client.at + (passed // client.every + 1) * client.every
        if client.slow:
            self.close()

    async def _ask(self):
        request = Request(self._client, _now(), self._number, self._asked)
        self._found.requests.append(request)
        while not await self._answered(request):
            await self.connect()  # the server may close a connection on which it has read nothing: mode pool does
            request.sent_again += 1

    async def _answered(self, request):
        """Whether there is an answer; if not, the server has closed the connection without having read the request."""
        request.connection, request.place = self._number, self._asked
        self._asked += 1
        try:
            head = f"{request.client.text} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            await asyncio.get_running_loop().sock_sendall(self._socket, head.encode())
            return await (self._read_slowly if self._client.slow else self._read)(request)
        except (ConnectionResetError, BrokenPipeError):
            return False

    async def _read(self, request):
        """Its whole answer. False if the connection was closed before the first byte."""
        seen, length = b"", None
        while length is None or len(seen) < length:
            part = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
            if not part and not seen:
                return False
            if not part:
                raise LabError(f"{request.client.text}: an answer was cut off")
            seen += part
            if length is None and b"\r\n\r\n" in seen:
                length = _length(request, seen)
        request.answered = _now()
        return True

    async def _read_slowly(self, request):
        """As much of it as the time of the script allows."""
        while _now() < self._found.begin + LENGTH * 1000:
            part = await asyncio.get_running_loop().sock_recv(self._socket, _PIECE)
            if not part:
                return False
            if request.status is None:
                _length(request, part)
            await asyncio.sleep(_PAUSE)
        return True


def _now():
    return time.monotonic_ns() / 1000


def _length(request, seen):
    """Of head and body together; checks the status on the way."""
    head, _, _ = seen.partition(b"\r\n\r\n")
    request.status, headers = http.parse_head(head)
    if request.status != 200:
        raise LabError(f"{request.client.text}: answered with {request.status}")
    return len(head) + 4 + int(headers["content-length"])
