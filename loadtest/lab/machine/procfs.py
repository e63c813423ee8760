# SPDX-License-Identifier: MIT
"""What the kernel knows of a running server: CPU time, context switches, threads, memory; of all its processes together."""

import os
import time
from dataclasses import dataclass

_TICK = os.sysconf("SC_CLK_TCK")
_MEMORY_FIELDS = ("Rss", "Pss", "Private_Clean", "Private_Dirty")

_KERNEL_FIELDS = {"Slab": "slab", "KernelStack": "stacks", "PageTables": "tables"}
_THROTTLED = {"throttled_usec": 1e6, "throttled_time": 1e9}
_CPU_STATS = ("/sys/fs/cgroup/cpu.stat", "/sys/fs/cgroup/cpu,cpuacct/cpu.stat")


@dataclass(frozen=True)
class Spent:
    """A reading at one moment, from /proc/PID/stat of each process alone: it costs next to nothing, whatever the threads."""

    when: float  # seconds of a monotonic clock
    cpu: float  # seconds, user and system, of living and ended threads and of reaped children
    user: float  # seconds in ticks of the kernel's clock
    system: float
    threads: int


@dataclass(frozen=True)
class Usage(Spent):
    """One with the context switches. Two files are read for each thread, so it is for moments at which nothing is measured.
    Switches count living threads only: a difference is exact if no task ended in between."""

    voluntary: int
    involuntary: int
    tasks: frozenset  # thread ids


def _read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def parse_stat(text):
    """(utime, stime, cutime, cstime) in seconds of a /proc/PID/stat. The name in it may hold spaces and parentheses."""
    fields = text.rpartition(")")[2].split()
    return tuple(int(field) / _TICK for field in fields[11:15])


def parse_threads(text):
    """How many threads a /proc/PID/stat says that the process has."""
    return int(text.rpartition(")")[2].split()[17])


def parse_switches(text):
    """(voluntary, involuntary) context switches of a task's status file."""
    counts = {"voluntary_ctxt_switches": 0, "nonvoluntary_ctxt_switches": 0}
    for line in text[text.rfind("\nvoluntary_ctxt"):].split("\n"):
        name, _, value = line.partition(":")
        if name in counts:
            counts[name] = int(value)
    return tuple(counts.values())


def parse_rollup(text):
    """Bytes by field of a smaps_rollup."""
    sizes = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name in _MEMORY_FIELDS:
            sizes[name] = int(value.split()[0]) * 1024
    return sizes


def task_ids(pid):
    try:
        return os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return []


def children(pid):
    return [int(child) for task in task_ids(pid) for child in _read(f"/proc/{pid}/task/{task}/children").split()]


def process_tree(pid):
    """The process and all its descendants."""
    pids, pending = [], [pid]
    while pending:
        parent = pending.pop()
        pids.append(parent)
        pending += children(parent)
    return pids


def cpu_clock(pid):
    """CPU seconds of a process to the nanosecond, ended threads included: its clock, as clock_getcpuclockid(3) names it."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def _forked(pid):
    """The process and its descendants, as far as the first thread of each process has started them: reads one file per process."""
    pids, pending = [], [pid]
    while pending:
        parent = pending.pop()
        pids.append(parent)
        pending += [int(child) for child in _read(f"/proc/{parent}/task/{parent}/children").split()]
    return pids


def _spent(pids):
    """(cpu, user, system, threads) of some processes together."""
    cpu = user = system = 0.0
    threads = 0
    for pid in pids:
        stat = _read(f"/proc/{pid}/stat")
        if stat:
            utime, stime, cutime, cstime = parse_stat(stat)
            cpu += cpu_clock(pid) + cutime + cstime
            user += utime + cutime
            system += stime + cstime
            threads += parse_threads(stat)
    return cpu, user, system, threads


def spent(pid):
    """What a server and its descendants have used, read within a measurement."""
    return Spent(time.monotonic(), *_spent(_forked(pid)))


def usage(pid):
    """The same with their context switches, read while nothing is measured."""
    when, pids = time.monotonic(), process_tree(pid)
    used = _spent(pids)
    voluntary = involuntary = 0
    tasks = set()
    for process in pids:
        for task in task_ids(process):
            counts = parse_switches(_read(f"/proc/{process}/task/{task}/status"))
            voluntary += counts[0]
            involuntary += counts[1]
            tasks.add(int(task))
    return Usage(when, *used, voluntary, involuntary, frozenset(tasks))


def switches_by_task(pid):
    """Context switches so far of every thread of a server and its descendants, by (process id, thread id)."""
    return {(process, int(task)): sum(parse_switches(text)) for process in process_tree(pid) for task in task_ids(process)
            if (text := _read(f"/proc/{process}/task/{task}/status"))}


def _cpu_ticks(text, cpus):
    """user, nice, system, idle, iowait, irq, softirq and steal of these CPUs together, from /proc/stat."""
    totals = [0] * 8
    for line in text.splitlines():
        name, *fields = line.split()
        if name.startswith("cpu") and name[3:].isdecimal() and int(name[3:]) in cpus:
            totals = [total + int(field) for total, field in zip(totals, fields)]
    return totals


def parse_busy(text, cpus):
    """Seconds that these CPUs were not idle, from /proc/stat; time the hypervisor kept for itself included."""
    user, nice, system, _idle, _iowait, irq, softirq, steal = _cpu_ticks(text, cpus)
    return (user + nice + system + irq + softirq + steal) / _TICK


def busy(cpus):
    return parse_busy(_read("/proc/stat"), cpus)


def parse_steal(text, cpus):
    """Seconds that the hypervisor kept these CPUs from running, from /proc/stat."""
    return _cpu_ticks(text, cpus)[7] / _TICK


def parse_throttled(text):
    """Seconds that a control group's quota kept its tasks from running, from its cpu.stat (either version's)."""
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name in _THROTTLED:
            return int(value) / _THROTTLED[name]
    return 0.0


def lost(cpus):
    """Seconds of these CPUs' time that were not to be had."""
    return parse_steal(_read("/proc/stat"), cpus) + max(parse_throttled(_read(path)) for path in _CPU_STATS)


def memory(pid):
    """User memory of a server and its descendants in bytes: pss, rss and private; None where the kernel does not tell."""
    totals = dict.fromkeys(_MEMORY_FIELDS, 0)
    for process in process_tree(pid):
        try:
            sizes = parse_rollup(_read(f"/proc/{process}/smaps_rollup"))
        except PermissionError:
            return {"pss": None, "rss": None, "private": None}
        for name, size in sizes.items():
            totals[name] += size
    return {"pss": totals["Pss"], "rss": totals["Rss"], "private": totals["Private_Clean"] + totals["Private_Dirty"]}


def address_space(pid):
    """Bytes of address space of a server and its descendants: what is reserved, whether it is used or not."""
    pages = [_read(f"/proc/{process}/statm").split() for process in process_tree(pid)]
    return sum(int(fields[0]) for fields in pages if fields) * os.sysconf("SC_PAGE_SIZE")


def parse_kernel_memory(text):
    """Bytes by kind of a /proc/meminfo."""
    sizes = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        if name in _KERNEL_FIELDS:
            sizes[_KERNEL_FIELDS[name]] = int(value.split()[0]) * 1024
    return sizes


def kernel_memory():
    """Bytes of the whole system's kernel memory by kind: slab, stacks, tables."""
    return parse_kernel_memory(_read("/proc/meminfo"))


def written(pid):
    """Bytes a process has given to write(2), or None where that is not counted. Works until the process is reaped."""
    try:
        text = _read(f"/proc/{pid}/io")
    except PermissionError:
        return None
    for line in text.splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])
    return None
