#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Mixed traffic over all modes for some minutes; then descriptors, threads, memory and slab are what they were."""

import argparse
import os
import random
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [FOLDER, os.path.dirname(FOLDER), os.path.join(FOLDER, "..", "..", "scripts")]

import junit  # noqa: E402
from support import procfs, settings  # noqa: E402
from support.checks import Failure, check, until  # noqa: E402
from support.metrics import metrics  # noqa: E402
from support.server import Server  # noqa: E402
import traffic  # noqa: E402

MIB = 1 << 20
CLIENTS = 8
FLAGS = ("--listen", "127.0.0.1:0", "--loops", "2", "--workers", "8", "--max-connections", "40", "--header-timeout", "1s",
         "--body-timeout", "1s", "--idle-timeout", "2s", "--max-buffer-memory", "32m")
RSS_GROWTH = 8 * MIB  # of a server, past what the warm-up took: arenas of the allocator, stacks that are kept
SLAB_GROWTH = 64 * MIB  # of the whole machine
REFUSED_ENOUGH = 20  # failures after which the run ends


def start(mode):
    return Server(mode, FLAGS)


def slab():
    """Kernel memory that cannot be reclaimed, in bytes."""
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("SUnreclaim:"))


def state(server):
    """What must come back, once nobody is there but the one that asks."""
    until(lambda: metrics(server).get("echod_connections_open") == 1, "all connections are gone", settings.patience(40))
    until(lambda: not procfs.children(server.pid), "no process is left", settings.patience(10))
    until(lambda: metrics(server)["echod_buffer_bytes"] <= 4096, "nothing is held", settings.patience(10))
    threads = settled(lambda: len(procfs.threads(server.pid)))
    return {"descriptors": settled(lambda: procfs.descriptors(server.pid)), "threads": threads, "resident": procfs.resident(server.pid)}


def settled(look):
    """The least that is seen within a second: a connection of ours may still be closing."""
    least, end = look(), time.monotonic() + 1
    while time.monotonic() < end:
        least = min(least, look())
        time.sleep(0.05)
    return least


class Clients:
    """Threads that visit the servers until they are told to stop."""

    def __init__(self, servers, seed):
        self.servers = servers
        self.seed = seed
        self.visits, self.failures = 0, []
        self.ended = threading.Event()
        self.lock = threading.Lock()

    def run(self, seconds):
        threads = [threading.Thread(target=self._visit, args=(random.Random(self.seed + number),)) for number in range(CLIENTS)]
        threads.append(threading.Thread(target=self._drain, args=(random.Random(self.seed - 1),)))
        for thread in threads:
            thread.start()
        try:
            self.ended.wait(seconds)
        finally:  # also when it is interrupted
            self.ended.set()
            for thread in threads:
                thread.join()

    def _visit(self, chance):
        while not self.ended.is_set():
            visit, server = chance.choice(traffic.VISITS), chance.choice(self.servers)
            self._guarded(f"{visit.__name__} [{server.mode}]", lambda: visit(server, chance))

    def _drain(self, chance):
        while not self.ended.is_set():
            server = chance.choice(self.servers)
            self._guarded(f"drains another [{server.mode}]", lambda: traffic.drains_another(start, server, chance))

    def _guarded(self, name, visit):
        try:
            visit()
        except OSError:  # reset by a server that was full, or whose process was killed
            pass
        except Failure as failure:
            self._fail(f"{name}: {failure}")
        except Exception:
            self._fail(f"{name}: {traceback.format_exc()}")
        with self.lock:
            self.visits += 1

    def _fail(self, text):
        with self.lock:
            self.failures.append(text)
            if len(self.failures) >= REFUSED_ENOUGH:
                self.ended.set()


class Report:
    """A line for each thing that is looked at."""

    def __init__(self):
        self.results = []

    @property
    def failed(self):
        return sum(1 for _, failure in self.results if failure)

    def line(self, name, good, text):
        self.results.append((name, None if good else text))
        print(f"{'ok  ' if good else 'FAIL'} soak: {name}: {text}", flush=True)


def compare(report, server, before, after):
    for name in ("descriptors", "threads"):
        report.line(f"{name} [{server.mode}]", after[name] <= before[name], f"{before[name]} before, {after[name]} after")
    grown = after["resident"] - before["resident"]
    report.line(f"resident [{server.mode}]", grown <= RSS_GROWTH or bool(settings.sanitizer),
                f"{before['resident'] / MIB:.1f} MiB before, {after['resident'] / MIB:.1f} MiB after")


def soak(report, seconds, seed):
    servers = [start(mode) for mode in settings.modes]
    try:
        Clients(servers, seed).run(max(5, seconds / 10))  # what grows once has grown
        before, slab_before = [state(server) for server in servers], slab()
        clients = Clients(servers, seed + 1000)
        clients.run(seconds)
        report.line("answers", not clients.failures,
                    "; ".join((f"{clients.visits} visits, {len(clients.failures)} failures", *clients.failures)))
        for server, then in zip(servers, before):
            compare(report, server, then, state(server))
        grown = slab() - slab_before
        report.line("slab", grown <= SLAB_GROWTH, f"{grown / MIB:+.1f} MiB")
        for server in servers:
            server.stop()
            report.line(f"ends well [{server.mode}]", True, "status 0")
    except Failure as failure:
        report.line("run", False, str(failure))
    finally:
        for server in servers:
            server.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", required=True, metavar="PATH", help="the binary to test")
    parser.add_argument("--minutes", type=float, default=2, help="of traffic (default: %(default)s)")
    parser.add_argument("--modes", default=",".join(settings.MODES), metavar="LIST", help="comma-separated")
    parser.add_argument("--junitxml", metavar="FILE", help="a JUnit file to write the results to")
    parser.add_argument("--seed", type=int, default=None, help="of the clients' choices; a new one if not given")
    options = parser.parse_args()
    settings.server_path = os.path.abspath(options.server)
    settings.find_build()
    settings.modes = tuple(options.modes.split(","))
    check(options.minutes > 0, "--minutes must be above 0")
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    print(f"soak: {options.minutes:g} min over {', '.join(settings.modes)}, seed {seed}", flush=True)
    report = Report()
    soak(report, options.minutes * 60, seed)
    if options.junitxml:
        junit.write(options.junitxml, report.results)
    print(f"{len(report.results) - report.failed} passed, {report.failed} failed")
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main())
