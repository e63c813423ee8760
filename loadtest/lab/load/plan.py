# SPDX-License-Identifier: MIT
"""What is measured in which order, and for how long each."""

from dataclasses import dataclass

OVERHEAD = 0.36  # seconds a measurement takes besides its two runs: start, check, connecting, wrk's stopping, end
_WARMUP_EACH = 0.00005
_WARMUP_SHARE, _WARMUP_LEAST, _WARMUP_MOST = 0.25, 0.2, 1.0


@dataclass(frozen=True)
class Cell:
    """One measurement to make."""

    round: int
    workload: object
    connections: int
    subject: object


def warmup_for(seconds, connections=0):
    """Long enough for an answer on each of the connections: wrk sends on all of them before it reads."""
    return min(max(seconds * _WARMUP_SHARE, _WARMUP_LEAST), _WARMUP_MOST) + _WARMUP_EACH * connections


def cells(rounds, workloads, connections, subjects):
    """Every measurement once a round; the subjects follow each other directly, each round begins with another of them."""
    order = []
    for number in range(rounds):
        first = number % len(subjects)
        turn = subjects[first:] + subjects[:first]
        order += [Cell(number + 1, workload, count, subject)
                  for workload in workloads for count in connections for subject in turn]
    return order
