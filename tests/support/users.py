# SPDX-License-Identifier: MIT
"""Servers that run as a user of their own, whose limits nobody else uses up."""

import contextlib
import os
import shutil

from . import process, settings
from .checks import Skip


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
        for _ in range(count):
            stack.callback(process.end, process.spawn(["sleep", "600"], user=user))
        yield
