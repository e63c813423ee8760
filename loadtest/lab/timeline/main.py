# SPDX-License-Identifier: MIT
"""The command, from its flags to its page."""

import argparse
import json
import os
from datetime import datetime, timezone

from ..machine import command, cpus, system
from ..report import picture
from ..results import output
from ..servers import modes
from ..text import streams
from ..text.errors import LabError, UsageError
from ..text.progress import Progress
from . import clients, findings, merged, pages, record, sched

OUTPUT = command.ROOT / "build" / "timeline"
_EACH = 3  # seconds that a mode takes, about
_SHORTEST = 5  # ms of a window


def window(text):
    """A type for a part of the script: `100-300`."""
    first, _, last = text.partition("-")
    try:
        start, end = float(first), float(last)
    except ValueError:
        start, end = 0, 0
    if not 0 <= start <= end - _SHORTEST <= clients.LENGTH - _SHORTEST:
        raise argparse.ArgumentTypeError(f"{text!r} is no part of 0-{clients.LENGTH} of at least {_SHORTEST} ms, such as 100-300")
    return start, end


def parse(argv):
    parser = command.Parser(prog="timeline", description="Draw what each request, thread and CPU did in the same half second, mode beside "
                            "mode: the same few clients call a server with --trace in each mode. As root, and with perf, also what the kernel's "
                            "scheduler did. See loadtest/README.md.")
    parser.add_argument("--modes", metavar="A,B", help="modes to draw [all that the server offers]")
    parser.add_argument("--window", metavar="FROM-TO", type=window, default=(0, clients.LENGTH),
                        help=f"the part of the script to draw, in ms [0-{clients.LENGTH}]")
    parser.add_argument("--no-perf", action="store_true", help="do not record the kernel's scheduler: threads alone")
    parser.add_argument("--server", metavar="PATH", type=command.path, default=command.SERVER, help="the server [build/release/echod]")
    parser.add_argument("-o", "--output", metavar="DIR", type=command.path, default=OUTPUT,
                        help="where report.html and the merged traces go [build/timeline]")
    parser.add_argument("--picture", metavar="FILE", type=command.path, help="also draw two modes as a PNG file (in Chromium)")
    options = parser.parse_args(argv)
    if options.modes is not None and not options.modes.strip(" ,"):
        raise UsageError("--modes: nothing is named")
    return options


def main(argv):
    given = parse(argv)
    if given.picture:
        picture.prepare(given.picture)
    binary = command.server_path(given.server)
    output.prepare(given.output)
    no_schedule = "--no-perf was given" if given.no_perf else sched.unavailable()
    if no_schedule and not given.no_perf:
        streams.note(f"timeline: threads alone: {no_schedule}")
    about = {"machine": system.describe(command.ROOT, binary), "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
             "models": modes.models(binary), "no_schedule": no_schedule}
    chosen = modes.choose(binary, given.modes)
    allowed = frozenset(os.sched_getaffinity(0))
    recorder = record.Recorder(binary, not no_schedule, record.server_cpus(allowed), allowed)
    runs, faults = _record(recorder, chosen)
    if not runs:
        return command.FAILED
    about |= {"script": recorder.script, "place": _place(recorder)}
    _write(runs, about, given)
    return command.FAILED if faults else 0


def _record(recorder, chosen):
    """(what was seen, how many modes failed)"""
    runs, faults, progress = [], 0, Progress(len(chosen), _EACH)
    try:
        for mode in chosen:
            progress.show(f"mode {mode.name}")
            try:
                runs.append(recorder.record(mode.name))
            except LabError as error:
                faults += 1
                progress.note(f"timeline: {mode.name}: {error}")
            progress.step()
    finally:
        progress.close()
    return runs, faults


def _place(recorder):
    own = cpus.show(recorder.cpus).replace(",", " and ")
    where = f"The server has CPU{'s' if len(recorder.cpus) > 1 else ''} {own}"
    return f"{where}, which the clients share" if recorder.shares else f"{where}, the clients have others"


def _write(runs, about, given):
    for run in runs:
        output.write(given.output / f"{run.mode}.json", json.dumps(merged.merged(run), ensure_ascii=False) + "\n")
    output.write(given.output / "report.html", pages.report(runs, about, given.window))
    if given.picture:
        picture.draw(pages.picture(runs, about), given.picture)
    for run in runs:
        streams.say("\n".join([f"{run.mode}:", *(f"  {line}" for line in findings.sentences(run))]))
    paths = [given.output / "report.html", *(given.output / f"{run.mode}.json" for run in runs)]
    streams.say("\n" + ", ".join(str(command.shown(path)) for path in paths))
