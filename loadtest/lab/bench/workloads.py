# SPDX-License-Identifier: MIT
"""What the bench asks of the servers: one table."""

from dataclasses import dataclass

from ..load import workloads
from ..text.errors import UsageError

KIB, MIB = 1 << 10, 1 << 20


@dataclass(frozen=True)
class Workload(workloads.Workload):
    connections: int = 64
    usual: str = "full"  # who meets it in a run that is not --full: "all", "own" (no peers), "full" (nobody)
    h2load: tuple | None = None  # its flags under callgrind and strace, where it can make these requests

    @property
    def options(self):
        return [*super().options, *(["path=" + self.path] if self.scenario == "browser" else [])]

    @property
    def ceiling(self):
        """What a ceiling is told behind the answer's length."""
        return ("echo", str(self.size)) if self.size else ("close",) if self.close else ()

    @property
    def echoes(self):
        return self.size > 0


BROWSER = (
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en-US;q=0.9,en;q=0.8",
    "Cache-Control: no-cache",
    "Pragma: no-cache",
    'Sec-CH-UA: "Chromium";v="124", "Not-A.Brand";v="99"',
    "Sec-CH-UA-Mobile: ?0",
    "Sec-Fetch-Dest: document",
    "Sec-Fetch-Mode: navigate",
    "Referer: http://localhost/some/page/with/a/path?and=a&query=string",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Safari/537.36",
)


def _h2load_headers():
    return tuple(word for line in BROWSER for word in ("-H", line))


WORKLOADS = (
    Workload("plaintext", "GET /plaintext", "GET", "/plaintext", usual="all", h2load=()),
    Workload("plaintext-1024", "GET /plaintext, 1,024 connections", "GET", "/plaintext", scenario="plaintext",
             connections=1024, usual="own"),
    Workload("pipelined", "GET /plaintext, 16 at once", "GET", "/plaintext", depth=16, scenario="pipeline", usual="all",
             h2load=("-m16",)),
    Workload("browser", "GET /plaintext with a browser's fields", "GET", "/plaintext", scenario="browser",
             h2load=_h2load_headers()),
    Workload("echo-1k", "POST /echo, 1 KiB", "POST", "/echo", size=KIB, scenario="echo"),
    Workload("echo-64k", "POST /echo, 64 KiB", "POST", "/echo", size=64 * KIB, scenario="echo", usual="own"),
    Workload("echo-1m", "POST /echo, 1 MiB, 8 connections", "POST", "/echo", size=MIB, scenario="echo", connections=8),
    Workload("churn", "GET /plaintext, a connection for each", "GET", "/plaintext", scenario="get", close=True),
)
BY_NAME = {workload.name: workload for workload in WORKLOADS}
PLAINTEXT = BY_NAME["plaintext"]


def choose(asked, full):
    """The workloads named (commas between), or those of the run."""
    if not asked:
        return [workload for workload in WORKLOADS if full or workload.usual != "full"]
    names = [name.strip() for name in asked.split(",") if name.strip()]
    for name in names:
        if name not in BY_NAME:
            raise UsageError(f"--only: {name!r} is none of {', '.join(BY_NAME)}")
    return [workload for workload in WORKLOADS if workload.name in names]
