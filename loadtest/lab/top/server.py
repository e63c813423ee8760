# SPDX-License-Identifier: MIT
"""A server that is watched: where its metrics are, and the connection on which they are asked for."""

import re
import socket
import time
from urllib.parse import urlsplit

from ..load import http
from ..text import streams
from ..text.errors import LabError, UsageError
from .page import Page

PATH = "/metrics"
_UNIX = "unix:"
_VISIBLE = re.compile(r"[!-~]+")  # ASCII, without blanks and control characters


class Server:
    """The connection is kept: a scrape starts no thread or process in the server, and gets through when the server is full. The
    server counts each scrape as a request, and the connection unless it is to an address of --admin-listen."""

    def __init__(self, url):
        """`url`: http://HOST:PORT[/PATH] or unix:PATH. UsageError if it is neither."""
        self.url = url
        self._connection = None
        if url.startswith(_UNIX) and url != _UNIX:
            self._address, self._host, self._path = url.removeprefix(_UNIX), "localhost", PATH
            self.name = streams.printable(url)
            return
        try:
            parts = urlsplit(url)
            self._address = (parts.hostname, parts.port or 80)
        except ValueError as error:
            raise UsageError(f"{url!r}: {error}") from None
        if parts.scheme != "http" or not parts.hostname or parts.username is not None or not _VISIBLE.fullmatch(url):
            raise UsageError(f"{url!r} is not http://HOST:PORT[/PATH] or unix:PATH")
        self._host = self.name = http.authority(self._address)
        self._path = (parts.path if parts.path != "/" else "") or PATH
        self._path += f"?{parts.query}" if parts.query else ""

    def scrape(self, timeout):
        """The page as it is now; LabError says why there is none within so many seconds."""
        try:
            answer, took = self._ask(time.monotonic() + timeout)
        except TimeoutError:
            self.close()
            raise LabError(f"no answer within {timeout:g} s") from None
        except (OSError, UnicodeError) as error:  # the latter for a name that cannot be one of a host
            self.close()
            raise LabError(getattr(error, "strerror", None) or str(error)) from None
        except LabError:
            self.close()
            raise
        at = time.monotonic()
        if "close" in answer.headers.get("connection", "").lower():
            self.close()
        if answer.status != 200:
            hint = "; with --admin-listen the metrics are there only" if answer.status == 404 and self._path == PATH else ""
            raise LabError(f"status {answer.status} for {self._path}{hint}")
        return Page(answer.body.decode("utf-8", "replace"), at, took)

    def _ask(self, deadline):
        """(the answer, seconds from the request to it)."""
        if self._connection is not None:
            try:
                return self._exchange(deadline)
            except TimeoutError:
                raise
            except (OSError, LabError):  # the server has closed it since: it was idle for too long, or is another process now
                self.close()
        self._connection = self._connect(deadline)
        return self._exchange(deadline)

    def _connect(self, deadline):
        left = max(deadline - time.monotonic(), 0.001)
        if not isinstance(self._address, str):
            return socket.create_connection(self._address, timeout=left)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(left)
            connection.connect(self._address)
        except OSError:
            connection.close()
            raise
        return connection

    def _exchange(self, deadline):
        began = time.monotonic()
        self._connection.settimeout(max(deadline - began, 0.001))
        self._connection.sendall(http.request_bytes("GET", self._path, self._host))
        answer = http.receive(self._connection, deadline)
        return answer, time.monotonic() - began

    def close(self):
        if self._connection is not None:
            self._connection.close()
            self._connection = None
