# SPDX-License-Identifier: MIT
"""How a server is asked for its metrics."""

import known_server
import pytest
from lab.text.errors import LabError, UsageError
from lab.top.server import Server

MOMENT, LONG = 0.2, 60  # seconds


@pytest.fixture(scope="module")
def known():
    with known_server.Server() as server:
        yield server


def url(known, path=""):
    return f"http://127.0.0.1:{known.port}{path}"


ADDRESSES = {
    "http://127.0.0.1:8080": ("127.0.0.1:8080", "/metrics"),
    "http://127.0.0.1:8080/": ("127.0.0.1:8080", "/metrics"),
    "http://somewhere": ("somewhere:80", "/metrics"),
    "http://[::1]:8080/a?b=c": ("[::1]:8080", "/a?b=c"),
    "unix:/run/echod.socket": ("unix:/run/echod.socket", "/metrics"),
}


@pytest.mark.parametrize("text", ADDRESSES)
def test_address(text):
    server = Server(text)
    assert (server.name, server._path) == ADDRESSES[text]


@pytest.mark.parametrize("text", ["", "8080", "127.0.0.1:8080", "https://127.0.0.1", "http://", "http://a:b", "http://a:70000",
                                  "http://user@a", "http://a/\r\nb", "http://a/ä", "http://[::1",
                                  "unix:", "http://a b/", "http://a/b c"])
def test_no_address(text):
    with pytest.raises(UsageError):
        Server(text)


def test_the_connection_is_kept(known):
    before = len(known.connections)
    server = Server(url(known, "/bytes/0"))
    for _ in range(3):
        server.scrape(LONG)
    server.close()
    assert len(known.connections) == before + 1


def test_a_connection_is_closed_if_the_server_says_so(known):
    before = len(known.connections)
    server = Server(url(known, "/close"))
    for _ in range(2):
        with pytest.raises(LabError, match="cannot be read"):  # its answer is no page
            server.scrape(LONG)
    assert server._connection is None
    assert len(known.connections) == before + 2


def test_a_connection_that_was_closed_is_opened_anew(known):
    before = len(known.connections)
    server = Server(url(known, "/bytes/0"))
    server.scrape(LONG)
    known.close_idle(len(known.connections))
    server.scrape(LONG)
    server.close()
    assert len(known.connections) == before + 2


@pytest.mark.parametrize("path, error", [("/status/404", "status 404 for /status/404"), ("/reset", "Connection reset by peer"),
                                         ("/cut", "shorter"), ("/after/0", "cannot be read")])
def test_why_there_is_no_page(known, path, error):
    with pytest.raises(LabError, match=error):
        Server(url(known, path)).scrape(LONG)


def test_a_name_that_cannot_be_one():
    with pytest.raises(LabError, match="label"):
        Server(f"http://{64 * 'a'}.example").scrape(LONG)


def test_no_answer_in_time(known):
    with pytest.raises(LabError, match="no answer within 0.2 s"):
        Server(url(known, "/never")).scrape(MOMENT)


def test_unix_socket(tmp_path):
    path = str(tmp_path / "socket")
    with known_server.Server(path=path) as known:
        with pytest.raises(LabError, match="cannot be read"):
            Server(f"unix:{path}").scrape(LONG)
        assert known.heads[0].startswith("GET /metrics HTTP/1.1\r\nHost: localhost")
    with pytest.raises(LabError, match="Connection refused|No such file"):
        Server(f"unix:{path}").scrape(LONG)
