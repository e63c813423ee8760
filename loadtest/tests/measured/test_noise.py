# SPDX-License-Identifier: MIT
"""How often equal builds are called different, and slower ones are found: on a quiet machine, in pieces.

    ./dev build && python3 -m pytest -s loadtest/tests/measured/test_noise.py               # all, in about an hour
    PIECE=1/8 python3 -m pytest -s loadtest/tests/measured/test_noise.py     # the first of eight pieces
    TIMES=2 …                                                                              # two of each

- A/A: event against event, CPU per request with the rounds and seconds of `--full`'s `scaling`, judged by the rule of claims (>= or <=
  DIFFERENT, with the noise floor of one pair of twins): of 40 comparisons at most 2 may call them different.
- 5 % more user instructions: found 20 times of 20 by callgrind's count over one connection. The slowed build is the same program with more.c preloaded,
  which executes so many instructions before each send that all it adds, itself included, is 5 % of what the program needs.
- 10 % more CPU: found 19 times of 20 with 11 paired rounds. The slowed build is the same program with slow.c preloaded, which
  computes for so many nanoseconds before each send as 10 % of the program's CPU per request; the pairs of rounds are judged by
  whether the interval of their ratios lies above 1.

The pieces leave their counts in FOLDER (build/measured) and the totals are checked over all pieces that are there.
"""

import json
import os
import subprocess
import tempfile
import unittest
from dataclasses import dataclass
from pathlib import Path

import pytest
from lab.compare import experiment, noise
from lab.load import callgrind, measure
from lab.load.measure import Timing
from lab.load.workloads import WORKLOADS
from lab.machine import command, cpus
from lab.results import stats
from lab.servers.subjects import Subject

SERVER = command.SERVER
FOLDER = command.ROOT / "build" / "measured"
PLAINTEXT = WORKLOADS[0]
CONNECTIONS = 64
PAIRS = 11  # rounds
FOUND = 1.045  # counts of one build differ by less than 0.1 % over one connection
PIECE, PIECES = (int(part) for part in os.environ.get("PIECE", "1/1").split("/"))


def times(count):
    """How many of so many this piece makes."""
    count = int(os.environ.get("TIMES", count))
    return len(range(PIECE - 1, count, PIECES))


def library(folder, name):
    """A library of this folder's sources, to be preloaded."""
    path = folder / f"{name}.so"
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", path, Path(__file__).with_name(f"{name}.c"), "-ldl"], check=True)
    return path


@dataclass(frozen=True)
class Slowed(Subject):
    """A server with variables of its own in its environment."""

    variables: tuple = ()

    def start(self, cpus=None, extra=(), before=(), env=None):  # pylint: disable=redefined-outer-name
        return super().start(cpus, extra, before, {**(env or {}), **dict(self.variables)})


def subject(preloaded=None, **variables):
    """The server in its mode event, as it is or with a library preloaded."""
    variables = {**{name: str(value) for name, value in variables.items()}, **({"LD_PRELOAD": str(preloaded)} if preloaded else {})}
    return Slowed("event", (str(SERVER), "--mode", "event", "--listen", "127.0.0.1:0"), variables=tuple(variables.items()))


def cpu(server, seconds):
    found = measure.measure(server, PLAINTEXT, CONNECTIONS, Timing(0.3, seconds), cpus.shared(cpus.pinning()))
    return found["cpu_us_per_request"]


def instructions(server):
    return callgrind.instructions_per_request(server, PLAINTEXT.path, 1000, 3000, connections=1)


def paired(one, other, rounds, seconds):
    """The ratios of CPU per request, other over one, each round beginning with another."""
    ratios = []
    for number in range(rounds):
        order = (one, other) if number % 2 else (other, one)
        values = {id(server): cpu(server, seconds) for server in order}
        ratios.append(values[id(other)] / values[id(one)])
    return ratios


@pytest.mark.timeout(0)
@unittest.skipUnless(SERVER.exists(), "there is no release build")
class NoiseTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)

    def keep(self, name, **counts):
        """This piece's counts; the sum over all pieces that were made."""
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / f"{name}-{PIECE}-of-{PIECES}.json").write_text(json.dumps(counts), encoding="utf-8")
        parts = [json.loads(path.read_text(encoding="utf-8")) for path in FOLDER.glob(f"{name}-*-of-{PIECES}.json")]
        total = {key: sum(part[key] for part in parts) for key in counts if isinstance(counts[key], int)}
        print(f"\n{name}: this piece {counts}; {len(parts)} of {PIECES} pieces: {total}")
        return total

    def test_the_same_build_is_not_called_different(self):
        full = next(item for item in experiment.load_all() if item.name == "scaling").efforts["full"]
        one, other = subject(), subject()
        floor = max(stats.Sample(tuple(paired(one, other, full.rounds, full.seconds))).median, 1.0)
        threshold = max(noise.DIFFERENT, floor)
        different, seen = 0, []
        for _ in range(times(40)):
            ratios = paired(one, other, full.rounds, full.seconds)
            low, high = stats.interval(ratios)
            seen.append(round(stats.Sample(tuple(ratios)).median, 3))
            different += low >= threshold or high <= 1 / threshold
        total = self.keep("same", different=different, made=len(seen), medians=seen)
        self.assertLessEqual(total["different"], 2)

    def test_5_per_cent_more_instructions_are_found(self):
        plain = subject()
        before = instructions(plain)
        preloaded = library(self.folder, "more")
        own = instructions(subject(preloaded, MORE_INSTRUCTIONS=0)) - before
        more = subject(preloaded, MORE_INSTRUCTIONS=round(before * 0.05 - own))
        found, seen = 0, []
        for _ in range(times(20)):
            own, slowed = instructions(plain), instructions(more)
            seen.append(round(slowed / own, 4))
            found += slowed / own >= FOUND
        total = self.keep("instructions", found=found, made=len(seen), ratios=seen)
        self.assertEqual(total["found"], total["made"])

    def test_10_per_cent_more_cpu_are_found(self):
        seconds = 1.0
        plain = subject()
        before = stats.Sample(tuple(cpu(plain, seconds) for _ in range(3))).median
        slow = subject(library(self.folder, "slow"), SLOW_NS=round(before * 100))
        found, seen = 0, []
        for _ in range(times(20)):
            ratios = paired(plain, slow, PAIRS, seconds)
            low, _high = stats.interval(ratios)
            seen.append(round(stats.Sample(tuple(ratios)).median, 3))
            found += low > 1
        total = self.keep("cpu", found=found, made=len(seen), medians=seen)
        self.assertGreaterEqual(total["found"], total["made"] - (1 if total["made"] >= 20 else 0))
