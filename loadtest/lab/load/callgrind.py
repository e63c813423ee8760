# SPDX-License-Identifier: MIT
"""User instructions per request: two runs under callgrind with different numbers of requests, and the slope between them.

The slope leaves out start-up, connections and the end. However busy the machine is, counts vary little between runs, and with one connection hardly at all.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path

from ..machine.process import Child, quoted
from ..text.errors import LabError

_CONNECTIONS = 8
_CONNECTIONS_FOR_LINES, _REQUESTS_FOR_LINES = 64, 640
_PATIENCE = 60
# callgrind counts every byte of a `rep stosb` or `rep movsb` as an instruction: keep glibc from using them.
_TUNABLES = "glibc.cpu.x86_rep_stosb_threshold=1073741824:glibc.cpu.x86_rep_movsb_threshold=1073741824"


def find_tools():
    for tool, package in (("valgrind", "valgrind"), ("h2load", "nghttp2-client")):
        if not shutil.which(tool):
            raise LabError(f"{tool} is missing: install it (Debian: apt-get install {package})")


def parse_total(text):
    """The instructions in a profile: its `summary:` line."""
    found = re.search(r"^summary: (\d+)", text, re.MULTILINE)
    if not found:
        raise LabError("callgrind left a profile without a summary: it was ended while it wrote")
    return int(found[1])


def check_load(output, requests):
    """LabError unless h2load says that all requests were answered with 2xx."""
    succeeded = re.search(r"(\d+) succeeded, (\d+) failed, (\d+) errored", output)
    codes = re.search(r"status codes: (\d+) 2xx", output)
    if not succeeded or not codes:
        raise LabError(f"h2load printed no counts, but {quoted(output)}")
    if int(succeeded[1]) != requests or int(codes[1]) != requests:
        raise LabError(f"h2load: not all of {requests} requests were answered with 2xx, but {codes[1]}: {succeeded[0]}")


def load(server, path, requests, connections=_CONNECTIONS, flags=()):
    """So many requests; LabError unless all are answered with 2xx."""
    argv = ["h2load", "--h1", f"-c{connections}", f"-n{requests}", *flags, f"{server.url}{path}"]
    with Child(argv) as client:
        if not client.ended(_PATIENCE):
            server.check_alive()
            raise LabError(f"h2load did not end within {_PATIENCE} s")
        if client.reap() != 0:
            raise LabError(f"h2load {client.end_in_words()}")
        check_load(client.read_output(), requests)


def _total(subject, path, requests, folder, connections, flags):
    """The instructions of a server's whole life. Each of its processes leaves a profile in the folder."""
    valgrind = ["valgrind", "--tool=callgrind", "--quiet", f"--callgrind-out-file={folder}/callgrind.%p"]
    tunables = ":".join(filter(None, [os.environ.get("GLIBC_TUNABLES"), _TUNABLES]))
    with subject.start(before=valgrind, env={"GLIBC_TUNABLES": tunables}) as server:
        server.wait_ready(timeout=_PATIENCE)
        load(server, path, requests, connections, flags)
        server.stop(patience=_PATIENCE)
    profiles = list(folder.iterdir())
    return sum(parse_total(profile.read_text(encoding="utf-8", errors="replace")) for profile in profiles)


def parse_lines(text):
    """Instructions by (file, line) in a profile that names files and lines whole, and as far as the program has them."""
    found, file, of_call = {}, None, False
    for line in text.splitlines():
        if line[:3] in ("fl=", "fi=", "fe="):
            file = line[3:]
        elif line.startswith("calls="):
            of_call = True  # what is called costs that much, and is counted where it stands
        elif line[:1].isdigit() and file:
            number, cost = line.split()[:2]
            found[file, int(number)] = found.get((file, int(number)), 0) + (0 if of_call else int(cost))
            of_call = False
    return found


def _profile(subject, path, requests, folder):
    """Instructions by file and line of a server's whole life, with so many requests in it."""
    valgrind = ["valgrind", "--tool=callgrind", "--quiet", "--compress-strings=no", "--compress-pos=no",
                f"--callgrind-out-file={folder}/callgrind.%p"]
    with subject.start(before=valgrind) as server:
        server.wait_ready(timeout=_PATIENCE)
        if requests:
            load(server, path, requests, _CONNECTIONS_FOR_LINES)
        server.stop(patience=_PATIENCE)
    total = {}
    for profile in folder.iterdir():
        for place, cost in parse_lines(profile.read_text(encoding="utf-8", errors="replace")).items():
            total[place] = total.get(place, 0) + cost
    return total


def lines_run(subject, path):
    """The (file, line) pairs of a program with line numbers that each connection with its requests executes: the lines that cost at
    least one instruction per connection more than in a run without connections."""
    with tempfile.TemporaryDirectory(prefix="echod-lab-") as temporary:
        found = []
        for requests in (0, _REQUESTS_FOR_LINES):
            folder = Path(temporary) / str(requests)
            folder.mkdir()
            found.append(_profile(subject, path, requests, folder))
    idle, loaded = found
    return {place for place, cost in loaded.items() if cost - idle.get(place, 0) >= _CONNECTIONS_FOR_LINES}


def instructions_per_request(subject, path, few, many, *, keep=None, connections=_CONNECTIONS, flags=()):
    """The slope. `keep`: the folder to which the profiles of the longer run are copied, for callgrind_annotate; `connections`: with one,
    the counts of a build are the same within a thousandth; with several, as many as 2 % apart, as a loop serves one or more requests in a turn;
    `flags`: those of h2load that make another request of it."""
    with tempfile.TemporaryDirectory(prefix="echod-lab-") as temporary:
        totals = []
        for requests in (few, many):
            folder = Path(temporary) / str(requests)
            folder.mkdir()
            totals.append(_total(subject, path, requests, folder, connections, flags))
        if keep:
            shutil.copytree(folder, keep, dirs_exist_ok=True)
    return (totals[1] - totals[0]) / (many - few)
