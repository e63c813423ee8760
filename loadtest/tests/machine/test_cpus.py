# SPDX-License-Identifier: MIT
"""Who gets which CPU."""


import pytest
from lab.machine import cpus


def alone(cpu):
    return {cpu}


def pairs(cpu):
    return {cpu & ~1, cpu | 1}


def test_lists():
    assert cpus.parse_list("0-2,7\n") == {0, 1, 2, 7}
    assert cpus.show({3, 1}) == "1,3"


CASES = (
    ("one", {4}, alone, {4}, {4}),
    ("two cores", {0, 1}, alone, {0}, {1}),
    ("three cores", {0, 1, 5}, alone, {0}, {1, 5}),
    ("eight cores", set(range(8)), alone, {0, 1}, set(range(2, 8))),
    ("two hardware threads of one core", {0, 1}, pairs, {0}, {1}),
    ("two cores of two hardware threads", {0, 1, 2, 3}, pairs, {0, 1}, {2, 3}),
    ("a core of which one hardware thread is allowed", {1, 2, 3}, pairs, {1}, {2, 3}),
)


@pytest.mark.parametrize("allowed, siblings, server, client", [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_split(allowed, siblings, server, client):
    pinning = cpus.split(allowed, siblings)
    assert (pinning.server, pinning.client) == (server, client)


def test_shared():
    pinning = cpus.shared(cpus.split(set(range(8)), alone))
    assert (pinning.server, pinning.client, pinning.is_shared) == ({0}, {0}, True)
    assert [cpus.split(allowed, alone).is_shared for allowed in ({0, 1}, {4})] == [False, True]


def test_one_for_the_server():
    pinning = cpus.one_for_server(cpus.split(set(range(8)), alone))
    assert (pinning.server, pinning.client) == ({0}, set(range(2, 8)))


def test_sharing_is_said():
    assert "share CPU 4" in cpus.split({4}, alone).note
    assert "slow each other down" in cpus.split({0, 1}, pairs).note
    assert "slow" not in cpus.split({0, 1}, alone).note
