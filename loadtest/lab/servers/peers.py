# SPDX-License-Identifier: MIT
"""Other servers beside ours, where they are installed: one table, a configuration or a program in peers/ for each."""

import os
import shlex
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from ..machine.command import ROOT
from ..text.errors import LabError, UsageError
from .server import Foreign

SOURCES = ROOT / "loadtest" / "peers"
_FLAGS = ["-std=gnu17", "-O2", "-D_GNU_SOURCE"]
_HELLO = b"Hello, World!"


@dataclass(frozen=True)
class Peer:
    """A server that one can install."""

    name: str
    program: str  # a command, or the C source in peers/
    source: str  # in peers/
    words: tuple = ()  # its command line behind the program; {config}, {port}
    libraries: tuple = ()  # of a C source
    echoes: bool = False
    threads: bool = False  # a thread for each connection
    counted: bool = True  # whether callgrind can run it


PEERS = (
    Peer("nginx", "nginx", "nginx.conf", ("-e", "stderr", "-c", "{config}")),
    Peer("haproxy", "haproxy", "haproxy.cfg", ("-f", "{config}")),
    Peer("h2o", "h2o", "h2o.yaml", ("-c", "{config}")),
    Peer("lighttpd", "lighttpd", "lighttpd.conf", ("-D", "-f", "{config}")),
    Peer("node", "node", "node.js", ("{config}", "{port}"), echoes=True, counted=False),
    Peer("evhttp", "evhttp.c", "evhttp.c", ("{port}",), ("-levent",), echoes=True),
    Peer("microhttpd", "microhttpd.c", "microhttpd.c", ("{port}",), ("-lmicrohttpd",), echoes=True),
    Peer("microhttpd-threads", "microhttpd.c", "microhttpd.c", ("{port}", "threads"), ("-lmicrohttpd",), echoes=True,
         threads=True),
)
BY_NAME = {peer.name: peer for peer in PEERS}


@dataclass(frozen=True)
class Installed:
    """A peer that can be started; a subject for lab/load/measure.py."""

    peer: Peer
    program: Path
    folder: Path  # for what it needs on disk
    holds_idle: bool = field(default=False)

    @property
    def name(self):
        return self.peer.name

    def start(self, cpus=None, before=(), env=None):
        """On a free port; use as a context, wait_ready() next."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        config = _configure(self.peer, port, self.folder)
        words = [word.format(config=config, port=port) for word in self.peer.words]
        server = Foreign.command([*before, self.program, *words], self.name, cpus, env)
        server.address = ("127.0.0.1", port)
        return server


def _configure(peer, port, folder):
    """Its file with port and folder put in; @AS_ROOT@ begins a line that counts for root only."""
    text = (SOURCES / peer.source).read_text(encoding="utf-8")
    values = {"@PORT@": str(port), "@FOLDER@": str(folder), "@AS_ROOT@": "" if os.geteuid() == 0 else "# "}
    for word, value in values.items():
        text = text.replace(word, value)
    config = folder / peer.source
    config.write_text(text, encoding="utf-8")
    return config


def _compile(peer, folder):
    """The program of a peer in C, or None where its library is not installed."""
    source, program = SOURCES / peer.source, folder / Path(peer.source).stem
    if program.exists() and program.stat().st_mtime > source.stat().st_mtime:
        return program
    command = [*shlex.split(os.environ.get("CC", "cc")), *_FLAGS, "-o", str(program), str(source), *peer.libraries]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return None
    return program if done.returncode == 0 else None


def _program(peer, folder):
    if peer.libraries:
        return _compile(peer, folder)
    return shutil.which(peer.program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")


def find(asked, folder):
    """(the installed ones, the names of the others) of those asked for: names with commas between, `all` or `none`."""
    fixed = {"all": list(BY_NAME), "none": []}
    names = fixed.get(asked, [name.strip() for name in asked.split(",") if name.strip()])
    for name in names:
        if name not in BY_NAME:
            raise UsageError(f"--peers: {name!r} is none of {', '.join(BY_NAME)}, all, none")
    folder = folder.resolve()
    try:
        (folder / "files").mkdir(parents=True, exist_ok=True)
        (folder / "files" / "plaintext").write_bytes(_HELLO)
    except OSError as error:
        raise LabError(f"cannot write to {folder}: {error.strerror}") from None
    found, absent = [], []
    for name in names:
        program = _program(BY_NAME[name], folder)
        if program is None:
            absent.append(name)
        else:
            found.append(Installed(BY_NAME[name], program, folder))
    return found, absent
