#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes docs/conformance.md from the conformance documents; a case of test_conformance.py sees that it is current.

The documents say where another server answers otherwise, and why; the stage conformance-peers sees that this is so.
"""

import collections
import os
import re
import sys

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [FOLDER, os.path.dirname(FOLDER)]

from support import document  # noqa: E402
from peers import REASONS_OF  # noqa: E402

PAGE = os.path.join(FOLDER, "..", "..", "docs", "conformance.md")
NAMES = {"nginx": "nginx", "node": "Node.js"}
INTRODUCTION = """# Conformance

The answers of echod to {cases} requests, by the deciding section of RFC 9110 (semantics), RFC 9112 (HTTP/1.1) or RFC 6585 (431). In every
mode, at every split, each request gets the answer that its document demands.

*Accepted*: every answer is a success. *Refused*: one answer is 400, 413, 414, 417, 431, 501 or 505. *Other*: any other answer, such as 404,
405 or 408. The last columns count the cases in which {peers} give the same kind of answer; any error counts as refused there.

`tests/integration/conformance_page.py` writes this page from `tests/integration/conformance/`. `./dev test conformance` sends the requests to
echod and checks that the page is current; `./dev test conformance-peers` sends them to the other servers.
"""
REFUSALS = (400, 413, 414, 417, 431, 501, 505)


def section_of(entry):
    """(9112, (7, 1, 1)); the first that the document names."""
    rfc, number = re.match(r"RFC (\d+), (\d+(?:\.\d+)*)", entry.section).groups()
    return int(rfc), tuple(int(part) for part in number.split("."))


def outcome(entry):
    statuses = [answer.status for answer in entry.answers]
    if any(status in REFUSALS for status in statuses):
        return "refused"
    return "accepted" if all(status < 300 for status in statuses) else "other"


def asked(entry):
    return "peers" not in entry.differs


def row(title, entries):
    outcomes = collections.Counter(outcome(entry) for entry in entries)
    peers = [f"{sum(asked(entry) and peer not in entry.differs for entry in entries)} of {sum(map(asked, entries))}" for peer in NAMES]
    cells = [title, len(entries), outcomes["accepted"], outcomes["refused"], outcomes["other"], *peers]
    return "| " + " | ".join(map(str, cells)) + " |\n"


def table(entries):
    sections = collections.defaultdict(list)
    for entry in entries:
        sections[section_of(entry)].append(entry)
    heads = ["section", "cases", "accepted", "refused", "other"] + [f"{NAMES[peer]} {REASONS_OF[peer]}" for peer in NAMES]
    page = "\n## By section\n\n| " + " | ".join(heads) + " |\n|---" + "|---:" * (len(heads) - 1) + "|\n"
    for (rfc, number), found in sorted(sections.items()):
        text = ".".join(map(str, number))
        page += row(f"[RFC {rfc}, {text}](https://www.rfc-editor.org/rfc/rfc{rfc}#section-{text})", found)
    return page + row("all", entries)


def reasons(entries, key):
    found = collections.defaultdict(list)
    for entry in entries:
        if key in entry.differs:
            found[entry.differs[key]].append(entry)
    return sorted(found.items(), key=lambda item: (-len(item[1]), item[0]))


def deviations(entries):
    page = "\n## Where echod deviates\n\n| request | section | answer of echod, and reason |\n|---|---|---|\n"
    for reason, found in reasons(entries, "RFC"):
        for entry in found:
            page += f"| {entry.title} | {entry.section.split(':')[0]} | {entry.answers[-1].status}: {reason} |\n"
    return page


def differences(entries, peer):
    page = f"\n## Where {NAMES[peer]} {REASONS_OF[peer]} answers differently\n\n| cases | difference |\n|---:|---|\n"
    return page + "".join(f"| {len(found)} | {reason} |\n" for reason, found in reasons(entries, peer))


def render():
    entries = document.read_all(os.path.join(FOLDER, "conformance"))
    peers = " and ".join(NAMES.values())
    page = INTRODUCTION.format(cases=len(entries), peers=peers) + table(entries) + deviations(entries)
    return page + "".join(differences(entries, peer) for peer in NAMES)


def current():
    with open(PAGE, encoding="utf-8") as file:
        return file.read() == render()


if __name__ == "__main__":
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(render())
