# SPDX-License-Identifier: MIT
"""Colours of a terminal, for streams that are one."""

import os

_CODES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


def wanted(stream, environment=None):
    """Whether to colour what goes to the stream: a terminal, and nobody said no (https://no-color.org)."""
    environment = os.environ if environment is None else environment
    return stream.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


class Paint:
    """paint(text, "bold") gives the text, in colour if that is on."""

    def __init__(self, on):
        self._on = on

    def __call__(self, text, *styles):
        codes = ";".join(_CODES[style] for style in styles)
        return f"\033[{codes}m{text}\033[0m" if self._on and codes and text else text
