# SPDX-License-Identifier: MIT
"""Options and paths of the smuggling stage; the programs are started with the integration suite's support."""

import os
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "integration")]


def pytest_addoption(parser):
    parser.addoption("--server", default="build/asan/echod", help="the echod to be tested")
