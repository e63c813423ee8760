# SPDX-License-Identifier: MIT
"""The build option ECHOD_MODES, and libraries that are missing: which modes the program offers."""

import os
import re
import subprocess

import pytest
from support.settings import MODES, ROOT

LIBRARIES = {"fiber": ("BOOST_CONTEXT_LIBRARY", "Boost.Context"), "uring": ("LIBURING_LIBRARY", "liburing")}


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def configure(folder, modes, *options):
    return run("cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DECHOD_SWARM=OFF",
               f"-DECHOD_MODES={modes}", *options)


def build(folder, *targets):
    """The path of the program."""
    done = run("cmake", "--build", folder, "--target", "echod", *targets)
    assert done.returncode == 0, done.stdout
    return os.path.join(folder, "echod")


def offered(echod):
    return re.findall(r"^    (\w+)  ", run(echod, "--help").stdout, re.MULTILINE)


@pytest.mark.parametrize("modes", ["fibre", "thread;mode", "../main"])
def test_unknown(modes, folder):
    done = configure(folder, modes)
    assert done.returncode != 0
    said = f"there is no mode '{modes.split(';')[-1]}'; there are: {', '.join(MODES)}"
    assert said in " ".join(done.stderr.split())


@pytest.mark.timeout(300)
def test_some(folder):
    done = configure(folder, "pool;process")
    assert done.returncode == 0, done.stderr
    echod = build(folder)
    assert offered(echod) == ["pool", "process"]
    assert "concurrency model [pool]\n" in run(echod, "--help").stdout
    refused = run(echod, "--mode", "event")
    assert refused.returncode == 2
    assert "--mode 'event': allowed: pool, process" in refused.stderr


@pytest.mark.timeout(300)
def test_a_library_that_is_missing(folder):
    """Its mode is left out, which --help says, and the message that refuses the mode."""
    done = configure(folder, "", *(f"-D{variable}=OFF" for variable, _ in LIBRARIES.values()))
    assert done.returncode == 0, done.stderr
    echod = build(folder, "documents")
    there = [mode for mode in MODES if mode not in LIBRARIES]
    assert offered(echod) == there
    for mode, (_, library) in LIBRARIES.items():
        reason = f"not in this build ({library} was not found when it was built)"
        assert f"\n    {mode}: {reason}\n" in run(echod, "--help").stdout
        refused = run(echod, "--mode", mode)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == f"echod: --mode '{mode}': {reason}; allowed: {', '.join(there)}\n"
    with open(os.path.join(folder, "documents", "echod.bash")) as file:
        assert f"compgen -W '{' '.join(there)}'" in file.read()


def test_a_mode_that_is_asked_for_needs_its_library(folder):
    for mode, (variable, _) in LIBRARIES.items():
        done = configure(folder, f"event;{mode}", f"-D{variable}=OFF")
        assert done.returncode != 0
        assert f"the library of the mode {mode} was not found" in " ".join(done.stderr.split())
