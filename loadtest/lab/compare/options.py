# SPDX-License-Identifier: MIT
"""The flags of `compare`, and which of them go together."""

import shlex

from ..machine import command
from ..text.errors import UsageError

OUTPUT = command.ROOT / "build" / "compare"


def parse(argv):
    parser = command.Parser(prog="compare", description="Put what people say about threads and event loops to the test: the same "
                            "server in each of its modes, under load. See loadtest/README.md.")
    effort = parser.add_mutually_exclusive_group()
    effort.add_argument("--quick", action="store_true", help="at most 3 minutes; the default")
    effort.add_argument("--full", action="store_true", help="more points, rounds and time: an hour and more")
    parser.add_argument("--list", action="store_true", help="name the experiments and end")
    parser.add_argument("--only", metavar="A,B", help="some of the experiments [all]")
    parser.add_argument("--modes", metavar="A,B", help="modes to measure [all that the server offers]")
    parser.add_argument("--also", metavar="NAME=COMMAND", action="append", default=[],
                        help="measure another server, too; {port} in its command is the port it is to listen on")
    parser.add_argument("--target", metavar="URL", help="load a server that runs elsewhere, and nothing else")
    parser.add_argument("--rounds", metavar="N", type=command.whole(1, 100), help="rounds over all subjects [the experiment's]")
    parser.add_argument("--seconds", metavar="S", type=command.seconds, help="length of a measurement [the experiment's]")
    parser.add_argument("--connections", metavar="N,N", type=command.connection_counts,
                        help="numbers of connections [the experiment's]")
    parser.add_argument("--server", metavar="PATH", type=command.path, default=command.SERVER,
                        help="the server to measure [build/release/echod]")
    parser.add_argument("--output", metavar="DIR", type=command.path, default=OUTPUT, help="where the results go [build/compare]")
    parser.add_argument("--baseline", metavar="FILE", type=command.path, help="earlier results: say what has changed since")
    parser.add_argument("--require", metavar="EXPR", action="append", default=[],
                        help="a condition such as 'event.rps >= 0.9 * thread.rps @ 64'; exit status 99 if it is not met")
    parser.add_argument("--from", metavar="FILE", type=command.path, dest="source", help="measure nothing: report earlier results again")
    parser.add_argument("--merge", metavar="FILE", type=command.path, nargs="+",
                        help="measure nothing: report the results of several load machines as one")
    parser.add_argument("--picture", metavar="FILE", type=command.path,
                        help="also draw two charts and Which one, when? as a PNG file (in Chromium)")
    options = parser.parse_args(argv)
    _check(options)
    return options


def _check(options):
    for flag, value in (("--only", options.only), ("--modes", options.modes), ("--target", options.target)):
        if value is not None and not value.strip(" ,"):
            raise UsageError(f"{flag}: nothing is named")  # an empty variable of a script, say: not all, then
    if options.target and (options.modes or options.also or options.server != command.SERVER):
        raise UsageError("--target: nothing else is measured then: not with --modes, --also or --server")
    if options.source and options.merge:
        raise UsageError("--from and --merge: one of them")


def repeat(options, name):
    """The command that repeats one experiment alone."""
    words = ["--only", name]
    for flag, value in (("--modes", options.modes), ("--target", options.target),
                        ("--server", None if options.server == command.SERVER else options.server),
                        ("--rounds", options.rounds),
                        ("--seconds", options.seconds and f"{options.seconds:g}"),
                        ("--connections", options.connections and ",".join(map(str, options.connections)))):
        if value:
            words += [flag, str(value)]
    words += ["--full"] if options.full else []
    for text in options.also:
        words += ["--also", text]
    return f"./dev compare {shlex.join(words)}"
