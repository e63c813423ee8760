# SPDX-License-Identifier: MIT
"""What the kernel says about a process, and about a connection."""

import contextlib
import os
import socket
import sys

TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    """User and system time of all its threads so far."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def cpu_seconds_of_all(pid):
    """The same of a process, its children, and those it has reaped."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    used = sum(int(field) for field in fields[11:15]) * TICK
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # gone meanwhile
            used += cpu_seconds(child)
    return used


def status(pid, name):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].strip()
    return ""


def resident(pid):
    """Bytes of memory in use now; 0 of a process that has ended but is not reaped yet."""
    return int((status(pid, "VmRSS") or "0").split()[0]) * 1024


def minor_faults(pid):
    """How often it has touched memory that the kernel had to give it first."""
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rsplit(")", 1)[1].split()[7])


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def threads(pid):
    return [int(name) for name in os.listdir(f"/proc/{pid}/task")]


def children(pid):
    found = []
    for thread in threads(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # the thread has ended
            with open(f"/proc/{pid}/task/{thread}/children") as file:
                found += [int(name) for name in file.read().split()]
    return found


def is_running(pid):
    """Whether it has not ended; one that is not reaped yet has."""
    try:
        return not status(pid, "State").startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return False


def command(pid):
    """Its command line, or the name of one that has none yet; "" of one that has ended."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        with open(f"/proc/{pid}/cmdline") as file:
            return file.read().replace("\0", " ").strip() or status(pid, "Name")
    return ""


def is_traced(pid, thread):
    with open(f"/proc/{pid}/task/{thread}/status") as file:
        return "TracerPid:\t0\n" not in file.read()


def is_read(client):
    """Whether the other side, on this machine too, has read all that was sent on a connection over IPv4."""
    ends = [_in_hex(*end) for end in (client.getsockname(), client.getpeername())]
    with open("/proc/net/tcp") as file:
        rows = [line.split() for line in file]
    queues = {row[1]: row[4].split(":") for row in rows if sorted(row[1:3]) == sorted(ends)}
    return queues[ends[0]][0] == queues[ends[1]][1] == "00000000"


def _in_hex(host, port):
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}:{port:04X}"
