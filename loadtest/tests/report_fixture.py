# SPDX-License-Identifier: MIT
"""Results as the lab writes them, made up: for the tests of everything that is made from results."""

import math
import random
from statistics import median

from lab.report import timelines
from lab.results import histogram

MODES = {"thread": "mode", "event": "mode", "hybrid": "mode", "pool": "mode", "process": "mode",
         "ceiling-epoll": "ceiling", "ceiling-threads": "ceiling"}
_CEILINGS = {"event": "ceiling-epoll", "hybrid": "ceiling-epoll", "thread": "ceiling-threads", "pool": "ceiling-threads"}
_BASE = {"thread": 8.9, "event": 7.0, "hybrid": 7.1, "pool": 9.0, "process": 9.4, "ceiling-epoll": 6.8,
         "ceiling-threads": 8.8}


def figure(name, title, unit="", better="lower", log=False, meaning=""):
    return {"name": name, "title": title, "unit": unit, "better": better, "log": log, "meaning": meaning or f"what {title} is"}


RPS = figure("rps", "requests/s", "/s", "higher", meaning="answers in a second")
CPU = figure("cpu_us_per_request", "CPU per request", "µs", meaning="user and system time of the server per request")
P99 = figure("p99_us", "p99", "µs", log=True, meaning="99th percentile of the latency")
SWITCHES = figure("switches_per_request", "switches per request", meaning="context switches of the server per request")
MEMORY = figure("user_bytes_per_connection", "memory per connection", "bytes", log=True, meaning="growth of user memory")
GOODPUT = figure("goodput_share", "goodput/capacity", "%", "higher", meaning="right answers in time, of the capacity")
LOST = figure("lost", "lost updates", "", meaning="updates that were not there at the end")
CONNECTIONS = {"name": "connections", "title": "connections", "unit": "", "log": True}


class Noise:
    """Rounds about a value, as they come on a small virtual machine."""

    def __init__(self, seed, sigma=0.05, outliers=0.0):
        self._random = random.Random(seed)
        self._sigma, self._outliers = sigma, outliers

    def __call__(self, value):
        slow = 1.6 if self._random.random() < self._outliers else 1.0
        return value * slow * math.exp(self._random.gauss(0, self._sigma))


def measurement(subject, x, number, figures, kind=None, failure=None, marks=(), **more):
    return {"subject": subject, "kind": kind or MODES.get(subject, "mode"), "x": x, "round": number, "failure": failure,
            "asked_rate": None, "achieved_rate": None, "errors": {}, "figures": figures,
            "samples": {name: 20_000 for name in figures}, "histograms": {}, "series": {}, "marks": list(marks), "details": {},
            **more}


def condition(text="thread/event, CPU per request at 1,024", ratio=2.1, low=1.9, high=2.2, sign=">=", wanted=1.3, rounds=5,
              coverage=0.94, samples=31_000, outcome="holds"):
    return {"text": text, "ratio": ratio, "low": low, "high": high, "sign": sign, "wanted": wanted, "rounds": rounds,
            "coverage": coverage, "samples": samples, "outcome": outcome}


def verdict(outcome="holds", sentence="A request costs 8.9 µs in thread and 7.0 µs in event.", mode=None, why=None, conditions=None):
    """A verdict with a condition that has the same outcome."""
    return {"mode": mode, "outcome": outcome, "sentence": sentence, "why": why,
            "conditions": [condition(outcome=outcome)] if conditions is None else conditions}


def claim(name, text, *verdicts):
    return {"name": name, "claim": text, "source": "the article, on context switches", "reverse": "A ratio below 1.3 would refute it.",
            "verdicts": list(verdicts) or [verdict()]}


def summarised(measurements):
    """The summary of measurements: medians and spread of each subject at each x."""
    groups, rows = {}, []
    for entry in measurements:
        groups.setdefault((entry["subject"], entry["x"]), []).append(entry)
    for (subject, x), entries in groups.items():
        failure = next((entry["failure"] for entry in entries if entry["failure"]), None)
        row = {"subject": subject, "kind": entries[0]["kind"], "x": x, "failure": failure, "figures": {}, "to_ceiling": {},
               "samples": {}, "coverage": {1: 0.0, 3: 0.75, 5: 0.94}.get(len(entries), 0.98),
               "marks": sorted({mark for entry in entries for mark in entry["marks"]})}
        for name in entries[0]["figures"] if not failure else ():
            values = [entry["figures"][name] for entry in entries]
            middle = median(values)
            row["figures"][name] = {"median": middle, "mad": median(abs(value - middle) for value in values),
                                    "low": min(values), "high": max(values), "values": values}
        rows.append(row)
    medians = {(row["subject"], row["x"]): row["figures"] for row in rows}
    for row in rows:
        ceiling = medians.get((_CEILINGS.get(row["subject"]), row["x"]), {})
        row["to_ceiling"] = {name: sample["median"] / ceiling[name]["median"] for name, sample in row["figures"].items()
                             if name in ceiling and ceiling[name]["median"]}
    return rows


def experiment(name, figures, measurements, x=None, chart="line", claims=None, title=None):
    return {"name": name, "title": title or f"The experiment {name}",
            "about": "A fresh server for each measurement, pinned to its own CPUs. Warm-up is discarded.",
            "command": f"./dev compare --only {name}", "x": x, "figures": figures, "skipped": None, "ended": None,
            "chart": {"figure": figures[0]["name"], "type": chart}, "measurements": measurements,
            "summary": summarised(measurements), "claims": [claim("a-claim", f"What is said of {name}")] if claims is None else claims}


def scaling(noise, rounds=3, slower=None, counts=(1, 16, 64, 256, 1024)):
    """Over connections. `slower`: factors of CPU per request by subject."""
    made = []
    for number in range(1, rounds + 1):
        for x in counts:
            for subject in MODES:
                cpu = _BASE[subject] * (1 + 1.2 / x) * (slower or {}).get(subject, 1)
                if subject in ("thread", "process", "ceiling-threads"):
                    cpu *= 1 + 0.04 * math.log2(x)
                if subject == "process" and x == 1024:
                    made.append(measurement(subject, x, number, {}, failure={
                        "kind": "limit", "reason": "refused at 812 connections: pids.max of the cgroup is 819"}))
                    continue
                made.append(measurement(subject, x, number, {
                    "cpu_us_per_request": noise(cpu), "rps": noise(1e6 / cpu), "p99_us": noise(cpu * x * 1.4 + 30),
                    "switches_per_request": noise(0.02 if subject in ("event", "ceiling-epoll") else 1.1)},
                    marks=["client_limited"] if x == 64 and subject == "event" else []))
    growth = condition("thread at 1,024/thread at 64, CPU per request", 1.42, 1.31, 1.5, rounds=rounds)
    flat = condition("event at 1,024/event at 64, CPU per request", 1.04, 0.98, 1.18, "<=", 1.1, rounds, outcome="no clear answer")
    return experiment("scaling", [CPU, RPS, P99, SWITCHES], made, CONNECTIONS, title="CPU and rate over the number of connections", claims=[
        claim("grows", "With more connections a request costs a thread more CPU.",
              verdict(mode="thread", sentence="A request costs 9.3 µs at 64 and 13.2 µs at 1,024.", conditions=[growth]),
              verdict("does not hold", "A request costs 9.0 µs at 64 and 9.1 µs at 1,024.", "pool", conditions=[condition(
                  "pool at 1,024/pool at 64, CPU per request", 1.01, 0.97, 1.06, outcome="does not hold")]),
              verdict("too little measured", None, "process", "no figure at 1,024: refused at 812 connections", [condition(
                  "process at 1,024/process at 64, CPU per request", None, None, None, rounds=None, coverage=None, samples=None,
                  outcome="too little measured")])),
        claim("flat", "A loop costs the same for any number of connections.",
              verdict("no clear answer", "A request costs 7.0 µs at 64 and 7.3 µs at 1,024.", why="the interval spans 1.1",
                      conditions=[flat]))])


def memory(noise, rounds=3):
    base = {"event": 420, "hybrid": 431, "thread": 13100, "pool": 900, "process": 182000, "ceiling-epoll": 280,
            "ceiling-threads": 12560}
    made = [measurement(subject, None, number, {"user_bytes_per_connection": noise(value)})
            for number in range(1, rounds + 1) for subject, value in base.items()]
    return experiment("memory", [MEMORY], made, chart="bar", title="Memory of an idle connection", claims=[
        claim("thread-costs", "An idle connection costs a thread several times what it costs a loop.", verdict(
            sentence="An idle connection costs 13.1 KiB in thread and 420 B in event: 31 times as much.",
            conditions=[condition("thread/event, memory per connection", 31, 29, 34, wanted=3)]))])


def latencies(middle, slow, share, count=9000):
    """A histogram about two latencies in µs."""
    fast = [(middle * (0.8 + 0.4 * i / 50), round(count * (1 - share) / 50)) for i in range(50)]
    return histogram.compact([*fast, *((slow * (0.9 + 0.2 * i / 20), max(1, round(count * share / 20))) for i in range(20))])


def blocked(noise, rounds=3):
    base = {"event": 412000, "hybrid": 900, "thread": 700, "pool": 760, "process": 1100}
    made = [measurement(subject, None, number, {"p99_us": noise(value), "rps": noise(2000)}, asked_rate=2000,
                        achieved_rate=1999.5, errors={"timeout": 3 if subject == "event" else 0},
                        histograms={"alone_us": latencies(90, 300, 0.01), "blocking_us": latencies(110, value, 0.03)})
            for number in range(1, rounds + 1) for subject, value in base.items()]
    return experiment("blocked-loop", [P99, RPS], made, chart="bar", title="Blocking work beside cheap requests", claims=[
        claim("stalls", "A request that blocks stalls the loop.", verdict(
            sentence="The p99 of the cheap requests is 412 ms in event, 0.90 ms in hybrid, 0.70 ms in thread.",
            conditions=[condition("event/hybrid, p99 beside requests that block", 458, 400, 510, wanted=10, samples=1_080)]))])


def overload(noise, rounds=3):
    """Over the load, with a plot over time; one mode was left out."""
    made = []
    for number in range(1, rounds + 1):
        for x in (100, 200):
            for subject, end in (("event", 87), ("thread", 22), ("pool", 41)):
                share = 99 if x == 100 else end
                series = [[second / 2, noise(100 + (share - 100) * min(1, second / 8))] for second in range(1, 17)]
                made.append(measurement(subject, x, number, {"goodput_share": noise(share)},
                                        series={"goodput": series, "p99_us": [[second, value * 900] for second, value in series],
                                                "refused": [[second, 0] for second, _ in series]}))
    return experiment("overload", [GOODPUT], made, {"name": "load", "title": "load", "unit": "%", "log": False}, "bar", [
        claim("collapses", "Past capacity the goodput of a mode collapses.",
              verdict(mode="thread", sentence="At 200 % of its capacity thread gets through 22 % of it.", conditions=[condition(
                  "thread at 200 %/thread at 100 %, goodput", 0.22, 0.2, 0.25, "<=", 0.5)]),
              verdict("not asked", None, "hybrid", "the mode was not chosen (--modes)", []))], "Past capacity")


def races(noise, rounds=3):
    """Counts, where 0 is a result; a claim for which there are too few CPUs."""
    made = [measurement(subject, x, number, {"lost": value if x > 1 else 0}) for number in range(1, rounds + 1) for x in (1, 2)
            for subject, value in (("plain", 48_213), ("atomic", 0))]
    zero = condition("atomic lost updates at 2", 0, 0, 0, "==", 0, coverage=None, samples=None)
    return experiment("races", [LOST], made, {"name": "threads", "title": "threads", "unit": "", "log": True}, claims=[
        claim("lost", "Updates without synchronisation get lost.", verdict(sentence="plain lost 48,213 updates, atomic none.", conditions=[
            condition("plain lost updates at 2", 48_213, 47_000, 49_000, ">", 0, samples=2_000_000), zero])),
        claim("more", "Eight threads lose more than two.", verdict("needs more CPUs", None, why="it needs 8 CPUs, 2 may be used", conditions=[]))],
        title="Threads that count in one place")


def bodies(noise, rounds=3):
    made = [measurement(subject, x, number, {"cpu_us_per_request": noise(_BASE[subject] + x / 4000)})
            for number in range(1, rounds + 1) for x in (64, 16384, 1048576) for subject in MODES]
    return experiment("bodies", [CPU], made, {"name": "body", "title": "body", "unit": "B", "log": True}, "bar")


def skipped():
    return {**experiment("work-mix", [P99], [], claims=[claim("mix", "Computing belongs on threads.", verdict(
        "not asked", None, why="it needs --full", conditions=[]))], title="Computing and waiting together"), "skipped": "it needs --full"}


def results(seed=1, sigma=0.05, outliers=0.0, rounds=3, slower=None):
    noise = Noise(seed, sigma, outliers)
    return {
        "format": "echod-compare", "version": 3, "complete": True, "ended": "all were made",
        "started": "2026-11-24T20:00:00+00:00", "took_s": 101.0,
        "machine": {"cpu": "A CPU", "cpus_usable": [0, 1], "cpus": 2, "governor": None, "mitigations": {},
                    "memory_bytes": 24 << 30,
                    "load_average": [0.1, 0.2, 0.3], "kernel": "Linux 6.18", "system": "Debian 12",
                    "limits": {"descriptors": [20000, 20000]},
                    "versions": {"server": "echod 0.1", "wrk": "wrk 4.1", "python": "3.11"}, "commit": "0123456789ab"},
        "pinning": {"server": [0], "client": [1], "note": "server on CPU 0, client on CPU 1"},
        "parameters": {"arguments": ["--quick"], "effort": "quick", "modes": ["thread", "event"], "rounds": rounds},
        "noise": {"target": "event", "twin": "event-twin", "figures": [
            {"experiment": "scaling", "x": 64, "figure": "cpu_us_per_request", "ratio": 1.06}], "largest": 1.06, "different": 1.15, "same": 1.1},
        "experiments": [scaling(noise, rounds, slower), memory(noise, rounds), blocked(noise, rounds), bodies(noise, rounds)],
    }


def everything(seed=1, rounds=3):
    """Results with every kind of experiment, chart and outcome."""
    made = results(seed, rounds=rounds)
    noise = Noise(seed)
    made["experiments"] += [overload(noise, rounds), races(noise, rounds), skipped()]
    loop = next(entry for entry in made["experiments"] if entry["name"] == "blocked-loop")
    loop["timelines"] = [timeline("event"), timeline("hybrid")]
    return made


def timeline(mode):
    """A small one, with a block of every kind in its lanes."""
    blocks = [[130 + 20 * place, 148 + 20 * place, kind, f"GET /{kind}", "/label"] for place, kind in enumerate(timelines.KINDS)]
    lanes = [{"name": "plaintext 1", "blocks": blocks}, {"name": "loop 0", "blocks": [[140, 320, "blocking", "GET /block", "/block/80ms"]],
                                                         "strip": [[130, 140, "running", "on CPU 0", ""]]}]
    return {"mode": mode, "window_ms": [130, 330], "finding": f"In {mode} it blocks.", "groups": [{"title": "requests", "lanes": lanes}]}
