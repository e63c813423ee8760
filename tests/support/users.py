# SPDX-License-Identifier: MIT
"""Servers that run as a user of their own, whose limits nobody else uses up."""

import contextlib
import os
import shutil

from . import process, procfs, settings
from .checks import Skip, until


def only_as_root():
    if os.geteuid() != 0:
        raise Skip("needs root, to run as others")


def own_copy(folder):
    """The server where anybody may start it."""
    os.chmod(os.path.dirname(folder), 0o755)
    os.chmod(folder, 0o755)
    return shutil.copy(settings.server_path, folder)


@contextlib.contextmanager
def all_processes_taken(user, count=60):
    """As many processes of the user as its limit allows, so that it gets none more."""
    with contextlib.ExitStack() as stack:
        children = []
        for _ in range(count):
            children.append(process.spawn(["sleep", "600"], user=user))
            stack.callback(process.end, children[-1])
        for child in children:
            until(lambda pid=child.pid: procfs.status(pid, "Name") == "sleep", "a process is the user's")
        yield
