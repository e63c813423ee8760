# SPDX-License-Identifier: MIT
"""Compiles the small C programs of the lab: the parse-less servers and the lessons."""

import os
import shlex
import shutil
import subprocess

from ..machine.process import described
from ..text.errors import LabError

BOOST_CONTEXT = ("-l:libboost_context.a",)  # what programs with fibers are linked with
LIBURING = ("-l:liburing.a",)
FLAGS = ("-std=gnu17", "-O2", "-D_GNU_SOURCE", "-pthread")


def default():
    """The C compiler of the environment, as a list of words."""
    return shlex.split(os.environ.get("CC", "cc"))


def find_clang():
    """The words of the command; LabError where there is no clang."""
    path = shutil.which("clang")
    if not path:
        raise LabError("clang is not installed")
    return [path]


def run(compiler, source, program, flags=(), libraries=()):
    """Compiles one source file. Gives the exit status and the first line of the errors."""
    command = [*compiler, *FLAGS, *flags, "-o", str(program), str(source), *libraries]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except OSError as error:
        raise LabError(f"cannot run {command[0]}: {error.strerror}") from None
    lines = done.stderr.strip().splitlines()
    return done.returncode, next((line for line in lines if "error:" in line), next(iter(lines), ""))


def build(source, program, compiler=None, flags=(), headers=(), libraries=()):
    """Compiles a program unless it is newer than its source and headers; gives its path. LabError where that fails."""
    compiler = compiler or default()
    if program.exists() and program.stat().st_mtime > max(path.stat().st_mtime for path in (source, *headers)):
        return program
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished = program.with_name(f"{program.name}.{os.getpid()}")  # another process may want to run it meanwhile
    status, line = run(compiler, source, unfinished, flags, libraries)
    if status == 0:
        unfinished.replace(program)
    else:
        raise LabError(f"cannot compile {source.name}: {compiler[0]} {described(status, line)}")
    return program
