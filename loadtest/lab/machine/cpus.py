# SPDX-License-Identifier: MIT
"""Which CPUs the server and the client get."""

import os
from dataclasses import dataclass


@dataclass(frozen=True)
class Pinning:
    server: frozenset
    client: frozenset
    note: str  # who runs where, and what it means where they share

    @property
    def is_shared(self):
        return bool(self.server & self.client)

    def as_dict(self):
        return {"server": sorted(self.server), "client": sorted(self.client), "note": self.note}


def one_for_server(pinning):
    """The same with one CPU for the server, for figures of what one CPU gets through."""
    return Pinning(frozenset([min(pinning.server)]), pinning.client, pinning.note)


def parse_list(text):
    """The CPUs of a list such as `0-3,8`."""
    cpus = set()
    for part in text.strip().split(","):
        if part:
            first, _, last = part.partition("-")
            cpus.update(range(int(first), int(last or first) + 1))
    return cpus


def _siblings(cpu):
    try:
        with open(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list", encoding="ascii") as file:
            return parse_list(file.read())
    except OSError:
        return {cpu}


def cores(allowed, siblings=_siblings):
    """The allowed CPUs, those of one physical core together."""
    found = []
    for cpu in sorted(allowed):
        if not any(cpu in core for core in found):
            found.append(siblings(cpu) & set(allowed) | {cpu})
    return found


def split(allowed, siblings=_siblings):
    """A Pinning. A client costs more than a fast server, so it gets more, and never a hardware thread of a server's core."""
    groups = cores(allowed, siblings)
    if len(groups) > 1:
        count = max(1, len(groups) // 4)
        server, client = frozenset().union(*groups[:count]), frozenset().union(*groups[count:])
        return Pinning(server, client, f"server pinned to CPU {show(server)}, client to CPU {show(client)}")
    first, *rest = sorted(allowed)
    if rest:
        return Pinning(frozenset([first]), frozenset(rest), f"server on CPU {first}, client on CPU {show(rest)}: hardware "
                       "threads of one core, which slow each other down")
    return Pinning(frozenset(allowed), frozenset(allowed),
                   f"server and client share CPU {first}, the only one: requests/s are what is left of it to both")


def show(cpus):
    return ",".join(str(cpu) for cpu in sorted(cpus))


def pinning():
    return split(os.sched_getaffinity(0))


def shared(pinning):
    """Server and client on the server's first CPU."""
    cpu = frozenset([min(pinning.server)])
    return Pinning(cpu, cpu, f"server and client share CPU {show(cpu)}")


def stay_off(pinning):
    """Keeps this process away from the server's CPUs: looking at a server must not cost it anything."""
    os.sched_setaffinity(0, pinning.client)
