# SPDX-License-Identifier: MIT
"""What the commands share: one-line refusals, exit statuses, and an end that leaves no process behind."""

import argparse
import os
from pathlib import Path

from ..text import streams
from ..text.errors import LabError, UsageError
from . import interrupts
from .process import stop_all

ROOT = Path(__file__).resolve().parents[3]
SERVER = ROOT / "build" / "release" / "echod"

FAILED, USAGE = 1, 2


class Parser(argparse.ArgumentParser):
    """Refuses in one line."""

    def error(self, message):
        self.exit(USAGE, f"{self.prog}: {message} (--help lists what is allowed)\n")


def whole(least, most):
    """A type for whole numbers of a range."""
    def convert(text):
        if not (text.isascii() and text.isdecimal()) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
        return int(text)
    return convert


def seconds(text):
    """A type for durations."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0.4 <= value <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0.4 to 600")
    return value


def path(text):
    """A type for files and folders. None of them has no name: an empty variable of a script, say."""
    if not text:
        raise argparse.ArgumentTypeError("nothing is named")
    return Path(text)


def connection_counts(text):
    """A type for numbers of connections with commas between."""
    convert = whole(1, 1_000_000)
    counts = [convert(word.strip()) for word in text.split(",") if word.strip()]
    if not counts:
        raise argparse.ArgumentTypeError("no number given")
    return sorted(set(counts))


def server_path(path):
    """The binary to measure, or LabError."""
    if not path.is_file() or not os.access(path, os.X_OK):
        hint = ": build it with ./dev build" if path == SERVER else ""
        raise LabError(f"no server at {path}{hint}")
    return path.resolve()


def shown(path):
    """A path as the user would type it."""
    path = path.resolve()
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def connections(count):
    return f"{count} connection{'' if count == 1 else 's'}"


def run(name, main, argv):
    """main(argv) gives the exit status; LabError becomes a line, a signal the status that shells expect."""
    interrupts.install()
    streams.prepare()
    try:
        return main(argv)
    except LabError as error:
        streams.note(f"{name}: {error}")
        return USAGE if isinstance(error, UsageError) else FAILED
    except interrupts.Interrupted as signal:
        streams.note(f"{name}: stopped by {signal}")
        return 128 + signal.number
    finally:
        stop_all()
        interrupts.end()
