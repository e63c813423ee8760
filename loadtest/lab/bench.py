# SPDX-License-Identifier: MIT
"""The bench: user instructions and CPU per request, memory per idle connection, each beside the ceiling of its model."""

import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from . import callgrind, ceilings, command, cpus, idle, machine, modes, output, plan, table, workloads, wrk
from .errors import CellFailed, LabError
from .measure import Subject, Timing, measure
from .progress import Progress
from .server import Server
from .stats import Sample

FORMAT, VERSION = "echod-bench", 1
OUTPUT = command.ROOT / "build" / "bench"
CEILINGS = command.ROOT / "build" / "ceilings"
PLAINTEXT = next(workload for workload in workloads.WORKLOADS if workload.name == "plaintext")
_FEWEST_IDLE = 500


@dataclass(frozen=True)
class Effort:
    few: int  # requests of the shorter and the longer run under callgrind
    many: int
    idle: int  # connections
    rounds: int
    seconds: float
    connections: int = 64


NORMAL = Effort(few=2000, many=6000, idle=5000, rounds=5, seconds=1.5)
QUICK = Effort(few=1000, many=2000, idle=1000, rounds=3, seconds=0.6)


@dataclass
class Entry:
    """A server on the bench and what was found."""

    subject: Subject
    mode: modes.Mode | None  # None for a ceiling
    ceiling: str
    instructions: float | None = None
    idle_bytes: float | None = None
    cpu: Sample | None = None
    user: Sample | None = None
    disturbed: bool = False

    def as_dict(self):
        return {
            "name": self.subject.name,
            "ceiling": self.ceiling,
            "is_ceiling": self.mode is None,
            "instructions_per_request": self.instructions,
            "instructions_target": self.mode.instructions or None if self.mode else None,
            "idle_bytes_per_connection": self.idle_bytes,
            "idle_bytes_target": self.mode.idle_bytes or None if self.mode else None,
            "cpu_us_per_request": self.cpu.as_dict() if self.cpu else None,
            "user_us_per_request": self.user.as_dict() if self.user else None,
            "disturbed": self.disturbed,
        }


def parse(argv):
    parser = command.Parser(prog="bench", description="What a request and an idle connection cost in each mode, beside "
                            "servers of the same model that do not parse.")
    parser.add_argument("--quick", action="store_true", help="fewer requests, connections and rounds")
    parser.add_argument("--modes", metavar="A,B", help="modes to measure [all that the server offers]")
    parser.add_argument("--server", metavar="PATH", type=Path, default=command.SERVER,
                        help="the server to measure [build/release/echod]")
    parser.add_argument("--output", metavar="DIR", type=Path, default=OUTPUT, help="where results.json goes [build/bench]")
    parser.add_argument("--profiles", action="store_true", help="keep the callgrind profiles there too, in profiles/")
    return parser.parse_args(argv)


def _answer_length(subject):
    with Server.command(subject.argv, subject.name) as server:
        server.wait_ready()
        length = PLAINTEXT.check(server)
        server.stop()
    return length


def _entries(server, chosen):
    """The modes, and once each the ceilings they need, with answers as long as theirs."""
    entries = [Entry(Subject(mode.name, (str(server), "--mode", mode.name, "--listen", "127.0.0.1:0"), mode.holds_idle),
                     mode, mode.ceiling)
               for mode in chosen]
    length = _answer_length(entries[0].subject)
    for name in dict.fromkeys(mode.ceiling for mode in chosen):
        program = ceilings.build(name, CEILINGS)
        entries.append(Entry(Subject(f"ceiling: {name}", (str(program), str(length))), None, name))
        if _answer_length(entries[-1].subject) != length:
            raise LabError(f"the ceiling {name} does not answer with {length} bytes")
    return entries


def _count_instructions(entries, effort, keep_in, progress):
    for entry in entries:
        progress.show(f"{entry.subject.name}: instructions per request")
        name = entry.subject.name.replace("ceiling: ", "ceiling-")
        keep = keep_in / "profiles" / name if keep_in else None
        entry.instructions = callgrind.instructions_per_request(entry.subject, PLAINTEXT.path, effort.few, effort.many, keep)
        progress.step()


def _measure_idle(entries, connections, progress):
    for entry in entries:
        progress.step()
        if entry.mode and not entry.mode.holds_idle:
            continue
        progress.show(f"{entry.subject.name}: memory of {connections} idle connections")
        with Server.command(entry.subject.argv, entry.subject.name) as server:
            server.wait_ready()
            entry.idle_bytes = idle.bytes_per_connection(server, PLAINTEXT.path, connections)
            server.stop()


def _measure_cpu(entries, effort, pinning, progress):
    """CPU per request in interleaved rounds."""
    timing = Timing(plan.warmup_for(effort.seconds), effort.seconds)
    by_name = {entry.subject.name: entry for entry in entries}
    found = {name: [] for name in by_name}
    subjects = [entry.subject for entry in entries]
    for cell in plan.cells(effort.rounds, [PLAINTEXT], [effort.connections], subjects):
        progress.show(f"round {cell.round}: {cell.subject.name}: CPU per request")
        try:
            found[cell.subject.name].append(measure(cell.subject, PLAINTEXT, cell.connections, timing, pinning))
        except CellFailed as failure:
            raise LabError(f"{cell.subject.name}: {failure}") from None
        progress.step()
    for name, cells in found.items():
        by_name[name].disturbed = sum(cell["disturbed"] for cell in cells) * 2 > len(cells)
        by_name[name].cpu = Sample(tuple(cell["cpu_us_per_request"] for cell in cells))
        by_name[name].user = Sample(tuple(cell["cpu_us_per_request"] * cell["cpu_user_share"] for cell in cells))


def _against(value, target):
    if value is None:
        return "-"
    if not target:
        return f"{value:,.0f}"
    return f"{value:,.0f} {'<=' if value <= target else '> !'} {target:,}"


def _ratio(sample, ceiling, pick):
    return f"{pick(sample) / pick(ceiling):.2f}" if sample and ceiling else "-"


HEADINGS = ["server", "instructions/request", "bytes/idle connection", "CPU/request: median", "best", "user part",
            "to its ceiling: median", "best"]


def rows(entries):
    """The table's cells: the modes with their targets, then the ceilings."""
    by_ceiling = {entry.ceiling: entry.cpu for entry in entries if entry.mode is None}
    cells = []
    for entry in entries:
        cpu, ceiling = entry.cpu, by_ceiling.get(entry.ceiling)
        cells.append([
            entry.subject.name,
            _against(entry.instructions, entry.mode.instructions if entry.mode else 0),
            _against(entry.idle_bytes, entry.mode.idle_bytes if entry.mode else 0),
            table.with_spread(f"{table.significant(cpu.median)} µs", cpu),
            f"{table.significant(cpu.low)} µs",
            f"{table.significant(entry.user.median, 2)} µs",
            _ratio(cpu, ceiling, lambda sample: sample.median),
            _ratio(cpu, ceiling, lambda sample: sample.low),
        ])
    return cells


def missed(entries):
    """A line for each target that was not reached."""
    lines = []
    for entry in entries:
        if not entry.mode:
            continue
        for what, value, target in (("instructions per request", entry.instructions, entry.mode.instructions),
                                    ("bytes per idle connection", entry.idle_bytes, entry.mode.idle_bytes)):
            if target and value is not None and value > target:
                lines.append(f"{entry.subject.name}: {value:,.0f} {what}, the target is {target:,}")
    return lines


def main(argv):
    options = parse(argv)
    effort = QUICK if options.quick else NORMAL
    wrk.find()
    callgrind.find_tools()
    descriptors = machine.raise_descriptor_limit(_FEWEST_IDLE)
    connections = min(effort.idle, descriptors - 500) if descriptors > 0 else effort.idle
    server = command.server_path(options.server)
    output.prepare(options.output)
    described = machine.describe(command.ROOT, server)
    began, started = time.monotonic(), datetime.now(timezone.utc).isoformat(timespec="seconds")
    entries = _entries(server, modes.choose(server, options.modes))
    pinning = cpus.pinning()
    progress = Progress(len(entries) * (2 + effort.rounds), effort.seconds + 1)
    try:
        _count_instructions(entries, effort, options.output if options.profiles else None, progress)
        _measure_idle(entries, connections, progress)
        cpus.stay_off(pinning)
        _measure_cpu(entries, effort, pinning, progress)
    finally:
        progress.close()
    print(f"{machine.summary(described)}\n{pinning.note}; GET /plaintext; CPU at {effort.connections} connections, "
          f"{effort.rounds} interleaved rounds of {effort.seconds:g} s; {connections:,} idle connections\n")
    print(table.plain(HEADINGS, rows(entries)))
    for line in missed(entries):
        print(f"target missed: {line}")
    if any(entry.disturbed for entry in entries):
        print("other programs used the CPUs in most rounds: measure CPU/request again on a quiet machine")
    results = {"format": FORMAT, "version": VERSION, "started": started, "took_s": time.monotonic() - began,
               "machine": described, "pinning": pinning.as_dict(), "parameters": {**vars(effort), "idle": connections},
               "servers": [entry.as_dict() for entry in entries], "missed": missed(entries)}
    output.write_json(options.output / "results.json", results)
    print(f"\n{command.shown(options.output / 'results.json')}")
    return 0
