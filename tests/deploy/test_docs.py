# SPDX-License-Identifier: MIT
"""The commands of the documentation do what they are said to do.

A fenced block of the language sh is run from the root of the tree, in a network of its own, so that port 8080 is free.
A server started in it (with & or by ./dev run) is waited for, and serves the later blocks of the document too. A block
that says why a test cannot run it, ```sh needs a cluster, is only read.
"""

import glob
import os
import re
import signal
import subprocess

import container
import pytest
from support.server import environment
from support.settings import ROOT

DOCUMENTS = sorted(os.path.relpath(path, ROOT)
                   for pattern in ("*.md", "deploy/**/*.md", "docs/*.md", "loadtest/**/*.md", "tests/*.md")
                   for path in glob.glob(os.path.join(ROOT, pattern), recursive=True)
                   if "/templates/" not in path)
COMPARED = "docs/recipes.md"  # by test_recipes.py, with its output
REASONS = re.compile(r"(needs|takes) \w+")
URL = "http://127.0.0.1:8080/healthz"
WAIT = f"""
wait_for_server() {{
    tries=0
    until build/release/echod --check {URL} 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 200 ] || exit 1
        sleep 0.1
    done
}}
"""
TIMEOUT = 300  # seconds for a block; the longest builds a package


def text_of(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def blocks(path):
    """(line, reason, text) of each fenced block of the language sh."""
    text = text_of(path)
    for match in re.finditer(r"^```sh(?: +([^\n]*))?\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start()) + 1, match[1], match[2]


def script(block):
    """The block with a wait behind each server that it starts."""
    lines = [WAIT]
    for line in block.splitlines():
        command = re.sub(r"\s+#.*", "", line).rstrip()
        if command.startswith("./dev run") and not command.endswith("&"):
            command += " &"
        lines.append(command + ("\nwait_for_server" if command.endswith("&") else ""))
    return "\n".join(lines)


@pytest.fixture
def own_network():
    """This process is in a network of its own."""
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    container.own_network()
    yield
    container.enter_network(before)
    os.close(before)


class Session:
    """The processes of one document's blocks; what is left of them ends with it."""

    def __init__(self):
        self.leaders = []

    def run(self, block, waits=True):
        """The status, and what was said. `waits`: for the servers that it starts."""
        path = f"{ROOT}/build/release:{os.environ['PATH']}:/usr/sbin"
        child = subprocess.Popen(["sh", "-eu", "-c", script(block) if waits else block], cwd=ROOT, env=environment({"PATH": path}),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, start_new_session=True)
        self.leaders.append(child.pid)
        # A server in the background keeps the pipe open: the shell's end is what counts.
        try:
            status = child.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            status = None
        os.set_blocking(child.stdout.fileno(), False)
        said = child.stdout.read() or ""
        child.stdout.close()
        return status, said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for leader in self.leaders:
            try:
                os.killpg(leader, signal.SIGKILL)
            except ProcessLookupError:
                pass


def document(path):
    """It runs alone if its commands measure, or install, which writes the paths of the installation into files of the build."""
    text = "".join(block for _, reason, block in blocks(path) if not reason)
    return pytest.param(path, marks=pytest.mark.alone if re.search(r"\./dev (compare|bench)|cmake --install", text) else ())


@pytest.mark.timeout(2 * TIMEOUT)
@pytest.mark.parametrize("path", [document(path) for path in DOCUMENTS if any(blocks(path)) and path != COMPARED])
def test_blocks(path, own_network):
    with Session() as session:
        for line, reason, block in blocks(path):
            if reason:
                assert re.search(REASONS, reason), f"{path}:{line}: {reason}"
                continue
            status, said = session.run(block)
            assert status == 0, f"{path}:{line}: {block}\n{said[-3000:]}"


def test_there_are_blocks():
    assert sum(1 for path in DOCUMENTS for _, reason, _ in blocks(path) if not reason) > 5


def test_every_command_of_dev_is_one():
    usage = subprocess.run(["./dev", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^  (\w+)", usage, re.MULTILINE))
    for path in DOCUMENTS:
        for command in re.findall(r"\./dev (\w+)", text_of(path)):
            assert command in known | {"help"}, path


def test_links_lead_somewhere():
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text_of(path)):
            if "://" not in target:
                there = os.path.join(ROOT, os.path.dirname(path), target)
                assert os.path.exists(there), f"{path}: {target}"


def test_every_folder_of_deploy_is_described():
    folder = os.path.join(ROOT, "deploy")
    text = text_of("deploy/README.md")
    for name in os.listdir(folder):
        if os.path.isdir(os.path.join(folder, name)):
            assert f"| `{name}/` |" in text
