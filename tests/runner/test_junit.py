# SPDX-License-Identifier: MIT
"""scripts/junit.py, by which ./dev test counts: nothing that failed, ended early or did not run may look as if it had passed."""

import os
import subprocess
import sys

import pytest
from support.settings import ROOT

CASES = {
    "passed": '<testcase classname="a" name="one"/>',
    "skipped": '<testcase classname="a" name="two"><skipped message="no"/></testcase>',
    "failed": '<testcase classname="a.b" name="three"><failure message="1 is not 2&#10;more">text</failure></testcase>',
    "error": '<testcase classname="a.b" name="four"><error message="at the end">text</error></testcase>',
    "in a class": '<testcase file="t/test_a.py" classname="t.test_a.B" name="test_x[1]"><failure message="no"/></testcase>',
    "announced": '<testcase name="x"><failure message="it complains:&#10;=====&#10; ==7==ERROR: stack&#10;more">text</failure></testcase>',
    "sanitizer's": '<testcase file="t/test_a.py" classname="t.test_a" name="test_y"><failure message="no">AddressSanitizer: x</failure></testcase>',
    "killed": '<testcase file="t/test_a.py" classname="t.test_a" name="test_z"><error message="the server died: status -9">x</error></testcase>',
    "later passed": '<testcase file="t/test_a.py" classname="t.test_a.B" name="test_x[1]"/>',
    "later skipped": '<testcase file="t/test_a.py" classname="t.test_a.B" name="test_x[1]"><skipped message="no"/></testcase>',
    "not run": '<testcase name="test_six" classname="test_six" status="notrun"><skipped message="Unable to find executable"/></testcase>',
    "of ctest": '<testcase name="test_five" classname="test_five" status="fail"><failure message=""/><system-out/></testcase>',
    "crashed": '<testcase name="test_c" classname="test_c"><failure message=""/><system-out>[FAIL] a::b: CRASH!</system-out></testcase>',
    "of Criterion": """<testcase name="test_six" classname="test_six" status="fail"><failure message=""/><system-out>[RUN ] a::first
[PASS] a::first: (0.00s)
[----] tests/test_six.c:5: Assertion Failed
[----]
[----]   no port is free
[----]
[FAIL] a::second: (0.02s)</system-out></testcase>""",
}


def junit(*arguments):
    done = subprocess.run([sys.executable, os.path.join(ROOT, "scripts", "junit.py"), *arguments], capture_output=True, text=True)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


@pytest.fixture
def file(folder):
    """file(name of a case...): the path of a JUnit file with these, called results.xml if it is not said."""
    def file(*names, stem="results"):
        path = os.path.join(folder, f"{stem}.xml")
        with open(path, "w") as results:
            results.write("<testsuites><testsuite>" + "".join(CASES[name] for name in names) + "</testsuite></testsuites>")
        return path
    return file


@pytest.mark.parametrize("names, status, lines", [
    (["passed", "passed", "skipped"], 0, ["2 passed, 0 failed"]),
    (["passed", "failed"], 1, ["FAILED in results: a.b: three: 1 is not 2", "1 passed, 1 failed"]),
    (["error"], 1, ["FAILED in results: a.b: four: at the end", "0 passed, 1 failed"]),
    (["in a class"], 1, ["FAILED in results: t/test_a.py::B::test_x[1]: no", "0 passed, 1 failed"]),
    (["announced"], 1, ["FAILED in results: x: it complains: ==7==ERROR: stack", "0 passed, 1 failed"]),
    (["of ctest", "passed"], 1, ["FAILED in results: test_five", "1 passed, 1 failed"]),
    (["of Criterion"], 1, ["FAILED in results: test_six: a::second: no port is free", "0 passed, 1 failed"]),
    (["skipped"], 1, ["FAILED: no case ran", "0 passed, 1 failed"]),
    ([], 1, ["FAILED: no case ran", "0 passed, 1 failed"])], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_sum(file, names, status, lines):
    assert junit("sum", file(*names)) == (status, lines)


def test_sum_of_no_file():
    assert junit("sum") == (1, ["FAILED: no case ran", "0 passed, 1 failed"])


@pytest.mark.parametrize("content", [None, "", "<testsuites><testsuite><testcase"], ids=["missing", "empty", "cut off"])
def test_a_file_that_cannot_be_read_has_failed(file, folder, content):
    path = os.path.join(folder, "crashed.xml")
    if content is not None:
        with open(path, "w") as results:
            results.write(content)
    lines = ["FAILED in crashed: it left no results"]
    assert junit("end", path, "0") == (0, lines)
    assert junit("sum", file("passed"), path) == (1, [*lines, "1 passed, 1 failed"])


@pytest.mark.parametrize("names, status, failed", [
    (["passed"], "0", []),
    (["skipped"], "0", ["FAILED in results: the program: no case ran"]),
    ([], "5", ["FAILED in results: the program: no case ran"]),
    (["passed"], "137", ["FAILED in results: the program: it ended with status 137"]),
    (["passed", "failed"], "1", ["FAILED in results: a.b: three: 1 is not 2"]),
    (["passed", "of ctest"], "8", ["FAILED in results: test_five"]),
    (["passed", "failed"], "124", ["FAILED in results: a.b: three: 1 is not 2", "FAILED in results: the program: it ended with status 124"]),
    (["passed", "not run"], "8", ["FAILED in results: test_six: it did not run"])], ids=lambda value: "")
def test_the_end_of_a_program(file, names, status, failed):
    path = file(*names)
    assert junit("end", path, status) == (0, failed)
    assert junit("sum", path)[0] == (1 if failed else 0)


@pytest.mark.parametrize("failure", ["", "the input is \x1b[31mred"], ids=["passed", "failed"])
def test_a_case_of_a_program_without_such_a_file(folder, failure):
    path = os.path.join(folder, "fuzz.xml")
    assert junit("case", path, "head", failure) == (0, [])
    expected = ["FAILED in fuzz: head: the input is ?[31mred", "0 passed, 1 failed"] if failure else ["1 passed, 0 failed"]
    assert junit("sum", path) == (1 if failure else 0, expected)


@pytest.mark.parametrize("names, ids", [
    (["passed", "in a class"], ["t/test_a.py::B::test_x[1]"]),
    (["in a class", "in a class"], ["t/test_a.py::B::test_x[1]"]),
    (["of ctest", "passed"], ["test_five"]), (["passed"], []), (["in a class", "failed"], []), (["of ctest", "crashed"], []), (["in a class", "sanitizer's"], []), (["in a class", "killed"], [])], ids="-".join)
def test_what_is_tried_again(file, names, ids):
    assert junit("again", file(*names)) == (0, ids)


@pytest.mark.parametrize("count", [5, 6])
def test_many_are_not_tried_again(folder, count):
    path = os.path.join(folder, "results.xml")
    case = '<testcase file="t.py" classname="t" name="{}"><failure/></testcase>'
    with open(path, "w") as results:
        results.write("<testsuite>" + "".join(case.format(number) for number in range(count)) + "</testsuite>")
    assert junit("again", path) == (0, [f"t.py::{number}" for number in range(count)] if count == 5 else [])


def test_a_failure_and_an_error_of_one_case_are_one_flaky_case(file):
    path = file("passed", "in a class", "in a class")
    assert junit("merge", path, file("later passed", stem="second")) == (0, [])
    assert junit("sum", path) == (0, ["FLAKY in results: t/test_a.py::B::test_x[1]: no", "2 passed, 0 failed"])


@pytest.mark.parametrize("second, status, lines", [
    (["later passed"], 0, ["FLAKY in results: t/test_a.py::B::test_x[1]: no", "2 passed, 0 failed"]),
    (["later passed", "in a class"], 1, ["FAILED in results: t/test_a.py::B::test_x[1]: no", "1 passed, 1 failed"]),
    (["later skipped"], 1, ["FAILED in results: t/test_a.py::B::test_x[1]: no", "1 passed, 1 failed"]),
    ([], 1, ["FAILED in results: t/test_a.py::B::test_x[1]: no", "1 passed, 1 failed"])], ids=lambda value: "-".join(value) if isinstance(value, list) else "")
def test_a_second_try(file, second, status, lines):
    path = file("passed", "in a class")
    assert junit("merge", path, file(*second, stem="second")) == (0, [])
    assert junit("sum", path) == (status, lines)


def test_a_second_try_without_results(file, folder):
    path = file("in a class")
    assert junit("merge", path, os.path.join(folder, "missing.xml")) == (0, [])
    assert junit("sum", path)[0] == 1
