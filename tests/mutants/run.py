#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Changes the meaning of the server in one place at a time, and looks which test finds it; see README.md."""

import argparse
import contextlib
import dataclasses
import functools
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import xml.etree.ElementTree as xml

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(FOLDER))
sys.path.insert(0, os.path.join(ROOT, "scripts"))

import junit  # noqa: E402

LIST = os.path.join(FOLDER, "mutants.toml")
WORK = os.path.join(ROOT, "build", "mutants")
TREE = os.path.join(WORK, "tree")  # the copy that is changed
BUILD = os.path.join(TREE, "build", "asan")
BUILD_LOG = os.path.join(WORK, "build.log")
SUITE_LOG = os.path.join(WORK, "suite.log")  # what ctest or pytest said last
SUITE_RESULTS = os.path.join(WORK, "suite.xml")
RESULTS = os.path.join(WORK, "results.json")

PYTEST = [sys.executable, "-B", "-m", "pytest", "--rootdir", ".", "-o", "junit_family=xunit1"]
NO_SUCH_CASE, NOTHING_RAN = 4, 5  # statuses of pytest
CASES_FAILED = (0, 1, 2, 8)  # statuses of pytest, with -x under xdist too, and of ctest, where cases have failed or none has
SUITES = ("unit", "integration", "faults")
PROGRAMS_OF_CASES = {"test_completions.py": "echod_ring_faults"}  # which only a build with liburing has
UNIT_LABELS = "^(unit|stress)$"
FEW = 8  # cases that are run by one process
ROUNDS = 3  # of a suite, if cases fail that pass when they are run again
LIMIT = 1800  # seconds that a suite may take; a whole one takes a third of it on two busy processors
CLEANING = 30  # seconds that a suite may take to end its servers when it is interrupted
# In what is said of a server that ended badly and that cases had shared: no case alone is to blame, so that none is run again.
SHARED = "which tests shared"


@dataclasses.dataclass(frozen=True)
class Mutant:
    """One change of meaning: `old` stands in `file` once, and becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    why: str
    first: tuple = ()  # what to try first: "unit:NAME", or an id of pytest
    equivalent: str = ""  # why no test can find it

    @property
    def units(self):
        return [text.removeprefix("unit:") for text in self.first if text.startswith("unit:")]

    @property
    def cases(self):
        return [text for text in self.first if "::" in text]


class Mistake(Exception):
    """The list does not fit the tree, or the tests cannot run."""


def read_list():
    with open(LIST, "rb") as file:
        rows = tomllib.load(file)["mutant"]
    mutants = {row["name"]: Mutant(**{**row, "first": tuple(row.get("first", ()))}) for row in rows}
    if len(mutants) < len(rows):
        raise Mistake("two mutants have the same name")
    for mutant in mutants.values():
        mutated(mutant)
        for name in mutant.units:
            if not programs_of(name):
                raise Mistake(f"{mutant.name}: no unit test {name!r}")
        if len(mutant.units) + len(mutant.cases) < len(mutant.first):
            raise Mistake(f"{mutant.name}: neither unit:NAME nor an id of pytest in {mutant.first}")
    return mutants


def mutated(mutant):
    """The file's text with the change."""
    with open(os.path.join(ROOT, mutant.file)) as file:
        text = file.read()
    if text.count(mutant.old) != 1 or mutant.old == mutant.new:
        raise Mistake(f"{mutant.name}: its old text stands {text.count(mutant.old)} times in {mutant.file}, not once")
    return text.replace(mutant.old, mutant.new)


def programs_of(unit):
    """The names of the programs that test this module."""
    return [f"{kind}_{unit}" for kind in ("test", "stress") if glob.glob(os.path.join(ROOT, "tests", "unit", "*", f"{kind}_{unit}.c"))]


# The copy


def write_changed(path, data):
    """Leaves the file alone if it has these bytes, so that nothing is built for it."""
    try:
        with open(path, "rb") as file:
            if file.read() == data:
                return
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)


def make_copy():
    """The work tree's files as they stand, without what git ignores. What is left of another run is removed."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                            capture_output=True)
    names = {name for name in listed.stdout.decode().split("\0") if name and os.path.isfile(os.path.join(ROOT, name))}
    for folder, folders, files in os.walk(TREE):
        if folder == TREE:
            folders[:] = [name for name in folders if name != "build"]
        for name in files:
            path = os.path.join(folder, name)
            if os.path.relpath(path, TREE) not in names:
                os.unlink(path)
    for name in names:
        with open(os.path.join(ROOT, name), "rb") as file:
            write_changed(os.path.join(TREE, name), file.read())
        shutil.copymode(os.path.join(ROOT, name), os.path.join(TREE, name))


def change(mutant):
    write_changed(os.path.join(TREE, mutant.file), mutated(mutant).encode())


def restore(mutant):
    with open(os.path.join(ROOT, mutant.file), "rb") as file:
        write_changed(os.path.join(TREE, mutant.file), file.read())


def build(*targets):
    """Builds all, or these. Whether it could; the log is in build.log. The compiler's warnings are no tests of ours."""
    with open(BUILD_LOG, "wb") as log:
        commands = [["cmake", "--build", BUILD, "--parallel", str(jobs()), *(("--target", *targets) if targets else ())]]
        if not os.path.exists(os.path.join(BUILD, "build.ninja")):
            commands.insert(0, ["cmake", "--preset", "asan", "-DECHOD_WERROR=OFF"])
        return all(subprocess.run(command, cwd=TREE, stdout=log, stderr=log).returncode == 0 for command in commands)


def targets_of(mutants):
    """What the first suites of these need."""
    units = {program for mutant in mutants for unit in mutant.units for program in programs_of(unit)}
    cases = {program for mutant in mutants for case in mutant.cases for part, program in PROGRAMS_OF_CASES.items() if part in case}
    return sorted({"echod", "echod_failing", *units, *cases})


# The suites


def jobs():
    return min(2, len(os.sched_getaffinity(0)))


def run(command):
    """Runs ctest or pytest, which leaves a JUnit file. Its status (None: it did not end in time) and its cases."""
    env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1", UBSAN_OPTIONS=os.environ.get("UBSAN_OPTIONS", "print_stacktrace=1"))
    if os.path.exists(SUITE_RESULTS):
        os.unlink(SUITE_RESULTS)
    with open(SUITE_LOG, "wb") as log:
        child = subprocess.Popen(command, cwd=TREE, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True)
    try:
        status = child.wait(LIMIT)
    except subprocess.TimeoutExpired:
        status = None
    finally:
        end(child)
    try:
        return status, list(xml.parse(SUITE_RESULTS).iter("testcase"))
    except (OSError, xml.ParseError):
        return status, []


def end(child):
    """Has it end its servers, and then whatever it leaves."""
    if child.poll() is None:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(CLEANING)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def failed(status, cases):
    """The message of each failed case, by its name. If the suite ended for another reason, the fault is the runner's, not the tests'."""
    if status is not None and status not in CASES_FAILED:
        raise Mistake(f"the suite ended with status {status}, see {SUITE_LOG}")
    found = {junit.title(case): reason.get("message", "") for case in cases for reason in case if reason.tag in ("failure", "error")}
    if not found and status != 0:
        return {f"the suite ({'it did not end in time' if status is None else f'it ended with status {status}'})": ""}
    return found


def failed_units(only=""):
    command = ["ctest", "--test-dir", BUILD, "--parallel", str(jobs()), "--stop-on-failure", "--output-junit", SUITE_RESULTS,
               "--no-tests=error", "--label-regex", UNIT_LABELS, *(("--tests-regex", f"^(test|stress)_{only}$") if only else ())]
    status, cases = run(command)
    if status is not None and all(case.get("status") == "notrun" for case in cases):
        raise Mistake(f"no unit test {only} ran, see {SUITE_LOG}")
    return failed(status, cases)


def failed_cases(cases, without=()):
    """`cases`: ids or folders; without those with the other ids."""
    many = len(cases) > FEW or any("::" not in case for case in cases)  # those share the time that each worker takes to find them
    status, ran = run([*PYTEST, "-x", "-n", str(3 * jobs() if many else 0), f"--server={os.path.join(BUILD, 'echod')}",
                       "--junitxml", SUITE_RESULTS, *(f"--deselect={name}" for name in without), *cases])
    if status == NOTHING_RAN and without:
        return {}
    if status in (NOTHING_RAN, NO_SUCH_CASE) or (ran and all(case.find("skipped") is not None for case in ran)):
        raise Mistake(f"no case of {', '.join(cases)} ran, see {SUITE_LOG}")
    return failed(status, ran)


def first_failed_case(*cases):
    """A case that fails again when it is run again, or a failure that no case alone has caused; None if there is neither. An
    ERROR if other cases fail each time, and pass when they are run again."""
    momentary = []
    for _ in range(ROUNDS):
        found = failed_cases(cases, momentary)
        for name, said in found.items():
            if "::" not in name or SHARED in said or failed_cases([name]):
                return name
            momentary.append(name)
        if not found:
            return None
    return f"ERROR: cases fail that pass when they are run again, at last {momentary[-1]}"


def first_failed_unit(only=""):
    return next(iter(failed_units(only)), None)


def searches(mutant, wanted):
    """Yields the targets to build (empty: all) and a function that returns the name of a failed test: first for the tests that the
    list names, then for whole suites."""
    targets = targets_of([mutant])
    for unit in mutant.units:
        yield targets, functools.partial(first_failed_unit, unit)
    if mutant.cases:
        yield targets, functools.partial(first_failed_case, *mutant.cases)
    for suite in wanted:
        yield [], first_failed_unit if suite == "unit" else functools.partial(first_failed_case, f"tests/{suite}")


def check_unchanged(mutants):
    """What the list names passes in the unchanged copy."""
    units = sorted({unit for mutant in mutants for unit in mutant.units})
    cases = sorted({case for mutant in mutants for case in mutant.cases})
    wrong = {**(failed_units(f"({'|'.join(units)})") if units else {}), **(failed_cases(cases) if cases else {})}
    if wrong:
        raise Mistake(f"without a change fails {', '.join(wrong)}, see {SUITE_LOG}")


def search(mutant, wanted):
    """Builds the changed copy; what finds it, or None."""
    change(mutant)
    try:
        built = None
        for targets, find in searches(mutant, wanted):
            if targets != built and not build(*targets):
                return f"ERROR: it does not build, see {BUILD_LOG}"
            built = targets
            if found := find():
                return found
        return None
    finally:
        restore(mutant)


def check_cases(mutants):
    """pytest runs, and knows the ids in the list."""
    cases = sorted({case for mutant in mutants for case in mutant.cases}) or ["tests/faults"]
    done = subprocess.run([*PYTEST, "--collect-only", "-qq", *cases], cwd=ROOT, capture_output=True, text=True)
    if done.returncode != 0:
        raise Mistake(f"pytest does not find the cases: {(done.stderr or done.stdout).strip()}")


# Results


def read_results():
    try:
        with open(RESULTS) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def keep_result(results, name, **result):
    results[name] = result
    with open(RESULTS + ".new", "w") as file:
        json.dump(results, file, indent=1)
    os.replace(RESULTS + ".new", RESULTS)


def is_found(result):
    found = result.get("found")
    return bool(found) and not found.startswith("ERROR")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="of mutants, or parts of names (default: all)")
    parser.add_argument("--resume", action="store_true", help="keep the results of earlier runs; those that survived run again")
    parser.add_argument("--suites", default=",".join(SUITES), metavar="LIST",
                        help="after what the list names for a mutant (default: %(default)s)")
    parser.add_argument("--junitxml", metavar="FILE", help="a JUnit file to write the results to")
    parser.add_argument("--list", action="store_true", help="check the list, print the names and end")
    return parser.parse_args()


def chosen(mutants, names):
    for name in names:
        if not any(name in each for each in mutants):
            raise Mistake(f"no mutant {name!r}")
    return [mutant for name, mutant in mutants.items() if any(part in name for part in names) or (not names and not mutant.equivalent)]


def main():
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end the suite and restore the copy
    options = arguments()
    wanted = [name for name in options.suites.split(",") if name]
    if not set(wanted) <= set(SUITES):
        raise Mistake(f"--suites: there are {', '.join(SUITES)}")
    mutants = read_list()
    selected = chosen(mutants, options.names)
    check_cases(selected)
    if options.list:
        print("\n".join(mutant.name for mutant in selected))
        return 0
    os.makedirs(TREE, exist_ok=True)
    make_copy()
    results = read_results() if options.resume or options.names else {}
    to_run = [mutant for mutant in selected if not options.resume or not is_found(results.get(mutant.name, {}))]
    if to_run and not build(*targets_of(to_run)):
        raise Mistake(f"the tree does not build, see {BUILD_LOG}")
    check_unchanged(to_run)
    outcomes = []
    try:
        run_all(selected, to_run, wanted, results, outcomes)
    finally:
        if options.junitxml:
            junit.write(options.junitxml, outcomes)
    for mutant in mutants.values():
        if mutant.equivalent and not options.names:
            print(f"not run: {mutant.name}: {mutant.equivalent}")
    failures = sum(1 for _, failure in outcomes if failure)
    print(f"{len(outcomes) - failures} passed, {failures} failed")
    return 1 if failures else 0


def run_all(selected, to_run, wanted, results, outcomes):
    """Adds (name, why it failed or None) of each to `outcomes`."""
    for mutant in selected:
        if mutant in to_run:
            begin = time.monotonic()
            try:
                found = search(mutant, wanted)
            except Mistake as mistake:
                found = f"ERROR: {mistake}"
            keep_result(results, mutant.name, found=found, seconds=round(time.monotonic() - begin))
        result = results[mutant.name]
        good = is_found(result) or (result["found"] is None and bool(mutant.equivalent))
        text = f"found by {result['found']}" if is_found(result) else result["found"] or "SURVIVED"
        outcomes.append((mutant.name, None if good else text))
        print(f"{'ok  ' if good else 'FAIL'} {mutant.name}: {text} after {result['seconds']} s", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Mistake as mistake:
        sys.exit(f"mutants: {mistake}")
    except KeyboardInterrupt:
        sys.exit(130)
