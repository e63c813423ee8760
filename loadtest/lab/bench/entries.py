# SPDX-License-Identifier: MIT
"""Who is on the bench, and what was found of each."""

from dataclasses import dataclass, field

from ..results.stats import Sample
from ..servers import ceilings, modes, peers
from ..servers.modes import Mode
from ..servers.subjects import Subject
from ..text.errors import LabError


@dataclass
class Timed:
    """What the rounds of one workload said."""

    cpu: Sample  # microseconds of the server's CPU per request
    user: Sample
    system: Sample
    switches: Sample
    rate: Sample  # requests/s
    disturbed: bool

    @classmethod
    def of(cls, cells):
        """Of the rounds in which nobody else used the CPUs, no program and not the host, if that is half of them or more."""
        alone = [cell for cell in cells if not cell["disturbed"] and not cell["throttled"]]
        disturbed = len(cells) - len(alone)
        if disturbed * 2 <= len(cells):
            cells = alone

        def sample(value):
            return Sample(tuple(value(cell) for cell in cells))
        return cls(sample(lambda cell: cell["cpu_us_per_request"]),
                   sample(lambda cell: cell["cpu_us_per_request"] * cell["cpu_user_share"]),
                   sample(lambda cell: cell["cpu_us_per_request"] * (1 - cell["cpu_user_share"])),
                   sample(lambda cell: cell["switches_per_request"]),
                   sample(lambda cell: cell["requests_per_s"]),
                   disturbed * 2 > len(cells))

    def as_dict(self):
        return {"cpu_us_per_request": self.cpu.as_dict(), "user_us_per_request": self.user.as_dict(),
                "system_us_per_request": self.system.as_dict(), "switches_per_request": self.switches.as_dict(),
                "requests_per_s": self.rate.as_dict(), "disturbed": self.disturbed}


@dataclass(eq=False)
class Entry:
    """A server on the bench."""

    name: str
    kind: str  # mode, ceiling, peer
    ceiling: str  # the name of the one it is held against, or is
    start: object  # (workload or None) -> a subject for lab/load/measure.py
    holds_idle: bool = True
    echoes: bool = True
    counted: bool = True  # callgrind can run it
    timed: dict = field(default_factory=dict)  # Timed by the name of the workload
    instructions: dict = field(default_factory=dict)  # per request, by the name of the workload
    calls: dict = field(default_factory=dict)  # per request by name of the call, by the name of the workload
    failures: dict = field(default_factory=dict)  # why there is no figure, by what failed
    idle_bytes: float | None = None
    start_ms: Sample | None = None

    def meets(self, workload):
        return self.echoes or not workload.echoes

    def as_dict(self):
        return {"name": self.name, "kind": self.kind, "ceiling": self.ceiling,
                "workloads": {name: timed.as_dict() for name, timed in self.timed.items()},
                "instructions_per_request": self.instructions, "calls_per_request": self.calls,
                "idle_bytes_per_connection": self.idle_bytes,
                "start_ms": self.start_ms.as_dict() if self.start_ms else None, "failures": self.failures}


def of_mode(mode: Mode, server, flags):
    argv = (str(server), "--mode", mode.name, "--listen", "127.0.0.1:0", *flags)
    subject = Subject(mode.name, argv, mode.holds_idle)
    return Entry(mode.name, "mode", mode.ceiling, lambda workload: subject, mode.holds_idle, counted=mode.counted)


def of_ceiling(name, folder, lengths):
    """`lengths`: of the answers that the modes give, by the name of the workload."""
    program = ceilings.build(name, folder)

    def start(workload):
        argv = (str(program), str(lengths[workload.name]), *workload.ceiling)
        return Subject(f"ceiling: {name}", argv, kind="ceiling")
    return Entry(f"ceiling: {name}", "ceiling", name, start, counted=modes.is_counted(name))


def of_peer(installed: peers.Installed):
    peer = installed.peer
    ceiling = "threads" if peer.threads else "epoll"
    return Entry(peer.name, "peer", ceiling, lambda workload: installed, True, peer.echoes, peer.counted)


def answer_lengths(subject, workloads):
    """How long the answers are on the wire, by the name of the workload."""
    with subject.start() as server:
        server.wait_ready()
        lengths = {workload.name: workload.check(server) for workload in workloads}
        server.stop()
    return lengths


def check_ceiling(entry, workloads, lengths):
    """LabError unless it answers with as many bytes as the modes."""
    for workload in workloads:
        found = answer_lengths(entry.start(workload), [workload])[workload.name]
        if found != lengths[workload.name]:
            raise LabError(f"{entry.name}: {workload.name} is answered with {found} bytes, not "
                           f"{lengths[workload.name]}")
