# SPDX-License-Identifier: MIT
"""undici is installed by npm once in a test run, and a failure holds for that run only."""

import os

import clients
import pytest

# Appends a line to `asked`; installs if there is a registry.
NPM = """#!/bin/sh
echo asked >>"{folder}/asked"
mkdir -p "$3/node_modules/undici"
: >"$3/node_modules/undici/index.js"
[ -e "{folder}/registry" ]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    program = tmp_path / "npm"
    program.write_text(NPM.format(folder=tmp_path))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(clients, "BUILD", str(tmp_path / "build"))
    return tmp_path


def times_asked(folder):
    return len((folder / "asked").read_text().splitlines())


def begin_run(monkeypatch, name):
    monkeypatch.setenv("PYTEST_XDIST_TESTRUNUID", name)


def test_npm_is_asked_again_in_the_next_run(folder, monkeypatch):
    begin_run(monkeypatch, "first")
    for _ in range(2):
        with pytest.raises(pytest.skip.Exception):
            clients.undici_path()
    assert times_asked(folder) == 1, "another worker of the same run does not ask again"
    (folder / "registry").touch()
    begin_run(monkeypatch, "second")
    assert os.path.exists(clients.undici_path())
    assert times_asked(folder) == 2
    begin_run(monkeypatch, "third")
    assert os.path.exists(clients.undici_path())
    assert times_asked(folder) == 2, "what is installed is kept"
