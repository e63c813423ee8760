# SPDX-License-Identifier: MIT
"""Figures as people read them, with their units."""


def significant(value, digits=3):
    """A number with so many significant digits and thousands separators, never in exponent form."""
    if value == 0:
        return "0"
    places = digits - 1
    size = abs(value)
    while size >= 10 and places > 0:
        size /= 10
        places -= 1
    while size < 1 and places < 6:
        size *= 10
        places += 1
    return f"{value:,.{places}f}"


def microseconds(value):
    """A duration given in microseconds."""
    if value < 1000:
        return f"{value:.0f} µs"
    if value < 1e6:
        return f"{significant(value / 1e3)} ms"
    return f"{significant(value / 1e6)} s"


def size(value):
    """Bytes in binary units."""
    if value is None:
        return "?"
    for unit in ("B", "KiB", "MiB"):
        if abs(value) < 1024:
            return f"{significant(value) if unit != 'B' else f'{value:.0f}'} {unit}"
        value /= 1024
    return f"{significant(value)} GiB"


def figure(value, unit):
    """A figure with its unit: durations and sizes in the multiple that suits them, shares in per cent."""
    if unit in ("µs", "us"):
        return microseconds(value) if abs(value) >= 100 or value == 0 else f"{significant(value)} µs"
    if unit in ("ms", "s"):
        return figure(value * (1e3 if unit == "ms" else 1e6), "µs")
    if unit in ("B", "bytes"):
        return size(value)
    if unit == "%":
        return f"{significant(value)} %"
    text = f"{value:,.0f}" if abs(value) >= 100 or (abs(value) >= 1 and float(value).is_integer()) else significant(value)
    return f"{text} {unit}" if unit and not unit.endswith("/s") else text


def with_spread(text, sample):
    """A median with half its range in per cent beside it."""
    return f"{text} ±{sample.spread * 100:.0f}%" if len(sample.values) > 1 else text
