# SPDX-License-Identifier: MIT
"""Listening sockets that the server inherits."""

import os
import sys

PASS_ON = """import os, sys
for place, number in enumerate(map(int, sys.argv[1].split(","))):
    os.dup2(number, 3 + place)
os.environ["LISTEN_PID"] = str(os.getpid() + int(sys.argv[2]))
os.execv(sys.argv[3], sys.argv[3:])"""


def passing(sockets, other_process=0):
    """What starts the server as a service manager would, with the sockets from descriptor 3 on."""
    numbers = [100 + index for index in range(len(sockets))]
    for number, sock in zip(numbers, sockets):
        os.dup2(sock.fileno(), number)
    wrapper = (sys.executable, "-c", PASS_ON, ",".join(map(str, numbers)), str(other_process))
    return {"wrapper": wrapper, "pass_fds": numbers, "env": {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": "a:b"}}


def close_passed(options):
    for number in options["pass_fds"]:
        os.close(number)
