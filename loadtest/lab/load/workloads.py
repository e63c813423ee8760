# SPDX-License-Identifier: MIT
"""What is asked of the servers: one table, a wrk script for each entry."""

from dataclasses import dataclass

from ..machine.command import ROOT
from ..text.errors import UsageError, WrongAnswer
from .http import ask

SCENARIOS = ROOT / "loadtest" / "scenarios"
HELLO = b"Hello, World!"


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    method: str
    path: str
    depth: int = 1  # requests sent at once on a connection
    size: int = 0  # bytes of the request's body
    scenario: str = ""  # the wrk script, where it is not called as the workload
    expect: str = ""  # the answer's body, where it is neither the greeting nor the request's own
    close: bool = False  # a connection for each request

    @property
    def script(self):
        return SCENARIOS / f"{self.scenario or self.name}.lua"

    @property
    def options(self):
        """What the script is told after the URL."""
        words = [f"size={self.size}"] if self.size else [f"depth={self.depth}"] if self.depth > 1 or self.scenario == "pipeline" else []
        if self.scenario == "get":
            words += [f"path={self.path}"]
        return words + ([f"expect={self.expect}"] if self.expect else []) + (["close=1"] if self.close else [])

    @property
    def ceiling(self):
        """What a ceiling is told behind the answer's length."""
        return ("echo", str(self.size)) if self.size else ("close",) if self.close else ()

    def check(self, server):
        """Asks once and compares; gives the answer's length on the wire, to which every later answer is held."""
        body = _pattern(self.size) if self.size else None
        headers = (["Content-Type: text/plain"] if body else []) + (["Connection: close"] if self.close else [])
        answer = ask(server.address, self.method, self.path, headers, body, host=server.host)
        if answer.status != 200:
            raise WrongAnswer(f"{server.name}: {self.method} {self.path} answered {answer.status}, not 200")
        if answer.body != (self.expect.encode() or HELLO if body is None else body):
            raise WrongAnswer(f"{server.name}: {self.method} {self.path} answered a wrong body of {len(answer.body)} bytes")
        return answer.length


def _pattern(size):
    """Letters in a fixed order."""
    return (bytes(97 + i % 26 for i in range(26)) * (size // 26 + 1))[:size]


WORKLOADS = (
    Workload("plaintext", "GET /plaintext", "GET", "/plaintext"),
    Workload("echo", "POST /echo, 1 KiB", "POST", "/echo", size=1024),
    Workload("pipeline", "GET /plaintext, 16 at once", "GET", "/plaintext", depth=16),
)


def choose(asked=None):
    """The workloads named (commas between), or all."""
    if not asked:
        return list(WORKLOADS)
    known = {workload.name: workload for workload in WORKLOADS}
    names = [name.strip() for name in asked.split(",") if name.strip()]
    for name in names:
        if name not in known:
            raise UsageError(f"--only: {name!r} is none of {', '.join(known)}")
    return [workload for workload in WORKLOADS if workload.name in names]
