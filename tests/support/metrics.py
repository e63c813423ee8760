# SPDX-License-Identifier: MIT
"""What the server counts."""

import re

from .corpus import get

# The capacities of common/base/buffer.c, on machines of 64 bits.
BUFFER_LEAST, BUFFER_HEADERS = 512, 48


def metrics(server):
    """Values of /metrics by name, with the labels but for the mode."""
    return values(_page(server))


def held(server):
    """Bytes held for clients, without those of the page that reports them; None if there was no room for the page."""
    page = _page(server)
    return _held(page) if _is_whole(page) else None


def is_released(server):
    """Whether no connection is open but the one that asks, and nothing is held but the page."""
    page = _page(server)
    return _is_whole(page) and values(page)["echod_connections_open"] == 1 and _held(page) == 0


def _page(server):
    return server.ask(get(b"/metrics")).body.decode()


def _is_whole(page):
    return "\nechod_buffer_bytes{" in page


def _held(page):
    return values(page)["echod_buffer_bytes"] - _capacity(page.index("# HELP echod_buffer_bytes "))


def values(page):
    """Of a page, as metrics gives them."""
    found = {}
    for line in page.splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[re.sub(r'mode="\w+",?', "", name).replace("{}", "")] = float(value)
    return found


def _capacity(length):
    """Of a buffer that has grown to hold that much: more digits may need the next one."""
    size = BUFFER_LEAST
    while size - BUFFER_HEADERS < length:
        size *= 2
    return size - BUFFER_HEADERS
