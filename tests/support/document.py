# SPDX-License-Identifier: MIT
"""Reads the documents of conformance/: requests and the answers they must get, in the notation of tests/unit/corpus."""

import dataclasses
import glob
import os
import re

ESCAPES = {"r": b"\r", "n": b"\n", "t": b"\t", "0": b"\0", "\\": b"\\"}
ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|\{(\d+) ((?:[^}\\]|\\.)*)\}|(.))", re.DOTALL)


class Unreadable(Exception):
    """A line that is not in the notation."""


@dataclasses.dataclass
class Expected:
    """One answer. A field's value is None where there must be no such field."""

    status: int
    to_head: bool = False
    fields: list = dataclasses.field(default_factory=list)
    body: bytes = None  # as on the wire; None: not looked at


@dataclasses.dataclass
class Entry:
    """One case. `differs` has for each peer why its answers are others; a reason for `peers` says why none is asked."""

    group: str
    title: str
    section: str
    data: bytes = b""
    answers: list = dataclasses.field(default_factory=list)
    end: str = ""  # "open", "close" or "eof close"
    differs: dict = dataclasses.field(default_factory=dict)

    @property
    def name(self):
        return f"{self.group}: {self.title} ({self.section})"

    @property
    def closes(self):
        return self.end != "open"


def unescape(text):
    """The bytes that a line stands for."""
    out, at = b"", 0
    for match in ESCAPE.finditer(text):
        out += text[at:match.start()].encode()
        at = match.end()
        code, count, unit, letter = match.groups()
        if code:
            out += bytes((int(code, 16),))
        elif count:
            out += unescape(unit) * int(count)
        elif letter in ESCAPES:
            out += ESCAPES[letter]
        else:
            raise Unreadable(f"no escape: {match[0]}")
    return out + text[at:].encode()


def _expect(entry, text):
    """`200`, `200 head`, or a field of the answer above."""
    if match := re.fullmatch(r"(\d{3})( head)?", text):
        entry.answers.append(Expected(int(match[1]), bool(match[2])))
    elif match := re.fullmatch(r"!(\S+)", text):
        entry.answers[-1].fields.append((match[1], None))
    elif match := re.fullmatch(r"([^ :]+): (.*)", text):
        entry.answers[-1].fields.append((match[1], match[2]))
    else:
        raise Unreadable(f"no expectation: {text}")


def _end(entry, text):
    if text not in ("open", "close", "eof close"):
        raise Unreadable(f"no end of a connection: {text}")
    entry.end = text


def _differs(entry, text):
    peer, colon, reason = text.partition(": ")
    if not colon or not reason:
        raise Unreadable(f"no peer with a reason: {text}")
    entry.differs[peer] = reason


def _read_line(entry, line):
    kinds = {"> ": _expect, "= ": _end, "~ ": _differs}
    if entry is None:
        raise Unreadable("no case has begun")
    if line[:2] in kinds:
        kinds[line[:2]](entry, line[2:])
    elif line[0] == "|":
        entry.answers[-1].body = (entry.answers[-1].body or b"") + unescape(line[1:])
    elif line[0] in ">=~":
        raise Unreadable("no blank behind the first character")
    else:
        entry.data += unescape(line)


def read(path):
    """The entries of one document."""
    group = os.path.basename(path)[: -len(".http")]
    entries, section, entry = [], None, None
    with open(path, encoding="ascii") as file:
        for number, line in enumerate(file, 1):
            line = line.removesuffix("\n")
            try:
                if line.startswith("## "):
                    entry = Entry(group, line[3:], section)
                    entries.append(entry)
                elif line.startswith("@ "):
                    section = line[2:]
                elif line and not line.startswith("#"):
                    _read_line(entry, line)
            except (Unreadable, IndexError) as error:
                raise Unreadable(f"{path}:{number}: {error or 'no answer has begun'}") from None
    return entries


def read_all(folder):
    return [entry for path in sorted(glob.glob(os.path.join(folder, "*.http"))) for entry in read(path)]
