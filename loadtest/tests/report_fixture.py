# SPDX-License-Identifier: MIT
"""Results as the lab writes them, made up: for the tests of everything that is made from results."""

import math
import random
from statistics import median

MODES = {"thread": "mode", "event": "mode", "hybrid": "mode", "pool": "mode", "process": "mode",
         "ceiling-epoll": "ceiling", "ceiling-threads": "ceiling"}
_CEILINGS = {"event": "ceiling-epoll", "hybrid": "ceiling-epoll", "thread": "ceiling-threads", "pool": "ceiling-threads"}
_BASE = {"thread": 8.9, "event": 7.0, "hybrid": 7.1, "pool": 9.0, "process": 9.4, "ceiling-epoll": 6.8,
         "ceiling-threads": 8.8}


def figure(name, title, unit="", better="lower", log=False, meaning=""):
    return {"name": name, "title": title, "unit": unit, "better": better, "log": log, "meaning": meaning or f"what {title} is"}


RPS = figure("rps", "requests/s", "/s", "higher", meaning="answers in a second")
CPU = figure("cpu_us_per_request", "CPU per request", "µs", meaning="user and system time of the server per request")
P99 = figure("p99_us", "p99", "µs", log=True, meaning="latency that 99 % of the requests did not exceed")
SWITCHES = figure("switches_per_request", "switches per request", meaning="context switches of the server per request")
MEMORY = figure("user_bytes_per_connection", "memory per connection", "bytes", log=True, meaning="growth of user memory")
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
            "asked_rate": None, "achieved_rate": None, "errors": {}, "figures": figures, "samples": dict.fromkeys(figures, 5000),
            "histograms": {}, "series": {}, "marks": list(marks), "details": {}, **more}


def summarised(measurements):
    """The summary of measurements: medians and spread of each subject at each x."""
    groups, rows = {}, []
    for entry in measurements:
        groups.setdefault((entry["subject"], entry["x"]), []).append(entry)
    for (subject, x), entries in groups.items():
        failure = next((entry["failure"] for entry in entries if entry["failure"]), None)
        row = {"subject": subject, "kind": entries[0]["kind"], "x": x, "failure": failure, "figures": {},
               "samples": {}, "coverage": 0.75, "to_ceiling": {},
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


def experiment(name, statement, figures, measurements, x=None, chart="line", outcome="holds",
               sentence="event 7.0 µs, thread 8.9 µs at 64 connections."):
    return {"name": name, "title": statement,
            "about": "A fresh server for each measurement, pinned to its own CPUs. Warm-up is discarded.",
            "command": f"./dev compare --only {name}", "x": x, "figures": figures,
            "chart": {"figure": figures[0]["name"], "type": chart}, "measurements": measurements,
            "summary": summarised(measurements), "claims": [{
                "name": "grows", "claim": "The figure of event stays low as connections grow, that of thread grows.", "source": "C10K",
                "reverse": "A ratio below 1.3 would reverse it.", "verdicts": [{
                    "mode": None, "outcome": outcome, "sentence": sentence, "why": None if outcome != "no clear answer" else "too near",
                    "conditions": [{"text": "thread/event, CPU/request at 64", "ratio": 2.1, "low": 1.9, "high": 2.2, "sign": ">=",
                                    "wanted": 1.3, "rounds": 3, "coverage": 0.75, "samples": 5000, "outcome": outcome}]}]}]}


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
    return experiment("scaling", "Events scale to many connections", [CPU, RPS, P99, SWITCHES], made, CONNECTIONS)


def memory(noise, rounds=3):
    base = {"event": 420, "hybrid": 431, "thread": 13100, "pool": 900, "process": 182000, "ceiling-epoll": 280,
            "ceiling-threads": 12560}
    made = [measurement(subject, None, number, {"user_bytes_per_connection": noise(value)})
            for number in range(1, rounds + 1) for subject, value in base.items()]
    return experiment("memory", "A thread costs memory", [MEMORY], made, chart="bar",
                      sentence="an idle connection costs 13.1 KB in thread, 420 B in event: 31 times as much.")


def blocked(noise, rounds=3):
    base = {"event": 412000, "hybrid": 900, "thread": 700, "pool": 760, "process": 1100}
    made = [measurement(subject, None, number, {"p99_us": noise(value), "rps": noise(2000)}, asked_rate=2000,
                        achieved_rate=1999.5, errors={"timeout": 3 if subject == "event" else 0})
            for number in range(1, rounds + 1) for subject, value in base.items()]
    return experiment("blocked-loop", "Blocking work stalls a loop", [P99, RPS], made, chart="bar",
                      sentence="the p99 of the cheap requests is 412 ms in event, 0.90 ms in hybrid, 0.70 ms in thread.")


def bodies(noise, rounds=3):
    made = [measurement(subject, x, number, {"cpu_us_per_request": noise(_BASE[subject] + x / 4000)})
            for number in range(1, rounds + 1) for x in (64, 16384, 1048576) for subject in MODES]
    return experiment("bodies", "Large bodies even the models out", [CPU], made,
                      {"name": "body", "title": "body", "unit": "B", "log": True}, "bar", "no clear answer", "no clear difference.")


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
        "noise": {"target": "event", "twin": "event-twin", "figures": [], "largest": 1.0, "different": 1.15, "same": 1.1},
        "experiments": [scaling(noise, rounds, slower), memory(noise, rounds), blocked(noise, rounds), bodies(noise, rounds)],
    }
