# SPDX-License-Identifier: MIT
"""The one table of modes, and the question which of them a binary offers."""

import re
import subprocess
from dataclasses import dataclass

from ..text import streams
from ..text.errors import CannotStart, LabError, UsageError
from .server import Server


@dataclass(frozen=True)
class Mode:
    name: str
    ceiling: str  # the parse-less server of the same model
    holds_idle: bool = True  # whether any number of connections may stay open idle
    may_be_forbidden: bool = False  # whether there are systems that do not let it start
    counted: bool = True  # whether callgrind can run it: in Valgrind 3.19 no thread runs while one waits in io_uring_enter


MODES = (
    Mode("thread", ceiling="threads"),
    Mode("event", ceiling="epoll"),
    Mode("hybrid", ceiling="epoll"),
    Mode("pool", ceiling="threads", holds_idle=False),
    Mode("process", ceiling="processes"),
    Mode("fiber", ceiling="fibers"),
    Mode("uring", ceiling="uring", may_be_forbidden=True, counted=False),
)

_MODEL = re.compile(r"^    ([a-z]+) +(\S.*)$", re.MULTILINE)  # a line of --help
_REFUSED = 2  # exit status for a value that --mode does not know


def is_counted(name):
    """Whether callgrind can run the mode or the ceiling of that name."""
    return all(mode.counted for mode in MODES if mode.name == name)


def _offers(binary, mode):
    with Server.command([binary, "--mode", mode.name, "--listen", "127.0.0.1:0"], name=mode.name) as server:
        if server.wait_ready(refused=_REFUSED) is None:
            return False
        server.stop()
        return True


def _starts(binary, mode):
    """Whether the binary offers a mode that nobody asked for by name, and the system lets it start."""
    try:
        return _offers(binary, mode)
    except CannotStart as error:
        if not mode.may_be_forbidden:
            raise
        streams.note(f"{error}; the mode is left out")
        return False


def models(binary):
    """What a binary says of each of its modes, by name."""
    done = subprocess.run([binary, "--help"], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return {name: text for name, text in _MODEL.findall(done.stdout) if any(mode.name == name for mode in MODES)}


def choose(binary, asked=None):
    """The modes to measure: those asked for (names with commas between), or all that the binary offers and the system lets start."""
    known = {mode.name: mode for mode in MODES}
    names = [name.strip() for name in asked.split(",") if name.strip()] if asked else list(known)
    for name in names:
        if name not in known:
            raise UsageError(f"--modes: {name!r} is none of {', '.join(known)}")
    if not names:
        raise UsageError("--modes: no mode given")
    chosen = []
    for mode in dict.fromkeys(known[name] for name in names):
        if _offers(binary, mode) if asked else _starts(binary, mode):
            chosen.append(mode)
        elif asked:
            raise UsageError(f"--modes: {binary} does not offer --mode {mode.name}")
    if not chosen:
        raise LabError(f"{binary} offers none of the modes {', '.join(known)}")
    return chosen
