# SPDX-License-Identifier: MIT
"""--help all, the manual page, the completions and the README agree with the server's table of flags."""

import os
import re
import subprocess
import unittest

from server import MODES, ROOT

BUILD = os.path.join(ROOT, "build", "release")
DOCUMENTS = os.path.join(BUILD, "documents")
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


FLAGS = [Flag(line) for line in read(DOCUMENTS, "flags.tsv").splitlines()]
NAMES = {flag.name for flag in FLAGS}


class HelpTest(unittest.TestCase):
    def test_flags_and_defaults(self):
        found = {}
        for item in re.split(r"\n  (?=-)", run(os.path.join(BUILD, "echod"), "--help", "all")):
            match = re.match(r"(?:-\w, )?(--[a-z-]+)(?: (\[?[A-Z]+\]?))?  +([^\[]*)(?:\[(.*)\])?", item)
            if match and match[1] not in ALWAYS:
                found[match[1]] = (match[2] or "", " ".join(match[3].split()), match[4] or "")
        self.assertEqual(found, {flag.name: (flag.metavariable, flag.meaning, flag.initial) for flag in FLAGS})


class ReadmeTest(unittest.TestCase):
    def test_flags_and_defaults(self):
        found = {}
        for line in read(ROOT, "README.md").splitlines():
            match = re.match(r"\| `(--[a-z-]+)(?: \[?[A-Z]+\]?)?`[^|]*\|([^|]*)\|", line)
            if match and (match[1] != "--mode" or "see above" in line):
                found[match[1]] = words(match[2])
        self.assertGreaterEqual(len(found), 10)
        defaults = {flag.name: words(flag.initial) for flag in FLAGS}
        self.assertEqual(found, {name: defaults.get(name) for name in found})


class ManPageTest(unittest.TestCase):
    page = os.path.join(DOCUMENTS, "echod.1")

    def test_no_complaint(self):
        self.assertEqual(run("mandoc", "-T", "lint", "-W", "warning", self.page), "")

    def test_flags_and_defaults(self):
        text = run("mandoc", "-T", "ascii", "-O", "width=500,indent=0", self.page)
        options = re.search(r"\nOPTIONS\n(.*?)\n[A-Z]", re.sub(r".\x08", "", text), re.DOTALL)[1]
        item = re.compile(r"\n +(?:-\w, )?(--[a-z-]+)(?: \[?[A-Z]+\]?)?(?:\n| +)(.*?)(?=\n\n)", re.DOTALL)
        items = dict(item.findall(options + "\n\n"))
        self.assertEqual(set(items), NAMES | ALWAYS - {"-h"})
        for flag in FLAGS:
            item = " ".join(items[flag.name].split())
            self.assertTrue(item.startswith(flag.meaning + "."), item)
            self.assertTrue(item.endswith(f" Variable: {flag.variable}"), item)
            self.assertTrue(not flag.initial or f" Default: {flag.initial}." in item, item)


class CompletionTest(unittest.TestCase):
    def bash(self, *line):
        """What bash offers for the last word of a line; = is a word of its own, as readline has it."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _echod; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        return set(run("bash", "-c", script, "bash", os.path.join(DOCUMENTS, "echod.bash"), *line).split())

    def test_bash(self):
        letters = {"-v"} if "--verbose" in NAMES else set()
        self.assertEqual(self.bash("echod", ""), NAMES | ALWAYS | letters)
        self.assertEqual(self.bash("echod", "--max"), {name for name in NAMES if name.startswith("--max")})
        self.assertEqual(sorted(self.bash("echod", "--mode", "")), sorted(MODES))
        self.assertEqual(sorted(self.bash("echod", "--mode", "=")), sorted(MODES))
        self.assertEqual(sorted(self.bash("echod", "--mode", "=", "p")), ["pool", "process"])
        self.assertEqual(self.bash("echod", "--queue", ""), set())
        self.assertEqual(self.bash("echod", "--check", "--admin"), {"--admin-listen"})
        self.assertEqual(self.bash("echod", "--verbose", "--que"), {"--queue"})

    def test_zsh(self):
        """The specifications that its function hands to zsh's own _arguments."""
        script = '_arguments() { print -rl -- "$@" }; source $1'
        specs = run("zsh", "-fc", script, "zsh", os.path.join(DOCUMENTS, "_echod"))
        found = dict(re.findall(r"^(?:\([^)]*\))?\*?(-[\w-]+)=?\[(.*)\]", specs, re.MULTILINE))
        self.assertEqual(found.pop("-v"), found["--verbose"])
        self.assertEqual(set(found) - ALWAYS, NAMES)
        self.assertEqual({flag.name: found[flag.name] for flag in FLAGS}, {flag.name: flag.meaning for flag in FLAGS})
        self.assertEqual(sorted(re.search(r":MODE:\((.*)\)", specs)[1].split()), sorted(MODES))

    def test_fish(self):
        def fish(line):
            script = f"source $argv[1]; complete -C '{line}'"
            return run("fish", "--no-config", "-c", script, os.path.join(DOCUMENTS, "echod.fish"))

        found = dict(line.split("\t") for line in fish("echod --").splitlines())
        self.assertEqual(set(found), NAMES | ALWAYS - {"-h"})
        for flag in FLAGS:
            self.assertEqual(found[flag.name], flag.meaning)
        self.assertEqual(sorted(line.split("\t")[0] for line in fish("echod --mode ").splitlines()), sorted(MODES))


if __name__ == "__main__":
    unittest.main(verbosity=2)
