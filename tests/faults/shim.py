# SPDX-License-Identifier: MIT
"""The library of shim.c, built when it is first needed, and the environment that loads it into a server."""

import os

from support import process, settings

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shim.c")


def library():
    path = os.path.join(settings.folder, f"shim-{os.getpid()}.so")
    if not os.path.exists(path):
        process.run(["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", SOURCE, "-o", path])
    return path


def shimmed(**variables):
    """Options of a server that has it loaded: shimmed(MOST=3) sets SHIM_MOST."""
    asan = ":".join(filter(None, ("quarantine_size_mb=16:verify_asan_link_order=0", os.environ.get("ASAN_OPTIONS"))))
    env = {"LD_PRELOAD": library(), "ASAN_OPTIONS": asan}
    env.update({"SHIM_" + name: str(value) for name, value in variables.items()})
    return {"env": env}
