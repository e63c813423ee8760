#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The results of the test suite's programs: JUnit files, one for each program that ran.

junit.py case FILE NAME [FAILURE]  for a program that writes no such file: one case, which failed if FAILURE is given
junit.py end FILE STATUS           a program has ended: what its file does not show becomes a failed case; names what failed
junit.py again FILE                the ids of failed cases that deserve a second try, a line each
junit.py merge FILE AGAIN          what passed in AGAIN counts as passed in FILE, and as flaky
junit.py sum FILE...               names what failed and what is flaky, and prints the sum; status 1 if a case failed or none passed
"""

import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path


_FAILED = ("0", "1", "8")  # statuses that failed cases explain; ctest's is 8
_AGAIN_MAX = 5  # cases of a program that get a second try; more have a reason
_NEVER_AGAIN = re.compile(r"Sanitizer|runtime error:|CRASH!|status -\d|got -(4|6|7|8|11)\b|crashed while running|the server died|which tests shared")


def write(path, cases):
    """`cases`: (name, why it failed or nothing)."""
    suite = xml.Element("testsuite", name=Path(path).stem)
    for case in cases:
        name, failure = ("".join(sign if sign.isprintable() else "?" for sign in word or "") for word in case)
        element = xml.SubElement(suite, "testcase", name=name)
        if failure:
            xml.SubElement(element, "failure", message=failure)
    xml.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def title(case):
    """The id that pytest takes, where it is pytest's."""
    file, where, name = case.get("file"), case.get("classname"), case.get("name")
    if file:
        return f"{file}{where.removeprefix(file.removesuffix('.py').replace('/', '.')).replace('.', '::')}::{name}"
    return name if where in (None, name) else f"{where}: {name}"


def tree_of(path):
    """None of a file that is missing, or no XML."""
    try:
        return xml.parse(path)
    except (OSError, xml.ParseError):
        return None


def failure_of(case):
    return next((child for child in case if child.tag in ("failure", "error")), None)


def heading(message):
    """Its first line, and where that announces others the first of those that has words."""
    first, _, rest = message.partition("\n")
    if first.endswith(":"):
        first = " ".join([first, *(line.strip() for line in rest.splitlines() if re.search(r"\w", line))][:2])
    return first


def said_by_criterion(case):
    """The first test of a program that failed, and why; ctest keeps only what the program printed."""
    printed = case.findtext("system-out") or ""
    test = re.search(r"^\[FAIL\] (\w+::\w+)", printed, re.MULTILINE)
    why = re.search(r"Assertion Failed\s*\n\[----\]\s*\n\[----\]\s+(.+)", printed)
    return ": ".join(match[1] for match in (test, why) if match)


def line(what, path, case, reason):
    said = heading(reason.get("message", "")) or said_by_criterion(case)
    return f"{what} in {Path(path).stem}: " + ": ".join(filter(None, (title(case), said)))


def read(path):
    """How many cases passed, and a line for each that failed. A skipped case is neither."""
    tree = tree_of(path)
    if tree is None:
        return 0, [f"FAILED in {Path(path).stem}: it left no results"]
    passed, failed = 0, []
    for case in tree.iter("testcase"):
        reason = failure_of(case)
        if reason is not None:
            failed.append(line("FAILED", path, case, reason))
        elif case.get("status") == "notrun":  # ctest skips what it cannot run
            failed.append(f"FAILED in {Path(path).stem}: {title(case)}: it did not run")
        elif case.find("skipped") is None:
            passed += 1
    return passed, failed


def flaky(path):
    """A line for each case that failed first, and passed alone."""
    tree = tree_of(path)
    cases = tree.iter("testcase") if tree is not None else ()
    return [line("FLAKY", path, case, case.find("flakyFailure")) for case in cases if case.find("flakyFailure") is not None]


def again(path):
    tree = tree_of(path)
    cases = [case for case in tree.iter("testcase") if failure_of(case) is not None] if tree is not None else []
    said = ["".join([*case.itertext(), *(child.get("message", "") for child in case)]) for case in cases]
    ids = list(dict.fromkeys(title(case) for case in cases))
    of_one_kind = len({bool(case.get("file")) for case in cases}) == 1  # pytest's, or programs of ctest
    if of_one_kind and len(ids) <= _AGAIN_MAX and not any(_NEVER_AGAIN.search(text) for text in said):
        print(*ids, sep="\n", end="\n" if ids else "")


def merge(path, second):
    """Renames failures of the first try as Maven's Surefire does."""
    tree, second_tree = tree_of(path), tree_of(second)
    tried = list(second_tree.iter("testcase")) if second_tree is not None else []
    failed = {title(case) for case in tried if failure_of(case) is not None}
    passed = {title(case) for case in tried if case.find("skipped") is None} - failed
    flaky_ones = set()
    for suite in tree.iter("testsuite"):
        for case in list(suite.iter("testcase")):
            if failure_of(case) is None or title(case) not in passed:
                continue
            if title(case) in flaky_ones:  # the error at its end, besides
                suite.remove(case)
                continue
            flaky_ones.add(title(case))
            failure_of(case).tag = "flakyFailure"
    tree.write(path, encoding="utf-8", xml_declaration=True)


def end(path, status):
    tree, (passed, failed) = tree_of(path), read(path)
    explained = status in _FAILED if failed else status == "0" and passed
    if tree is not None and not explained:
        case = xml.SubElement(next(tree.iter("testsuite")), "testcase", name="the program")
        xml.SubElement(case, "failure", message="no case ran" if status in ("0", "5") else f"it ended with status {status}")
        tree.write(path, encoding="utf-8", xml_declaration=True)
        failed = read(path)[1]
    print(*failed, sep="\n", end="\n" if failed else "")


def total(*paths):
    results = [read(path) for path in paths]
    passed, failed = sum(passed for passed, _ in results), [line for _, lines in results for line in lines]
    if not passed and not failed:
        failed = ["FAILED: no case ran"]
    print(*(line for path in paths for line in flaky(path)), *failed, f"{passed} passed, {len(failed)} failed", sep="\n")
    return 1 if failed else 0


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "case":
        write(arguments[0], [(*arguments[1:], None)[:2]])
    elif command in ("end", "again", "merge"):
        {"end": end, "again": again, "merge": merge}[command](*arguments)
    else:
        sys.exit(total(*arguments))
