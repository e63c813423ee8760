# SPDX-License-Identifier: MIT
"""Makes a PNG file of a browser smaller: pages have few colours, and a byte for each pixel instead of three is enough."""

import struct
import zlib
from collections import Counter

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PALETTE_MOST = 256


def _chunks(data):
    place = len(_SIGNATURE)
    while place < len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place + 8:place + 8 + length]
        place += length + 12


def _chunk(kind, body):
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def _paeth(left, above, corner):
    to_left, to_above, to_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    return left if to_left <= to_above and to_left <= to_corner else above if to_above <= to_corner else corner


def _unfilter(kind, line, above, width):
    """Undoes the filter of a line in place (PNG, section 9); `width`: bytes of a pixel."""
    for i in range(len(line)) if kind else ():
        left, up = (line[i - width] if i >= width else 0), above[i]
        guess = {1: left, 2: up, 3: (left + up) // 2}.get(kind)
        if guess is None:
            guess = _paeth(left, up, above[i - width] if i >= width else 0)
        line[i] = (line[i] + guess) & 255


def _lines(raw, length, width):
    above = bytes(length)
    for start in range(0, len(raw), length + 1):
        line = bytearray(raw[start + 1:start + 1 + length])
        _unfilter(raw[start], line, above, width)
        yield bytes(line)
        above = line


def _nearest(colour, palette):
    return min(range(len(palette)), key=lambda i: sum((a - b) ** 2 for a, b in zip(colour, palette[i])))


def smaller(data):
    """The same picture with the 256 most frequent of its colours, the others replaced by the nearest of those; the data as
    they are where they are not a plain picture of 24 bits a pixel, or where nothing is gained."""
    chunks = list(_chunks(data))
    width, height, *shape = struct.unpack(">IIBBBBB", chunks[0][1])
    if data[:8] != _SIGNATURE or shape != [8, 2, 0, 0, 0]:
        return data
    raw = zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT"))
    rows = [list(zip(*[iter(line)] * 3)) for line in _lines(raw, width * 3, 3)]
    counts = Counter(pixel for row in rows for pixel in row)
    palette = [colour for colour, _ in counts.most_common(_PALETTE_MOST)]
    index = {colour: i for i, colour in enumerate(palette)}
    for colour in counts:
        index.setdefault(colour, _nearest(colour, palette) if colour not in index else 0)
    packed = zlib.compress(b"".join(b"\0" + bytes(index[pixel] for pixel in row) for row in rows), 9)
    made = b"".join((_SIGNATURE, _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
                     _chunk(b"PLTE", bytes(part for colour in palette for part in colour)), _chunk(b"IDAT", packed),
                     _chunk(b"IEND", b"")))
    return made if len(made) < len(data) else data
