# SPDX-License-Identifier: MIT
"""The build option ECHOD_MODES: which modes the program offers."""

import os
import re
import subprocess

import pytest
from support.settings import MODES, ROOT


def configure(folder, modes):
    return subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DECHOD_SWARM=OFF",
                           f"-DECHOD_MODES={modes}"], capture_output=True, text=True, check=False)


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
    done = subprocess.run(["cmake", "--build", folder, "--target", "echod"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    echod = os.path.join(folder, "echod")
    text = subprocess.run([echod, "--help"], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^    (\w+)  ", text, re.MULTILINE) == ["pool", "process"]
    assert "concurrency model [pool]\n" in text
    refused = subprocess.run([echod, "--mode", "event"], capture_output=True, text=True, check=False)
    assert refused.returncode == 2
    assert "--mode 'event': allowed: pool, process" in refused.stderr
