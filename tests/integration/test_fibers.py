# SPDX-License-Identifier: MIT
"""What only fibers have: stacks that give their pages back while nobody uses them."""

import re

import pytest

from support.checks import at_least, until
from support.corpus import PLAIN, get
from support.server import many

pytestmark = pytest.mark.parametrize("mode", ["fiber"])
STACK_KB = 320  # a size that no other mapping has
CONNECTIONS = 50


def pages_of_stacks(server):
    """Pages in memory, of each mapping as large as a stack."""
    with open(f"/proc/{server.pid}/smaps") as file:
        text = file.read()
    found = re.findall(rf"^Size: +{STACK_KB} kB\n(?:(?!Rss).*\n)*Rss: +(\d+) kB", text, re.MULTILINE)
    return [int(kilobytes) // 4 for kilobytes in found]


@pytest.mark.parametrize("waiting", [False, True], ids=["idle", "waiting"])
def test_a_stack_gives_its_pages_back(start, waiting, mode):
    """All below the place where the fiber waits."""
    server = start("--stack-size", f"{STACK_KB}k", "--loops", "1", mode=mode)
    with many(server, CONNECTIONS) as wires:
        for wire in wires:
            wire.ask(PLAIN)
        at_least(len(pages_of_stacks(server)), CONNECTIONS, "stacks")
        if waiting:
            for wire in wires:
                wire.send(get(b"/delay/5s"))
        until(lambda: sum(pages <= 2 for pages in pages_of_stacks(server)) >= CONNECTIONS,
              "each stack has at most two pages in memory", 3)
