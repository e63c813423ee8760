# SPDX-License-Identifier: MIT
"""The bench, from its command line to its results."""

import shlex
import time
from datetime import datetime, timezone

from ..load import callgrind, wrk
from ..machine import command, system
from ..results import output
from ..servers import modes, peers
from ..text import streams
from ..text.errors import UsageError
from ..text.progress import Progress
from . import against, entries, targets, text, train, workloads
from .run import FIGURES, Bench

FORMAT, VERSION = "echod-bench", 2
OUTPUT = command.ROOT / "build" / "bench"


def parse(argv):
    parser = command.Parser(prog="bench", description="What a request, an idle connection and a start cost in each "
                            "mode, beside servers of the same model that do not parse and beside other servers.")
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help="plaintext only, fewer requests, connections and rounds")
    effort.add_argument("--full", action="store_true", help="every workload for every server, 7 rounds: half an hour")
    parser.add_argument("--only", metavar="A,B", help=f"workloads: {', '.join(workloads.BY_NAME)}")
    parser.add_argument("--figures", metavar="A,B", help=f"what to measure: {', '.join(FIGURES)} [all]")
    parser.add_argument("--modes", metavar="A,B", help="modes to measure [all that the server offers]")
    parser.add_argument("--peers", metavar="A,B", default="all", help=f"other servers: {', '.join(peers.BY_NAME)}, all "
                        "that are installed, or none [all]")
    parser.add_argument("--rounds", metavar="N", type=command.whole(1, 100), help="interleaved rounds of CPU/request")
    parser.add_argument("--against", metavar="FILE", type=command.path, help="results.json of an earlier run: say what changed")
    parser.add_argument("--server", metavar="PATH", type=command.path, default=command.SERVER,
                        help="the server to measure [build/release/echod]")
    parser.add_argument("--flags", metavar="WORDS", type=shlex.split, default=[], help="more flags for it in each mode, "
                        "for example '--loops 2'")
    parser.add_argument("--output", metavar="DIR", type=command.path, default=OUTPUT,
                        help="where results.json goes [build/bench]")
    parser.add_argument("--profiles", action="store_true", help="keep the callgrind profiles there too, in profiles/")
    parser.add_argument("--train", action="store_true", help="measure nothing: only run the workloads, for a build "
                        "that keeps a profile")
    options = parser.parse_args(argv)
    for flag, value in (("--only", options.only), ("--figures", options.figures), ("--modes", options.modes),
                        ("--peers", options.peers)):
        if value is not None and not value.strip(" ,"):
            raise UsageError(f"{flag}: nothing is named")  # an empty variable of a script, say: not all, then
    return options


def _report(bench, results):
    effort = bench.effort
    streams.say(f"{system.summary(results['machine'])}\n{bench.pinning.note}; {bench.rounds} interleaved rounds of "
                f"{effort.seconds:g} s; {bench.connections:,} idle connections\n")
    verdicts = targets.judge(bench.entries, bench.sizes)
    streams.say(text.render(bench.entries, bench.workloads, verdicts))
    for entry in bench.entries:
        for what, why in entry.failures.items():
            streams.say(f"{'failed once' if what in entry.timed else 'no figure'}: {entry.name}, {what}: {why}")
    if bench.absent:
        streams.say(f"not installed: {', '.join(bench.absent)}")
    if any(timed.disturbed for entry in bench.entries for timed in entry.timed.values()):
        streams.say("other programs, or the host, used the CPUs in most rounds of a figure: measure CPU/request again on a quiet machine")


def _results(bench, described, started, began):
    verdicts = targets.judge(bench.entries, bench.sizes)
    return {"format": FORMAT, "version": VERSION, "started": started, "took_s": time.monotonic() - began,
            "complete": bench.ended is None, "ended": f"stopped by {bench.ended}" if bench.ended else "all was measured",
            "machine": described, "pinning": bench.pinning.as_dict(),
            "parameters": {**vars(bench.effort), "rounds": bench.rounds, "idle": bench.connections,
                           "workloads": [workload.name for workload in bench.workloads], "figures": bench.figures,
                           "flags": bench.options.flags},
            "servers": [entry.as_dict() for entry in bench.entries], "sizes": bench.sizes, "absent": bench.absent,
            "targets": [verdict.as_dict() for verdict in verdicts]}


def _train(options):
    server = command.server_path(options.server)
    trained = [entries.of_mode(mode, server, options.flags) for mode in modes.choose(server, options.modes)]
    chosen = workloads.choose(options.only, True)
    progress = Progress(len(trained) * len(chosen), 0.6)
    try:
        train.train(trained, chosen, progress)
    finally:
        progress.close()


def main(argv):
    options = parse(argv)
    wrk.find()
    if options.train:
        _train(options)
        return 0
    callgrind.find_tools()
    output.prepare(options.output)
    earlier = against.load(options.against, FORMAT, VERSION) if options.against else None
    began, started = time.monotonic(), datetime.now(timezone.utc).isoformat(timespec="seconds")
    bench = Bench(options)
    described = system.describe(command.ROOT, bench.server)
    bench.run()
    results = _results(bench, described, started, began)
    path = options.output / "results.json"
    output.write_json(path, results)
    _report(bench, results)
    if earlier:
        streams.say(f"\n{against.render(earlier, results)}")
    streams.say(f"\n{command.shown(path)}")
    if bench.ended:
        streams.note(f"bench: stopped by {bench.ended}")
        return 128 + bench.ended.number
    return command.FAILED if bench.faults() else 0
