# SPDX-License-Identifier: MIT
"""Where and with what the figures were taken."""

import os
import platform
import resource
import subprocess
from pathlib import Path

from ..text.errors import LabError

_SPARE_DESCRIPTORS = 64
_KERNEL_LIMITS = {
    "pid_max": "/proc/sys/kernel/pid_max",
    "threads_max": "/proc/sys/kernel/threads-max",
    "max_map_count": "/proc/sys/vm/max_map_count",
    "somaxconn": "/proc/sys/net/core/somaxconn",
    "cgroup_pids": "/sys/fs/cgroup/pids.max",
    "cgroup_cpu": "/sys/fs/cgroup/cpu.max",
}


def raise_descriptor_limit(needed):
    """Raises the soft limit to the hard one; LabError if even that is below what `needed` connections take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard != resource.RLIM_INFINITY and hard < needed + _SPARE_DESCRIPTORS:
        raise LabError(f"{needed or 'even no'} connections need {needed + _SPARE_DESCRIPTORS} file descriptors, the limit is {hard}: "
                       "raise it (ulimit -n) or ask for fewer connections")
    return hard


def local_ports():
    """How many ports one address has for connections that do not choose theirs."""
    first, last = (_first_line("/proc/sys/net/ipv4/ip_local_port_range") or "32768 60999").split()
    return int(last) - int(first) + 1


def _first_line(path):
    try:
        return Path(path).read_text(encoding="utf-8").strip().splitlines()[0]
    except (OSError, IndexError):
        return None


def _output(argv, lines=1, errors=True):
    """What a command says first, whatever its exit status, also on stderr if nothing else; None if there is no such command."""
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    text = (done.stdout or (done.stderr if errors else "")).strip()
    return ", ".join(line.strip() for line in text.splitlines()[:lines]) or None


def _cpu_model():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _mitigations():
    folder = Path("/sys/devices/system/cpu/vulnerabilities")
    states = {path.name: _first_line(path) for path in sorted(folder.glob("*"))} if folder.is_dir() else {}
    return {name: state for name, state in states.items() if state and state != "Not affected"}


def _commit(root):
    commit = _output(["git", "-C", str(root), "rev-parse", "--short=12", "HEAD"])
    if not commit or " " in commit:
        return None
    changed = _output(["git", "-C", str(root), "status", "--porcelain", "--untracked-files=no"], errors=False)
    return commit + ("+changes" if changed else "")


def _system():
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()


def _limits():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    limits = {"descriptors": [soft, hard], "processes": processes}
    limits.update({name: _first_line(path) for name, path in _KERNEL_LIMITS.items()})
    return limits


def _cpu_group(root):
    """The control group that shares out the CPU time of this process; None if it is the outermost one."""
    groups = dict(line.split(":", 2)[1:] for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines())
    for controllers, path in groups.items():
        if "cpu" in controllers.split(","):  # version 1
            return path if path != "/" else None
    path = Path(groups.get("", "/"))
    for group in (path, *path.parents):
        # The outermost group of all has no such file, that of a container has.
        if (root / "sys/fs/cgroup" / str(group).lstrip("/") / "cpu.weight").exists():
            return str(group)
    return None


def cpu_shared_between(root=Path("/")):
    """`sessions`, if the kernel gives each session (setsid(2)) the same part of a CPU, however many threads it has; otherwise
    `threads`. The server and each client of the lab have a session of their own (sched(7), the autogroup feature)."""
    try:
        enabled = (root / "proc/sys/kernel/sched_autogroup_enabled").read_text(encoding="utf-8").strip() == "1"
        return "sessions" if enabled and _cpu_group(root) is None else "threads"
    except (OSError, ValueError):
        return "threads"


def describe(root, server=None):
    """Machine, kernel, limits, versions and commit."""
    return {
        "cpu": _cpu_model(),
        "cpus_usable": sorted(os.sched_getaffinity(0)),
        "cpus": os.cpu_count(),
        "governor": _first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "mitigations": _mitigations(),
        "cpu_shared_between": cpu_shared_between(),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        "load_average": list(os.getloadavg()),
        "kernel": f"{platform.system()} {platform.release()}",
        "system": _system(),
        "limits": _limits(),
        "versions": {
            "server": _output([str(server), "--version"], lines=9) if server else None,
            "wrk": (_output(["wrk", "-v"]) or "").partition(" Copyright")[0] or None,
            "python": platform.python_version(),
        },
        "commit": _commit(root),
    }


def summary(machine):
    """The same in a line or two."""
    gib = machine["memory_bytes"] / (1 << 30)
    usable, all_cpus = len(machine["cpus_usable"]), machine["cpus"]
    cpus = f"{usable} CPUs" if usable == all_cpus else f"{usable} of {all_cpus} CPUs"
    versions = machine["versions"]
    parts = [f"{machine['cpu']}, {cpus}, {gib:.0f} GiB, {machine['system']}, {machine['kernel']}",
             ", ".join(filter(None, [versions["server"], versions["wrk"],
                                     machine["commit"] and f"commit {machine['commit']}"]))]
    return "; ".join(filter(None, parts))
