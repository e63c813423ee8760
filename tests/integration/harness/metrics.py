# SPDX-License-Identifier: MIT
"""What the server counts."""

import re

from .corpus import get


def metrics(server):
    """Values of /metrics by name, with the labels but for the mode."""
    found = {}
    for line in server.ask(get(b"/metrics")).body.decode().splitlines():
        if not line.startswith("#"):
            name, value = line.rsplit(" ", 1)
            found[re.sub(r'mode="\w+",?', "", name).replace("{}", "")] = float(value)
    return found
