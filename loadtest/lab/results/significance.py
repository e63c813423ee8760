# SPDX-License-Identifier: MIT
"""Whether a difference is more than noise: Student's t, and Holm's correction for many looks at the same data."""

import functools
import math


def _continued_fraction(a, b, x):
    """Of the incomplete beta function (Lentz's method; converges quickly for x < (a + 1) / (a + b + 2))."""
    tiny = 1e-300
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1) or tiny)
    result = d
    for m in range(1, 300):
        for numerator in (m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
                          -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))):
            d = 1 / (1 + numerator * d or tiny)
            c = 1 + numerator / c or tiny
            result *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return result


def incomplete_beta(a, b, x):
    """The regularised incomplete beta function."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x))
    if x < (a + 1) / (a + b + 2):
        return front * _continued_fraction(a, b, x) / a
    return 1 - front * _continued_fraction(b, a, 1 - x) / b


def two_sided(t, freedom):
    """The chance of a t at least so far from 0 if there is no difference; 1 where there is nothing to tell noise by."""
    if freedom <= 0:
        return 1.0
    if math.isinf(t):
        return 0.0
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t))


@functools.lru_cache(maxsize=None)
def _arrangements(one, other):
    """Item i is the number of orders of `one` and `other` values that have exactly i pairs in which the other's value is larger."""
    if one == 0 or other == 0:
        return (1,)
    counts = [0] * (one * other + 1)
    for pairs, count in enumerate(_arrangements(one - 1, other)):
        counts[pairs + other] += count
    for pairs, count in enumerate(_arrangements(one, other - 1)):
        counts[pairs] += count
    return tuple(counts)


def ranks(strata):
    """The exact chance of so uneven an order of old and new values over some strata, each ranked within itself (Mann and
    Whitney's test, added up as van Elteren did)."""
    pairs, ways = 0.0, [1]
    for old, new in strata:
        pairs += sum((after > before) + (after == before) / 2 for before in old for after in new)
        counts = _arrangements(len(old), len(new))
        ways = [sum(ways[i - j] * counts[j] for j in range(max(0, i - len(ways) + 1), min(i + 1, len(counts))))
                for i in range(len(ways) + len(counts) - 1)]
    most = len(ways) - 1
    least = math.floor(min(pairs, most - pairs) + 0.5)  # half a pair towards the middle: ties
    return min(1.0, 2 * sum(ways[:least + 1]) / sum(ways))


def holm(chances, level=0.05):
    """For each chance whether it stands when all are judged together: that any at all is called wrongly has at most the
    chance `level`."""
    stands = [False] * len(chances)
    for rank, i in enumerate(sorted(range(len(chances)), key=lambda i: chances[i])):
        if chances[i] > level / (len(chances) - rank):
            break
        stands[i] = True
    return stands
