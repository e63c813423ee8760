# SPDX-License-Identifier: MIT
"""The recipes of docs/recipes.md: each block of commands prints what the block behind it says."""

import contextlib
import os
import re
import signal

import pytest
from support.settings import ROOT
from test_docs import COMPARED, Session, own_network, text_of  # noqa: F401 (a fixture)

# A heading, the commands, and what they print; the preparation prints nothing.
RECIPE = re.compile(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```sh\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.MULTILINE | re.DOTALL)
RECIPES = RECIPE.findall(text_of(COMPARED))


@pytest.fixture
def prepared(own_network):  # noqa: F811
    with Session() as session:
        status, said = session.run(RECIPES[0][1], waits=False)
        assert (status, said) == (0, "")
        yield session
    for name in ("nginx.pid", "haproxy.pid"):  # of a recipe that has failed
        with contextlib.suppress(FileNotFoundError, ProcessLookupError, ValueError):
            with open(os.path.join(ROOT, "build", "recipes", name)) as file:
                os.kill(int(file.read()), signal.SIGKILL)


@pytest.mark.timeout(120)
@pytest.mark.alone
@pytest.mark.parametrize("commands, wanted", [pytest.param(commands, wanted, id=name) for name, commands, wanted in RECIPES[1:]])
def test_recipe(prepared, commands, wanted):
    status, said = prepared.run(commands, waits=False)
    # What echod itself prints stands between the lines.
    said = re.sub(r"^listening on [^\n]*\n", "", said, flags=re.MULTILINE)
    assert (said, status) == (wanted, 0)


def test_there_are_recipes():
    assert len(RECIPES) == 10
    assert all(wanted for _, _, wanted in RECIPES[1:])
