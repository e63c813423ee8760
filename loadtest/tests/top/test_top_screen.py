# SPDX-License-Identifier: MIT
"""The table on the terminal."""

import io
from types import SimpleNamespace

import pytest
from lab.top import figures, screen
from rich.console import Console
from test_top_figures import page

TITLES = ("requests/s", "p50", "p99", "connections", "idle", "reading", "sending", "waiting", "working", "queued", "lingering", "threads", "memory", "switches/s", "CPU")


def state(name, mode="event", requests=45_210, **values):
    earlier, later = page(1, mode=mode), page(2, mode=mode, requests=requests, buckets=(requests, 0, 0, 0), cpu=1.5, **values)
    return SimpleNamespace(server=SimpleNamespace(name=name), figures=figures.between(earlier, later), error=None, away_since=None)


def away(name, error="Connection refused"):
    return SimpleNamespace(server=SimpleNamespace(name=name), figures=None, error=error, away_since=90.0)


def drawn(states, width, height=None):
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False, emoji=False)
    console.print(screen.render(states, console, "12:00:00", 100.0, height))
    lines = console.file.getvalue().rstrip("\n").splitlines()
    assert max(map(len, lines)) <= width
    return lines


def row(lines, title):
    [found] = [line for line in lines if line.strip().startswith(title)]
    return found.split()[len(title.split()):]


def test_four_servers_stand_side_by_side_in_80_columns():
    lines = drawn([state("127.0.0.1:8080"), state("127.0.0.1:8081", "thread", 1_000), state("127.0.0.1:8082", "process", 0),
                   away("127.0.0.1:8083")], 80, 24)
    assert row(lines, "mode") == ["event", "thread", "process", "away"]
    assert row(lines, "requests/s") == ["45.2k", "1.0k", "0", "-"]
    assert row(lines, "p50") == ["≤0.5ms", "≤0.5ms", "-", "-"]
    assert row(lines, "CPU") == ["150%", "150%", "150%", "-"]
    assert row(lines, "lingering") == ["2", "2", "2", "-"]
    assert all(any(title in line for line in lines) for title in TITLES)
    assert lines[-1] == "127.0.0.1:8083: Connection refused, for 10 s"


def test_more_servers_than_fit_are_rows():
    lines = drawn([state(f"127.0.0.1:808{i}", switches=(40_000, 9_000)) for i in range(7)], 80, 24)
    assert len(lines) == 10
    assert lines[1].split() == ["server", "mode", "req/s", "5xx", "p50", "p99", "conn", "queue", "thr", "memory", "sw/s", "CPU"]
    for i, line in enumerate(lines[3:]):
        assert line.split() == [f"127.0.0.1:808{i}", "event", "45.2k", "0", "≤0.5ms", "≤0.5ms", "7", "3", "4", "2.5M", "49.0k", "150%"]


def test_ten_servers_stand_side_by_side_in_200_columns():
    lines = drawn([state(f"127.0.0.1:808{i}") for i in range(10)], 200, 24)
    assert row(lines, "requests/s") == ["45.2k"] * 10


def test_a_low_terminal_gets_rows():
    assert drawn([state("a:1"), state("b:1")], 80, 10)[1].startswith("server")
    assert drawn([state("a:1"), state("b:1")], 80, 22)[3].startswith("mode")


def test_a_long_name_gives_way_to_the_figures():
    lines = drawn([state(f"unix:/run/somewhere/far/below/echod-{i}.socket") for i in range(2)], 80)
    for i, line in enumerate(lines[3:]):
        name, *others = line.split()
        assert name.startswith("…") and name.endswith(f"{i}.socket")
        assert others[1] == "45.2k" and others[-1] == "150%"


def test_a_restart_is_told():
    restarted = state("a:1")
    restarted.figures = figures.between(page(1, requests=5), page(2, requests=1))
    lines = drawn([restarted], 80)
    assert lines[-1] == "a:1: restarted"
    assert row(lines, "requests/s") == ["-"]


def test_a_server_cannot_write_to_the_terminal():
    lines = drawn([state("a:1", mode="\x1b[2Jmode"), away("b:1", "no \x1b]0;title\x07")], 80)
    assert "\x1b" not in "".join(lines) and "\x07" not in "".join(lines)


@pytest.mark.parametrize("value, shown", [(0, "0"), (0.04, "0.0"), (1.25, "1.2"), (9.96, "10"), (999.4, "999"), (999.6, "1.0k"),
                                          (45_210, "45.2k"), (123_456, "123k"), (1_234_567, "1.2M"), (5e9, "5.0G")])
def test_number(value, shown):
    assert screen.number(value) == shown


@pytest.mark.parametrize("seconds, shown", [(0.0005, "0.5ms"), (0.0025, "2.5ms"), (0.25, "250ms"), (1, "1s"), (10, "10s")])
def test_duration(seconds, shown):
    assert screen.duration(seconds) == shown


def test_bound():
    assert screen.bound(figures.Between(0.0005, 0.001)) == "≤1ms"
    assert screen.bound(figures.Between(10.0, None)) == ">10s"


@pytest.mark.parametrize("value, shown", [(2_625_536, "2.5M"), (999.94 * 2 ** 20, "999.9M"), (3 * 2 ** 30, "3.0G")])
def test_size(value, shown):
    assert screen.size(value) == shown
