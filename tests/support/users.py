# SPDX-License-Identifier: MIT
"""Servers that run as a user of their own, whose limits nobody else uses up."""

import os
import shutil

from . import settings
from .checks import Skip


def only_as_root():
    if os.geteuid() != 0:
        raise Skip("needs root, to run as others")


def own_copy(folder):
    """The server where anybody may start it."""
    os.chmod(os.path.dirname(folder), 0o755)
    os.chmod(folder, 0o755)
    return shutil.copy(settings.server_path, folder)
