# SPDX-License-Identifier: MIT
"""Hands the cases out to worker processes, watches that they come back, and prints a line for each."""

import multiprocessing
import multiprocessing.connection
import os
import shutil
import tempfile
import time

from . import process, settings
from .worker import Worker

_fork = multiprocessing.get_context("fork")


class Hand:
    """One worker as the runner sees it."""

    def __init__(self, selected):
        self.pipe, theirs = _fork.Pipe()
        self.process = _fork.Process(target=_work, args=(theirs, selected))
        self.process.start()
        theirs.close()
        self.index = None  # of the case it runs
        self.deadline = None
        self.processes = set()
        self.leaving = False

    def give(self, index, case):
        self.index = index
        self.deadline = time.monotonic() + settings.patience(case.mark.timeout)
        self.pipe.send(index)

    def dismiss(self):
        self.leaving = True
        self.index = None
        self.deadline = time.monotonic() + settings.patience(60)
        self.pipe.send(None)

    def stacks(self):
        """Where the worker stood when its time was nearly up."""
        try:
            with open(os.path.join(settings.folder, f"stacks-{self.process.pid}")) as file:
                return file.read()
        except OSError:
            return ""

    def kill(self):
        self.process.kill()
        self.process.join()
        for pid in self.processes:
            process.kill_group(pid)
        self.pipe.close()


def _work(pipe, selected):
    Worker(pipe, selected).serve()


class Runner:
    def __init__(self, selected, jobs, out):
        self.selected = selected
        self.jobs = jobs
        self.out = out
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}
        self.failed = []
        self.hands = []

    def run(self):
        """Cases side by side first, then those that must be alone. True if none failed."""
        settings.folder = tempfile.mkdtemp(prefix="echod-test-")
        os.chmod(settings.folder, 0o755)
        try:
            indices = range(len(self.selected))
            self._run([i for i in indices if not self.selected[i].mark.alone], self.jobs)
            self._run([i for i in indices if self.selected[i].mark.alone], 1)
        finally:
            for hand in self.hands:
                hand.kill()
            shutil.rmtree(settings.folder, ignore_errors=True)
        return not self.counts["FAIL"]

    def _run(self, queue, jobs):
        queue.sort(key=lambda index: -self.selected[index].mark.timeout)  # long ones first; else as they stand
        self.hands = [Hand(self.selected) for _ in range(min(jobs, len(queue)))]
        while self.hands:
            for hand in self.hands:
                if hand.index is None and not hand.leaving:
                    if queue:
                        index = queue.pop(0)
                        hand.give(index, self.selected[index])
                    else:
                        hand.dismiss()
            self._wait(queue)

    def _wait(self, queue):
        nearest = min(hand.deadline for hand in self.hands)
        pipes = {hand.pipe: hand for hand in self.hands}
        ready = multiprocessing.connection.wait(pipes, max(0, nearest - time.monotonic()))
        for pipe in ready:
            self._hear(pipes[pipe])
        for hand in list(self.hands):
            if hand.deadline <= time.monotonic():
                self._lost(hand, "no end in time; it stood at\n" + hand.stacks())
            if not hand.leaving and hand.pipe.closed:
                self.hands.remove(hand)
                if queue or not self.hands:
                    self.hands.append(Hand(self.selected))

    def _hear(self, hand):
        try:
            kind, *told = hand.pipe.recv()
        except (EOFError, OSError):
            self._lost(hand, f"the worker died: {hand.process.exitcode}")
            return
        if kind == "process":
            pid, alive = told
            (hand.processes.add if alive else hand.processes.discard)(pid)
        elif kind == "done":
            index, outcome, text, seconds = told
            hand.index = None
            self._print(self.selected[index].name, outcome, text, seconds)
        elif kind == "extra":
            self._print(*told, None)
        else:
            hand.process.join()
            hand.kill()
            self.hands.remove(hand)

    def _lost(self, hand, why):
        name = "worker: ends" if hand.index is None else self.selected[hand.index].name
        hand.kill()
        if hand.leaving:
            self.hands.remove(hand)
        self._print(name, "FAIL", why, None)

    def _print(self, name, outcome, text, seconds):
        self.counts[outcome] += 1
        if outcome == "FAIL":
            self.failed.append(name)
        time_text = "" if seconds is None else f"  {seconds:.2f} s"
        reason = f": {text}" if outcome == "skip" else ""
        print(f"{outcome:<4} {name}{time_text}{reason}", file=self.out)
        if outcome == "FAIL":
            print("\n".join("     | " + line for line in text.rstrip().splitlines()), file=self.out)
        self.out.flush()
