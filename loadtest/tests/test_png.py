# SPDX-License-Identifier: MIT
"""Pictures made smaller."""

import struct
import unittest
import zlib

import context  # noqa: F401
from lab import png


def filtered(kind, row, above):
    """A row of bytes as the filter of that kind writes it, three bytes a pixel."""
    def guess(i):
        left, up, corner = (row[i - 3] if i > 2 else 0), above[i], (above[i - 3] if i > 2 else 0)
        return (0, left, up, (left + up) // 2, png._paeth(left, up, corner))[kind]
    return bytes([kind]) + bytes((value - guess(i)) & 255 for i, value in enumerate(row))


def picture(rows):
    width = len(rows[0]) // 3
    above = [bytes(width * 3), *rows]
    raw = b"".join(filtered(i % 5, row, above[i]) for i, row in enumerate(rows))
    return b"".join((png._SIGNATURE, png._chunk(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)),
                     png._chunk(b"IDAT", zlib.compress(raw, 0)), png._chunk(b"IEND", b"")))


def pixels(data):
    """Those of a picture with a palette."""
    chunks = dict(png._chunks(data))
    width = struct.unpack_from(">I", chunks[b"IHDR"])[0]
    raw, palette = zlib.decompress(chunks[b"IDAT"]), chunks[b"PLTE"]
    lines = [raw[start + 1:start + 1 + width] for start in range(0, len(raw), width + 1)]
    return [b"".join(palette[3 * i:3 * i + 3] for i in line) for line in lines]


class SmallerTest(unittest.TestCase):
    def test_few_colours_stay_as_they_are_whatever_the_filter(self):
        rows = [bytes(value for x in range(40) for value in (x * 5 % 11 * 20, y * 7 % 9, (x + y) % 2 * 255)) for y in range(25)]
        data = picture(rows)
        made = png.smaller(data)
        self.assertLess(len(made), len(data) / 3)
        self.assertEqual(pixels(made), rows)

    def test_of_many_the_nearest(self):
        rows = [bytes(value for x in range(300) for value in (x // 2, 0, x % 2)) for _ in range(30)]
        for was, now in zip(rows, pixels(png.smaller(picture(rows)))):
            self.assertLessEqual(max(abs(a - b) for a, b in zip(was, now)), 100)

    def test_others_are_left_alone(self):
        data = picture([bytes(30)])
        grey = data.replace(struct.pack(">BBBBB", 8, 2, 0, 0, 0), struct.pack(">BBBBB", 8, 0, 0, 0, 0))
        self.assertEqual(png.smaller(grey), grey)


if __name__ == "__main__":
    unittest.main()
