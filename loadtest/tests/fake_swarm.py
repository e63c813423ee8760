#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for swarm in the lab's tests: says that all went well, without a connection. FAKE_SWARM: dead, wrong, half, late,
unoffered, silent, cut, killed."""

import json
import os
import signal
import sys

FAULT = os.environ.get("FAKE_SWARM", "")
ALONE = ("--gate", "--close", "--hold", "--greet", "--buckets")


def parse(arguments):
    """(flags of the run, [flags of each class])."""
    groups, words = [{}], list(arguments)
    while words:
        word = words.pop(0)
        if word == "--class":
            groups.append({"name": words.pop(0)})
        elif word.startswith("--"):
            groups[-1][word[2:]] = True if word in ALONE else words.pop(0)
        else:
            groups[-1]["path"] = word
    return groups[0], groups[1:]


def result_of(of, interval):
    asked = float(of["rate"]) if "rate" in of else None
    requests = int(of["connections"]) if "each" in of or "requests" in of else round(asked or 1000)
    late = requests // 4 if FAULT == "late" else 0
    answers = requests // 2 if FAULT == "half" else requests - late
    errors = dict.fromkeys(("connect", "read", "write", "timeout", "status", "body"), 0)
    if FAULT == "wrong":
        errors["body"] = 3
    latency = dict.fromkeys(("min", "mean", "p50", "p90", "p99", "p99.9", "max"), 100.0)
    offered = asked and asked / (2 if FAULT == "unoffered" else 1)
    row = {"offered": requests, "goodput": answers, "late": late, "refused": 0, "failed": 0, "p50_us": 100.0,
           "p99_us": 100.0}
    series = {"series": [{"end_s": 0.5, **row}, {"end_s": 1.0, **row, "p99_us": None}]} if interval else {}
    return {"name": of["name"], "path": of["path"], "asked_rate": asked, "offered_rate": offered or answers + late,
            "achieved_rate": (answers + late) / 1.0, "goodput": answers / 1.0, "requests": requests, "answers": answers, "late": late,
            **series, "refused": 0, "unsent": 0, "unfinished": requests - answers, "errors": errors,
            "first_error": "a body of 3 bytes, 13 expected" if FAULT == "wrong" else None, "last_answer_s": 1.25,
            "latency_us": {**latency, "samples": answers + late,
                           "buckets": [[90.0, answers - answers // 10], [100.0, answers // 10], [3000.0, late]][:3 if late else 2]},
            "late_us": {**latency, "samples": late, "buckets": [[3000.0, late]] if late else []}}


def main(arguments):
    of_run, classes = parse(arguments)
    if FAULT == "dead":
        print("swarm: no connection could be opened: Connection refused", file=sys.stderr)
        return 1
    if FAULT == "silent":
        return 0
    if "gate" in of_run:
        count = sum(int(of["connections"]) for of in classes)
        print(json.dumps({"event": "held", "asked": count, "opened": count, "open": count}), flush=True)
        sys.stdin.read()
    if FAULT == "cut":
        print('{"event": "resu')
        return 0
    if FAULT == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print(json.dumps({"event": "result", "complete": True, "window_s": 1.0, "client_cpu_share": 0.1,
                      "classes": [result_of(of, "interval" in of_run) for of in classes]}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
