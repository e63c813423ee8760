# SPDX-License-Identifier: MIT
"""The comparison: every mode under every workload, in interleaved rounds, then the table and the files."""

import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from . import command, cpus, machine, modes, output, plan, summary, workload_report, workloads, wrk
from .errors import CellFailed, LabError
from .interrupts import Interrupted, shield
from .measure import Subject, measure
from .progress import Progress

FORMAT, VERSION = "echod-compare", 1
OUTPUT = command.ROOT / "build" / "compare"


def parse(argv):
    parser = command.Parser(prog="compare", description="Load the same server in each of its modes and compare what it costs.")
    parser.add_argument("--modes", metavar="A,B", help="modes to measure [all that the server offers]")
    parser.add_argument("--rounds", metavar="N", type=command.whole(1, 100), default=3, help="rounds over all modes [3]")
    parser.add_argument("--seconds", metavar="S", type=command.seconds,
                        help="length of a measurement [what keeps the whole under 2 minutes, at most 2]")
    parser.add_argument("--connections", metavar="N,N", type=command.connection_counts, default=[1, 64, 512],
                        help="numbers of connections [1,64,512]")
    parser.add_argument("--only", metavar="WORKLOAD",
                        help=f"some of the workloads {','.join(w.name for w in workloads.WORKLOADS)} [all]")
    parser.add_argument("--server", metavar="PATH", type=Path, default=command.SERVER,
                        help="the server to measure [build/release/echod]")
    parser.add_argument("--output", metavar="DIR", type=Path, default=OUTPUT,
                        help="where results.json and report.md go [build/compare]")
    return parser.parse_args(argv)


class Comparison:
    """What is to be measured, what has been measured, and how it ended."""

    def __init__(self, options, argv):
        wrk.find()
        machine.raise_descriptor_limit(max(options.connections))
        server = command.server_path(options.server)
        output.prepare(options.output)
        self.output = options.output
        self.workloads = workloads.choose(options.only)
        described = machine.describe(command.ROOT, server)
        self.pinning = cpus.pinning()
        cpus.stay_off(self.pinning)
        subjects = [Subject(mode.name, (str(server), "--mode", mode.name, "--listen", "127.0.0.1:0"),
                            mode.holds_idle)
                    for mode in modes.choose(server, options.modes)]
        self.cells = plan.cells(options.rounds, self.workloads, options.connections, subjects)
        self.seconds = options.seconds
        self.timing = plan.timing(len(self.cells), self.seconds)
        self.began = time.monotonic()
        self.results = {
            "format": FORMAT,
            "version": VERSION,
            "complete": False,
            "ended": "it was ended by force",
            "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "took_s": 0.0,
            "machine": described,
            "pinning": self.pinning.as_dict(),
            "parameters": {
                "arguments": argv,
                "server": str(server),
                "modes": [subject.name for subject in subjects],
                "workloads": [workload.name for workload in self.workloads],
                "connections": options.connections,
                "rounds": options.rounds,
                "seconds": self.timing.seconds,
                "planned": len(self.cells),
            },
            "measurements": [],
            "summary": [],
            "readings": {},
        }

    def _measure(self, cell):
        entry = {"workload": cell.workload.name, "connections": cell.connections, "mode": cell.subject.name,
                 "round": cell.round, "failure": None}
        try:
            entry.update(measure(cell.subject, cell.workload, cell.connections, self.timing, self.pinning))
        except CellFailed as failure:
            entry["failure"] = str(failure)
        self.results["measurements"].append(entry)
        return entry

    def _adapt(self, cells_left, spent):
        """At the start of a round: as long as what is left of the budget allows, where no length was asked for."""
        self.timing = plan.timing(cells_left, self.seconds, plan.BUDGET - spent)

    def run(self):
        """All measurements. What there is, is kept whatever ends it. What failed once has no figure and is not repeated."""
        progress = Progress(len(self.cells), self.timing.warmup + self.timing.seconds + plan.OVERHEAD)
        results, failed, began, current = self.results, set(), time.monotonic(), 1
        try:
            for number, cell in enumerate(self.cells):
                if cell.round != current:
                    current = cell.round
                    self._adapt(len(self.cells) - number, time.monotonic() - began)
                what = f"{cell.subject.name}, {cell.workload.name}, {command.connections(cell.connections)}"
                if what not in failed:
                    progress.show(f"round {cell.round}: {what}")
                    entry = self._measure(cell)
                    if entry["failure"]:
                        failed.add(what)
                        progress.note(f"compare: {what}: no figure: {entry['failure']}")
                progress.step()
            results["complete"], results["ended"] = True, "all were made"
        except LabError as error:
            results["ended"] = str(error)
            raise
        except Interrupted as signal:
            results["ended"] = f"stopped by {signal}"
            raise
        finally:
            with shield():
                progress.close()
                self._finish()

    def _commands(self):
        mode, connections = self.results["parameters"]["modes"][0], max(self.results["parameters"]["connections"])
        start = f"taskset -c {cpus.show(self.pinning.server)} build/release/echod --mode {mode} &"
        return {workload.name: [start, wrk.command_line(workload, connections, self.timing.seconds, self.pinning.client)]
                for workload in self.workloads}

    def _finish(self):
        """Writes the files and prints the table; says where the files are."""
        results = self.results
        results["took_s"] = time.monotonic() - self.began
        if not results["measurements"]:
            return
        rows = summary.rows(results["measurements"])
        results["summary"] = [row.as_dict() for row in rows]
        results["readings"] = {name: workload_report.sentence(group)
                               for name, group in workload_report.by_workload(rows).items()}
        titles = {workload.name: workload.title for workload in self.workloads}
        print(workload_report.terminal(results, rows, titles), flush=True)
        output.write_json(self.output / "results.json", results)
        output.write(self.output / "report.md", workload_report.markdown(results, rows, titles, self._commands()))
        print(f"\n{command.shown(self.output / 'report.md')}, {command.shown(self.output / 'results.json')}", flush=True)

    @property
    def failed(self):
        return any(entry["failure"] for entry in self.results["measurements"])


def main(argv):
    options = parse(argv)
    comparison = Comparison(options, argv)
    comparison.run()
    if comparison.failed:
        print("compare: some measurements gave no figure", file=sys.stderr)
        return command.FAILED
    return 0
