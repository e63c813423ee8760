# SPDX-License-Identifier: MIT
"""A server whose rings' operations fail on request: echod_ring_faults of tests/failing/completions.c, and the file that tells it what
fails. What its operations do is no system call, so that neither strace nor the shim can do this."""

import os
import struct

import pytest

from support import settings

# The integers of the file, as `enum field` in completions.c has them.
FIELDS = ("operations", "result", "one_in", "late", "send_max", "receive_max", "enter", "submit", "entries", "completions", "buffers",
          "hits", "overflows", "without_buffer")
# What can fail, by the tags of ring.h.
CANCEL, RECEIVE, SEND, READABLE, WRITABLE, ALARM, WAKEUP = (1 << tag for tag in range(7))


class RingFaults:
    """Its options start the server: start(**faults.options). set() changes what fails, at any time."""

    def __init__(self, folder, **fields):
        program = os.path.join(os.path.dirname(settings.server_path), "tests", "echod_ring_faults")
        if not os.path.exists(program):
            pytest.skip("this preset builds no echod_ring_faults")
        self.path = os.path.join(folder, "ring")
        with open(self.path, "wb") as file:
            file.write(bytes(8 * len(FIELDS)))
        self.options = {"program": program, "env": {"RING_FAULTS": self.path}}
        self.set(**fields)

    def set(self, **fields):
        """Each in one write, so that nobody sees half of it; what says how often something fails comes before what fails."""
        with open(self.path, "r+b", buffering=0) as file:
            for name in sorted(fields, key=("one_in", "result", "late", *FIELDS).index):
                file.seek(8 * FIELDS.index(name))
                file.write(struct.pack("=q", fields[name]))

    def get(self, name):
        with open(self.path, "rb") as file:
            file.seek(8 * FIELDS.index(name))
            return struct.unpack("=q", file.read(8))[0]

    def end(self):
        """From now on all is as it should be."""
        self.set(operations=0, send_max=0, receive_max=0, enter=0, submit=0)
