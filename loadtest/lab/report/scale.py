# SPDX-License-Identifier: MIT
"""Axes of charts: from values to places, and the ticks between."""

import math
from dataclasses import dataclass

_STEPS = ((1,), (1, 3), (1, 2, 5), (1, 1.5, 2, 3, 5, 7))  # of a decade, from coarse to fine
_TICKS_MIN, _TICKS_MAX = 3, 7


@dataclass(frozen=True)
class Scale:
    """From [low, high] to [start, end], which may run backwards."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def __call__(self, value):
        low, high, value = (self._inner(number) for number in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def _inner(self, value):
        return math.log10(value) if self.log else value

    def ticks(self, binary=False):
        """Round values between the ends; `binary`: powers of two, as for bytes."""
        found = (_binary_ticks if binary else _log_ticks)(self.low, self.high) if self.log else []
        return found if len(found) >= _TICKS_MIN else _linear_ticks(self.low, self.high)


def _log_ticks(low, high):
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in _STEPS:
        found = [value for decade in decades for step in steps if low <= (value := step * 10.0 ** decade) <= high]
        if len(found) > _TICKS_MAX:
            return found[::-(-len(found) // _TICKS_MAX)]
        if len(found) >= _TICKS_MIN:
            return found
    return []


def _binary_ticks(low, high):
    powers = range(math.ceil(math.log2(low)), math.floor(math.log2(high)) + 1)
    step = next(step for step in (1, 2, 5, 10, 20) if len(powers) / step <= _TICKS_MAX - 1)
    return [2.0 ** power for power in powers if power % step == 0]


def _linear_ticks(low, high):
    rough = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * part for part in (1, 2, 2.5, 5, 10) if power * part >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]


def around(values, start, end, log=True, margin=0.08):
    """A scale that has room for all values: logarithmic if it may be and all are above 0, else from 0 on."""
    low, high = min(values), max(values)
    if log and low > 0:
        room = max((high / low) ** margin, 1.05)
        return Scale(low / room, high * room, start, end, True)
    low, high = min(0, low), max(0, high)
    room = (high - low or 1) * margin
    return Scale(low - (room if low < 0 else 0), high + room, start, end, False)
