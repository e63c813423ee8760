# SPDX-License-Identifier: MIT
"""What two pages of metrics say together."""

import pytest
from lab.text.errors import LabError
from lab.top import figures
from lab.top.figures import Between
from lab.top.page import Page

BOUNDS = ("0.0005", "0.001", "0.0025", "+Inf")


def text(requests=0, failed=0, buckets=(0, 0, 0, 0), mode="event", cpu=0.0, connections=0, switches=(0, 0)):
    """A page as echod writes it; `buckets`: each one's own count."""
    lines = [f'echod_info{{mode="{mode}",version="1.2"}} 1',
             f'echod_requests_total{{mode="{mode}",code="2xx"}} {requests}',
             f'echod_requests_total{{mode="{mode}",code="3xx"}} 0',
             f'echod_requests_total{{mode="{mode}",code="4xx"}} 0',
             f'echod_requests_total{{mode="{mode}",code="5xx"}} {failed}',
             "# TYPE echod_request_duration_seconds histogram"]
    lines += [f'echod_request_duration_seconds_bucket{{mode="{mode}",le="{end}"}} {sum(buckets[:i + 1])}'
              for i, end in enumerate(BOUNDS)]
    lines += [f'echod_connections_total{{mode="{mode}"}} {connections}', f'echod_connections_open{{mode="{mode}"}} 7',
              f'echod_connections_lingering{{mode="{mode}"}} 2',
              *(f'echod_connections{{mode="{mode}",state="{state}"}} {count}' for state, count in
                (("idle", 4), ("reading", 0), ("sending", 0), ("waiting", 1), ("working", 0), ("queued", 3), ("lingering", 2))), f'echod_queue_depth{{mode="{mode}"}} 3',
              f'process_cpu_seconds_total{{mode="{mode}"}} {cpu:.6f}',
              f'process_resident_memory_bytes{{mode="{mode}"}} 2625536', f'echod_threads{{mode="{mode}"}} 4',
              f'echod_context_switches_total{{mode="{mode}",kind="voluntary"}} {switches[0]}',
              f'echod_context_switches_total{{mode="{mode}",kind="involuntary"}} {switches[1]}']
    return "\n".join(lines) + "\n"


def page(at, **values):
    return Page(text(**values), at, 0.001)


def test_rates():
    """Over the time between the pages, not over the interval that was asked for."""
    found = figures.between(page(10, requests=100, failed=5, connections=3, cpu=1.5, switches=(10, 0)),
                            page(14, requests=900, failed=25, connections=5, cpu=3.5, switches=(90, 8)))
    assert (found.interval_s, found.requests_per_s, found.connections_per_s, found.cpu) == (4, 205, 0.5, 0.5)
    assert found.answers_per_s == {"2xx": 200, "3xx": 0, "4xx": 0, "5xx": 5}
    assert (found.switches_per_s, found.switches) == ({"voluntary": 20, "involuntary": 2}, 22)
    assert not found.restarted


def test_a_page_alone_has_no_rates():
    found = figures.between(None, page(10, requests=100))
    assert (found.mode, found.version, found.threads, found.memory_bytes) == ("event", "1.2", 4, 2625536)
    assert found.connections == {"open": 7, "queued": 3, "lingering": 2, "idle": 4, "reading": 0, "sending": 0, "waiting": 1, "working": 0}
    assert (found.requests_per_s, found.cpu, found.p50, found.switches, found.interval_s, found.restarted) == (None,) * 5 + (False,)


RESTARTS = {
    "fewer requests": dict(requests=99, connections=50),
    "fewer connections": dict(requests=101, connections=3),
    "another mode": dict(requests=101, connections=50, mode="thread"),
}


@pytest.mark.parametrize("later", RESTARTS.values(), ids=RESTARTS)
def test_after_a_restart_there_are_no_rates(later):
    found = figures.between(page(1, requests=100, connections=40), page(2, **later))
    assert found.restarted
    assert (found.requests_per_s, found.connections_per_s, found.cpu, found.p99) == (None,) * 4


def test_what_fell_by_itself_has_no_rate():
    """Where the CPU time of a process could not be read, say."""
    found = figures.between(page(1, requests=1, cpu=2.0), page(2, requests=2, cpu=1.0))
    assert (found.requests_per_s, found.cpu, found.restarted) == (1, None, False)


def test_percentiles_are_of_the_time_between():
    found = figures.between(page(1, requests=100, buckets=(0, 0, 0, 100)), page(2, requests=200, buckets=(60, 38, 2, 100)))
    assert (found.p50, found.p99) == (Between(0, 0.0005), Between(0.001, 0.0025))


def test_a_request_that_moves_to_its_bucket():
    """It stood in the first one while its answer was under way."""
    found = figures.between(page(1, requests=10, buckets=(10, 0, 0, 0)), page(2, requests=10, buckets=(9, 0, 1, 0)))
    assert found.p50 == Between(0.001, 0.0025)


PERCENTILES = [
    ({1.0: 0, float("inf"): 0}, 50, None),
    ({}, 50, None),
    ({1.0: 1, 2.0: 1}, 50, Between(0, 1)),
    ({1.0: 1, 2.0: 2}, 50, Between(1, 2)),
    ({1.0: 99, 2.0: 1}, 99, Between(0, 1)),
    ({1.0: 98, 2.0: 1, float("inf"): 1}, 99, Between(1, 2)),
    ({1.0: 98, 2.0: 0, float("inf"): 2}, 99, Between(2, None)),
]


@pytest.mark.parametrize("buckets, per_cent, expected", PERCENTILES)
def test_percentile(buckets, per_cent, expected):
    assert figures.percentile(buckets, per_cent) == expected


def test_a_page_of_another_server():
    """What it does not say is unknown, not 0."""
    found = figures.between(Page("up 1\n", 1, 0), Page("up 1\n", 2, 0))
    assert (found.mode, found.requests_per_s, found.cpu, found.threads, found.p50) == (None,) * 5
    assert set(found.connections.values()) == {None}


def test_what_is_no_number_is_unknown():
    """It must not reach the JSON, which has no such values."""
    found = figures.between(page(1), Page("echod_threads NaN\nechod_connections_open +Inf\n"
                                          'echod_request_duration_seconds_bucket{le="NaN"} 1\n', 2, 0))
    assert (found.threads, found.connections["open"], found.p50) == (None, None, None)


def test_any_bytes_are_a_page_or_an_error():
    """Each byte of a page in turn is lost, or replaced by one that means something in the format."""
    whole = text(requests=1, buckets=(1, 0, 0, 0))
    for i in range(len(whole)):
        for byte in ("", '"', "{", "}", "\n", " ", "#", "\\"):
            try:
                figures.between(page(1), Page(whole[:i] + byte + whole[i + 1:], 2, 0))
            except LabError:
                pass


@pytest.mark.parametrize("malformed", ["echod_threads{ 1", "echod_threads one", "<html>\n<p>no</p>", 'a{b="c} 1'])
def test_a_page_that_is_none(malformed):
    with pytest.raises(LabError):
        Page(malformed, 1, 0)
