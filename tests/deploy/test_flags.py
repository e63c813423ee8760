# SPDX-License-Identifier: MIT
"""--help all, the manual page, the completions and the README agree with the server's table of flags."""

import os
import re
import subprocess

import pytest
from support.settings import MODES, ROOT

BUILD = os.path.join(ROOT, "build", "release")
DOCUMENTS = os.path.join(BUILD, "documents")
PAGE = os.path.join(DOCUMENTS, "echod.1")
ALWAYS = {"--help", "-h", "--version"}  # not in the table


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60, **options).stdout


def read(*path):
    with open(os.path.join(*path)) as file:
        return file.read()


def words(text):
    """What a cell of a table says, whatever the order and the punctuation."""
    return sorted(re.findall(r"[\w.:]*\w", text.replace("`", "")))


class Flag:
    def __init__(self, line):
        self.name, self.metavariable, self.initial, self.meaning = line.split("\t")

    @property
    def variable(self):
        return "ECHOD_" + self.name[2:].upper().replace("-", "_")


@pytest.fixture(scope="module")
def flags():
    return [Flag(line) for line in read(DOCUMENTS, "flags.tsv").splitlines()]


@pytest.fixture(scope="module")
def names(flags):
    return {flag.name for flag in flags}


def test_help(flags):
    found = {}
    for item in re.split(r"\n  (?=-)", run(os.path.join(BUILD, "echod"), "--help", "all")):
        match = re.match(r"(?:-\w, )?(--[a-z-]+)(?: (\[?[A-Z]+\]?))?  +([^\[]*)(?:\[(.*)\])?", item)
        if match and match[1] not in ALWAYS:
            found[match[1]] = (match[2] or "", " ".join(match[3].split()), match[4] or "")
    assert found == {flag.name: (flag.metavariable, flag.meaning, flag.initial) for flag in flags}


def test_readme(flags):
    found = {}
    for line in read(ROOT, "README.md").splitlines():
        match = re.match(r"\| `(--[a-z-]+)(?: \[?[A-Z]+\]?)?`[^|]*\|([^|]*)\|", line)
        if match and (match[1] != "--mode" or "see above" in line):
            found[match[1]] = words(match[2])
    assert len(found) >= 10
    defaults = {flag.name: words(flag.initial) for flag in flags}
    assert found == {name: defaults.get(name) for name in found}


def test_man_page_is_sound():
    assert run("mandoc", "-T", "lint", "-W", "warning", PAGE) == ""


def test_man_page(flags, names):
    text = run("mandoc", "-T", "ascii", "-O", "width=500,indent=0", PAGE)
    options = re.search(r"\nOPTIONS\n(.*?)\n[A-Z]", re.sub(r".\x08", "", text), re.DOTALL)[1]
    item = re.compile(r"\n +(?:-\w, )?(--[a-z-]+)(?: \[?[A-Z]+\]?)?(?:\n| +)(.*?)(?=\n\n)", re.DOTALL)
    items = dict(item.findall(options + "\n\n"))
    assert set(items) == names | ALWAYS - {"-h"}
    for flag in flags:
        item = " ".join(items[flag.name].split())
        assert item.startswith(flag.meaning + "."), item
        assert item.endswith(f" Variable: {flag.variable}"), item
        assert not flag.initial or f" Default: {flag.initial}." in item, item


def bash(*line):
    """What bash offers for the last word of a line; = is a word of its own, as readline has it."""
    script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _echod; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    return set(run("bash", "-c", script, "bash", os.path.join(DOCUMENTS, "echod.bash"), *line).split())


def test_bash(names):
    letters = {"-v"} if "--verbose" in names else set()
    assert bash("echod", "") == names | ALWAYS | letters
    assert bash("echod", "--max") == {name for name in names if name.startswith("--max")}
    assert sorted(bash("echod", "--mode", "")) == sorted(MODES)
    assert sorted(bash("echod", "--mode", "=")) == sorted(MODES)
    assert bash("echod", "--mode", "=", "p") == {mode for mode in MODES if mode.startswith("p")}
    assert bash("echod", "--queue", "") == set()
    assert bash("echod", "--check", "--admin") == {"--admin-listen"}
    assert bash("echod", "--verbose", "--que") == {"--queue"}


def test_zsh(flags, names):
    """The specifications that its function hands to zsh's own _arguments."""
    script = '_arguments() { print -rl -- "$@" }; source $1'
    specs = run("zsh", "-fc", script, "zsh", os.path.join(DOCUMENTS, "_echod"))
    found = dict(re.findall(r"^(?:\([^)]*\))?\*?(-[\w-]+)=?\[(.*)\]", specs, re.MULTILINE))
    assert found.pop("-v") == found["--verbose"]
    assert set(found) - ALWAYS == names
    assert {flag.name: found[flag.name] for flag in flags} == {flag.name: flag.meaning for flag in flags}
    assert sorted(re.search(r":MODE:\((.*)\)", specs)[1].split()) == sorted(MODES)


def test_fish(flags, names):
    def fish(line):
        script = f"source $argv[1]; complete -C '{line}'"
        return run("fish", "--no-config", "-c", script, os.path.join(DOCUMENTS, "echod.fish"))

    found = dict(line.split("\t") for line in fish("echod --").splitlines())
    assert set(found) == names | ALWAYS - {"-h"}
    for flag in flags:
        assert found[flag.name] == flag.meaning
    assert sorted(line.split("\t")[0] for line in fish("echod --mode ").splitlines()) == sorted(MODES)
