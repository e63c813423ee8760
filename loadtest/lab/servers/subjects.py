# SPDX-License-Identifier: MIT
"""What is measured: a mode of the server, a ceiling, any other server beside ours, or one that runs elsewhere."""

import re
import shlex
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ..text.errors import UsageError
from . import ceilings
from .server import Foreign, Remote, Server

TWIN = "-twin"  # behind the name of a mode that is measured for a second time
KEEP_OPEN = ("--idle-timeout", "10m")  # where opening all connections may take longer than a mode lets one be idle
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")


@dataclass(frozen=True)
class Subject:
    """A server to measure: its name in messages and results, and its command."""

    name: str
    argv: tuple
    holds_idle: bool = True  # if not, it may close connections on which no request comes: they cannot be opened beforehand
    kind: str = "mode"  # mode, twin, program, ceiling, also, target
    ceiling: str | None = None  # the subject it is held against
    mode: str | None = None
    url: str | None = None  # of a target

    def at(self, x):
        """The same at a point of the axis, which stands where its flags say {x}."""
        if not any("{x}" in str(word) for word in self.argv):
            return self
        return replace(self, argv=tuple(str(word).replace("{x}", str(x)) for word in self.argv))

    def start(self, cpus=None, extra=(), before=(), env=None):
        """A server that is starting: use as a context, wait_ready() next. `extra`: more flags for a mode; `before`: the
        words of a program that runs it; `env`: variables besides this process's."""
        if self.kind == "target":
            return Remote(self.url, self.name)
        if self.kind == "also":
            return Foreign.on_free_port((*before, *self.argv), self.name, cpus)
        return Server.command((*before, *self.argv, *(extra if self.kind in ("mode", "twin") else ())), self.name, cpus, env)


def of_modes(experiment, chosen, server, effort="full"):
    """The modes that an experiment is about with an effort, with its flags, and its variants of them. `chosen`: the run's modes."""
    found = []
    measured = experiment.efforts[effort].modes
    by_name = {mode.name: mode for mode in chosen if not measured or mode.name in measured}
    wanted = [(mode.name, mode.name, experiment.flags.get(mode.name, ()))
              for mode in by_name.values() if not experiment.modes or mode.name in experiment.modes]
    wanted += [(variant.name, variant.mode, variant.flags) for variant in experiment.variants
               if variant.mode in by_name and (not measured or variant.name in measured)]
    wanted += [(name + TWIN, mode, flags) for name, mode, flags in wanted if name == experiment.twin]
    for name, mode_name, flags in wanted:
        mode = by_name[mode_name]
        argv = (str(server), "--mode", mode.name, "--listen", "127.0.0.1:0", "-v", *flags)
        kind = "twin" if name.endswith(TWIN) else "mode"
        found.append(Subject(name, argv, mode.holds_idle, kind, f"ceiling-{mode.ceiling}", mode.name))
    return found


def of_programs(experiment):
    """The programs that an experiment runs instead of servers; their arguments mean something to its method."""
    return [Subject(program.name, program.arguments, kind="program") for program in experiment.programs]


def of_ceilings(subjects, folder, arguments):
    """The ceilings that some subjects are held against, each once. `arguments`: how long their answers are, and of what kind."""
    names = dict.fromkeys(subject.ceiling for subject in subjects if subject.ceiling)
    return [Subject(name, (str(ceilings.build(name.removeprefix("ceiling-"), folder)), *arguments), kind="ceiling")
            for name in names]


def parse_also(texts, taken):
    """The servers of --also NAME=COMMAND."""
    found = []
    for text in texts:
        name, equals, command = text.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise UsageError(f"--also: {text!r} is not NAME=COMMAND")
        if name in taken or name == "target" or name.startswith("ceiling-") or name in [other.name for other in found]:
            raise UsageError(f"--also: the name {name!r} is taken")
        if "{port}" not in command:
            raise UsageError(f"--also: the command of {name} has no {{port}}")
        try:
            argv = tuple(shlex.split(command))
        except ValueError as error:
            raise UsageError(f"--also: the command of {name}: {error}") from None
        found.append(Subject(name, argv, holds_idle=False, kind="also"))
    return found


def parse_target(url):
    """The server of --target URL."""
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
        (parts.hostname or "").encode("idna")  # a name that cannot be looked up is a ValueError
    except ValueError:
        port = 0
    if (not port or parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query or
            parts.fragment or "@" in parts.netloc or not url.isascii() or not url.isprintable() or " " in url):
        raise UsageError(f"--target: {url!r} is no URL such as http://192.0.2.7:8080")
    return Subject("target", (), holds_idle=False, kind="target", url=f"http://{parts.netloc}")
