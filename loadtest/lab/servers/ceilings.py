# SPDX-License-Identifier: MIT
"""The parse-less servers: built on the spot, answering as many bytes as the server they stand beside."""

from ..machine.command import ROOT
from . import compiler

SOURCES = ROOT / "loadtest" / "ceilings"
_LIBRARIES = {"fibers": compiler.BOOST_CONTEXT, "uring": compiler.LIBURING}


def build(name, folder):
    """Compiles one of them unless it is newer than its sources; the path of the program."""
    return compiler.build(SOURCES / f"{name}.c", folder / name, headers=(SOURCES / "ceiling.h",), libraries=_LIBRARIES.get(name, ()))
