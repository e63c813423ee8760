# SPDX-License-Identifier: MIT
"""Histograms as results.json keeps them: [upper end in microseconds, count] of every bucket that is not empty, in order.

They are log-linear: below STEPS µs a bucket is 1 µs wide, above each doubling has STEPS buckets, so that an end is at most a
STEPS-th more than the values under it. Ends are the same whoever counted: histograms of several machines can be added up.
"""

import math

STEPS = 64


def _width(value):
    """Of the bucket of a latency in microseconds."""
    return 2 ** max(0, math.frexp(value / STEPS)[1] - 1) if value > 0 else 1


def _end(value):
    """The upper end of the bucket of a latency in microseconds."""
    width = _width(value)
    return max(1, math.ceil(value / width)) * width


def compact(buckets):
    """The same counts in the buckets of results.json, of ones that may be finer."""
    counts = {}
    for end, count in buckets:
        counts[_end(end)] = counts.get(_end(end), 0) + count
    return [list(pair) for pair in sorted(counts.items())]


def together(histograms):
    """All of them as one."""
    return compact(pair for buckets in histograms for pair in buckets)


def percentile(buckets, per_cent):
    """The upper end of the bucket with that share of all values, by nearest rank."""
    rank = max(1, -(-sum(count for _, count in buckets) * round(per_cent * 1000) // 100_000))
    for end, count in buckets:
        rank -= count
        if rank <= 0:
            return end
    return buckets[-1][0]


def of_figure(name):
    """(which histogram stands behind a figure, which percentile of it): ("us", 99.9) for p999_us, ("slow_us", 50) for
    p50_slow_us; None for a figure that is no percentile."""
    digits, _, behind = name.removeprefix("p").partition("_")
    if not name.startswith("p") or not digits.isdecimal() or not (behind == "us" or behind.endswith("_us")):
        return None
    return behind, float(f"{digits[:2]}.{digits[2:] or 0}")


def _power(buckets, power):
    """The mean of a power of the values, of each bucket its middle."""
    total = count = 0.0
    for end, own in buckets:
        total += (end - (_width(end - 1) - 1) / 2) ** power * own
        count += own
    return total / count if count else 0.0


def mean(buckets):
    return _power(buckets, 1)


def mean_square(buckets):
    return _power(buckets, 2)
