# SPDX-License-Identifier: MIT
"""Starting programs so that none outlives the worker that started it."""

import contextlib
import ctypes
import os
import re
import shutil
import signal
import subprocess

from .checks import Skip, check, fail, shown
from .settings import patience

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _launcher(limits, user, environment):
    """The programs that make of the child what it must be before they execute it. Code of Python's own in the child would take a
    copy of this process, which costs more than many a server's whole life."""
    argv = [need("setpriv"), "--pdeathsig", "KILL"]
    if user is not None:
        argv += ["--reuid", user, "--regid", user, "--clear-groups"]
    if limits:
        argv += [need("prlimit"), *(f"--{which.lower()}={value}:{value}" for which, value in limits.items())]
    if "LD_PRELOAD" in environment:  # is for the program alone
        argv += [need("env"), "LD_PRELOAD=" + environment.pop("LD_PRELOAD")]
    return argv


def spawn(argv, limits=None, user=None, env=None, last=None, **options):
    """A Popen in a process group of its own, which ends with this process. `limits`: {"NOFILE": 64}; `user`: a number to run as;
    `last`: instead of these, a function that the child calls before it becomes the program, such as one that forbids what the
    launcher calls."""
    options.setdefault("stdin", subprocess.DEVNULL)
    environment = dict(os.environ if env is None else env)
    if last is None:
        launcher = _launcher(limits or {}, user, environment)
    else:
        check(limits is None and user is None, "with a last function there is no launcher to set limits or a user")
        launcher = ()
        options["preexec_fn"] = lambda: (die_with_parent(), last())
    return subprocess.Popen([str(item) for item in (*launcher, *argv)], start_new_session=True, env=environment, **options)


def end(child):
    """Kills what is left of the child's group, and reaps the child."""
    if child.poll() is None:
        kill_group(child.pid)
        child.wait()
    for stream in (child.stdin, child.stdout, child.stderr):
        if stream:
            with contextlib.suppress(OSError):
                stream.close()


def kill_group(pid):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def need(program):
    """The path of the program. If it is missing, the test is skipped; under ./dev test, which has installed all programs, it fails."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        check("PROGRAMS_ARE_HERE" not in os.environ, f"{program} is not installed")
        raise Skip(f"{program} is not installed")
    return path


def run(argv, seconds=30, accept=(0,), **options):
    """Runs a program to its end; returns its stdout. Fails if its status is not among `accept`."""
    child = spawn([need(argv[0]), *argv[1:]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    try:
        output, errors = child.communicate(timeout=patience(seconds))
    except subprocess.TimeoutExpired:
        fail(f"{argv[0]} did not end within {patience(seconds):g} s")
    finally:
        end(child)
    if accept and child.returncode not in accept:
        fail(f"{' '.join(map(str, argv))} ended with {child.returncode}: {shown(errors.decode())} {shown(output)}")
    return output


def wrk(server, path="/plaintext", connections=64, seconds=2, headers=(), script=None):
    """Loads the server with wrk and fails for any socket error or answer that is not 2xx. Returns the requests."""
    argv = ["wrk", "-t2", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"]  # its own 2 s are soon over beside other tests
    for header in headers:
        argv += ["-H", header]
    if script:
        argv += ["-s", script]
    text = run([*argv, server.url + path], seconds + 30).decode()
    for complaint in ("Socket errors", "Non-2xx"):
        if complaint in text:
            fail(f"wrk complains:\n{text}")
    count = int(re.search(r"(\d+) requests in", text)[1])
    if count == 0:
        fail(f"wrk got no answer:\n{text}")
    return count
