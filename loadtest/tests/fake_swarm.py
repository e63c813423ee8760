#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Stands in for swarm in the lab's tests: says that all went well, without a connection. FAKE_SWARM: dead, wrong, half,
silent, cut, killed."""

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


def result_of(of):
    asked = float(of["rate"]) if "rate" in of else None
    requests = int(of["connections"]) if "each" in of or "requests" in of else round(asked or 1000)
    answers = requests // 2 if FAULT == "half" else requests
    errors = dict.fromkeys(("connect", "read", "write", "timeout", "status", "body"), 0)
    if FAULT == "wrong":
        errors["body"] = 3
    latency = dict.fromkeys(("min", "mean", "p50", "p90", "p99", "p99.9", "max"), 100.0)
    return {"name": of["name"], "path": of["path"], "asked_rate": asked, "achieved_rate": answers / 1.0, "requests": requests,
            "answers": answers, "refused": 0, "unsent": 0, "unfinished": requests - answers, "errors": errors,
            "first_error": "a body of 3 bytes, 13 expected" if FAULT == "wrong" else None, "last_answer_s": 1.25,
            "latency_us": {**latency, "samples": answers, "buckets": [[90.0, answers - answers // 10], [100.0, answers // 10]]}}


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
                      "classes": [result_of(of) for of in classes]}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
