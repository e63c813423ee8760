# SPDX-License-Identifier: MIT
"""The seccomp profile for mode uring, and what the server says where a filter forbids io_uring."""

import errno
import os
import re
import signal
import subprocess
import time

import pytest
from seccomp_profile import Profile, number
from server import PATIENCE, Echod
from support import admin, process, settings
from support.checks import until
from support.corpus import LAST, PLAIN, chunk, chunked, get, post
from support.server import environment, many
from support.settings import ROOT

PATH = os.path.join(ROOT, "deploy", "seccomp", "uring.json")
IO_URING = {"io_uring_enter", "io_uring_register", "io_uring_setup"}
MEBIBYTE = 1 << 20

# What the profile allows although the server does not call it here, and why.
OTHERS = {
    "the C library calls it if the vDSO does not read the clock": {"clock_gettime", "gettimeofday"},
    "the kernel calls it after a signal, or goes on so with a call that a stop has interrupted": {"restart_syscall", "rt_sigreturn"},
    "the C library calls it instead of another, in other versions or on arm64": {
        "epoll_pwait", "faccessat", "fstat", "mremap", "newfstatat", "ppoll", "readlink", "readlinkat", "renameat", "unlinkat"},
    "only where there are shared libraries": {"access", "pread64"},
    "sockets that are passed to the server, and a log that is a socket": {"fcntl", "sendmsg"},
    "abort(3), which ends a program that finds its memory or its stack damaged": {"getpid", "gettid", "tgkill"},
    "a thread that waits for a lock, or memory that is given back": {"madvise", "sched_yield"},
    "runc and crun call it between loading the filter and starting the program": {
        "close_range", "fstatfs", "nanosleep", "sigaltstack"},
}
# What arm64 does not have, and what the C library calls there instead.
ON_ARM64 = {"access": "faccessat", "epoll_wait": "epoll_pwait", "poll": "ppoll", "readlink": "readlinkat",
            "rename": "renameat", "unlink": "unlinkat"}
ON_X86_64_ONLY = {"arch_prctl"}

uring = pytest.mark.parametrize("mode", ["uring"])


@pytest.fixture(scope="module")
def profile():
    return Profile.read(PATH)


def test_format(profile):
    """What Docker, containerd and CRI-O all understand. No call is named twice with the same arguments, so that the order of the rules says
    nothing."""
    assert set(profile.content) == {"defaultAction", "defaultErrnoRet", "architectures", "syscalls"}
    assert (profile.content["defaultAction"], profile.content["defaultErrnoRet"]) == ("SCMP_ACT_ERRNO", errno.EPERM)
    assert profile.content["architectures"] == ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"]
    names = []
    for rule in profile.content["syscalls"]:
        assert {"comment", "names", "action"} <= set(rule) <= {"comment", "names", "action", "args", "errnoRet"}
        assert rule["names"] == sorted(rule["names"])
        names += [(name, str(rule.get("args"))) for name in rule["names"]]
    assert len(names) == len(set(names))
    assert IO_URING < {name for name, _ in names}


def test_every_name_is_a_system_call(profile):
    names = {name for rule in profile.content["syscalls"] for name in rule["names"]}
    assert {name for name in names if number(name, "SCMP_ARCH_X86_64") < 0} == set()
    missing = {name for name in names if number(name, "SCMP_ARCH_AARCH64") < 0}
    assert missing == set(ON_ARM64) | ON_X86_64_ONLY
    assert set(ON_ARM64.values()) <= names


GOOD = [*(get(path) for path in (
    b"/", b"/plaintext", b"/anything", b"/headers", b"/ip", b"/status/404", b"/delay/10ms", b"/block/10ms", b"/compute/10",
    b"/bytes/1000000", b"/drip?duration=100ms", b"/version")),
        post(b"/echo", b"hello"), post(b"/echo", b"x" * 100000), chunked(b"/echo", chunk(b"hello") + LAST)]
ADMIN = (b"/metrics", b"/healthz", b"/readyz")
CONNECTIONS_MAX = 6


def flags(folder):
    return ("--listen", "127.0.0.1:0", "--listen", "[::1%lo]:0", "--listen", f"unix:{folder}/main", "--admin-listen", "127.0.0.1:0", "--loops", "2",
            "--access-log", f"{folder}/log", "--trace", f"{folder}/trace", "--header-timeout", "300ms", "--max-connections", str(CONNECTIONS_MAX), "--verbose")


def exercise(server, folder, **options):
    """All paths, all kinds of clients, all signals; then a drain, which must lose nothing. `options` of --check."""
    admin_address = server.addresses[-1]
    for request in GOOD:
        assert server.ask(request).status in (200, 404), request
    for path in ADMIN:
        assert admin.ask(admin_address, get(path)).status == 200, path
    with server.connect() as wire:
        wire.send(PLAIN * 3)
        assert [wire.answer().status for _ in range(3)] == [200] * 3
        wire.send(post(b"/echo", b"x" * MEBIBYTE))  # nothing is read before all is sent
        assert len(wire.answer().body) == MEBIBYTE
        wire.send(b"NIX / HTTP/1.1\r\n\r\n")
        assert wire.answer().status == 501  # a lingering close follows
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/bytes/100000000"))
        assert wire.readable(PATIENCE)
        wire.reset()
    with server.connect(receive_buffer=4096) as wire:
        wire.send(get(b"/bytes/300000") + get(b"/echo?abort=reset"))
        assert wire.readable(PATIENCE)
        time.sleep(0.1)  # a slow client: the reset must not destroy what it has not read
        assert len(wire.answer().body) == 300000
    with server.connect() as wire:
        wire.send(PLAIN[:10])
        assert wire.answer().status == 408
    until(lambda: re.search(r"^echod_connections_open\S* 0$", metrics(admin_address), re.MULTILINE), "none lingers")
    with many(server, CONNECTIONS_MAX) as wires:
        for wire in wires:
            wire.kept()
        assert server.ask(PLAIN).status == 503
    until(lambda: server.ask(PLAIN).status == 200, "it is not full any more")
    url = "http://{}:{}/readyz".format(*admin_address)
    done = subprocess.run([settings.server_path, "--check", url], capture_output=True, text=True, env=environment(), timeout=PATIENCE,
                          **options)
    assert (done.returncode, done.stderr) == (0, "")
    send_signals(server, folder)
    with server.connect() as idle, server.connect() as busy, server.connect() as slow:
        busy.send(get(b"/delay/500ms"))
        slow.send(post(b"/echo", b"hello")[:-2])
        idle.kept()
        os.kill(server.pid, signal.SIGTERM)
        idle.closed()
        slow.send(b"lo")
        assert slow.answer().body == b"hello"
        assert busy.answer().status == 200
    assert server.child.wait(PATIENCE) == 0
    assert os.path.getsize(f"{folder}/trace") > 0


def metrics(address):
    return admin.ask(address, get(b"/metrics")).body.decode()


def send_signals(server, folder):
    os.kill(server.pid, signal.SIGUSR2)
    until(lambda: os.path.exists(f"{folder}/trace.1"), "the trace so far is there")
    os.rename(f"{folder}/log", f"{folder}/log.1")
    os.kill(server.pid, signal.SIGHUP)
    until(lambda: os.path.exists(f"{folder}/log"), "the log is opened again")
    os.kill(server.pid, signal.SIGUSR1)
    until(lambda: "connections lingering: " in server.errors(), "the report")


@uring
def test_it_allows_what_the_server_calls_and_nothing_else(mode, profile, folder):
    log = os.path.join(folder, "calls")
    with Echod("--mode", mode, *flags(folder), lines=4, wrapper=("strace", "-f", "-qq", "-o", log)) as server:
        exercise(server, folder)
    check_log = os.path.join(folder, "check")
    process.run(["strace", "-f", "-qq", "-o", check_log, settings.server_path, "--check", "http://127.0.0.1:1/"], accept=(1,),
                env=environment())
    text = ""
    for path in (log, check_log):
        with open(path) as file:
            text += file.read()
    called = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
    assert IO_URING < called
    others = set().union(*OTHERS.values())
    assert called - {"clone3"} - profile.allowed == set()
    assert profile.allowed - {"clone"} - called - others == set()


@uring
def test_the_server_under_the_profile(mode, profile, folder):
    load = profile.compile()
    with Echod("--mode", mode, *flags(folder), lines=4, last=load) as server:
        with open(f"/proc/{server.pid}/status") as file:
            assert "Seccomp:\t2\n" in file.read()
        exercise(server, folder, preexec_fn=load)
        said = server.errors()
    assert not re.search(r"permitted|cannot|error", said, re.IGNORECASE), said


def refused(mode, **options):
    """The line that the server says, which does not start."""
    with Echod("--mode", mode, "--listen", "127.0.0.1:0", expect_ready=False, **options) as server:
        assert server.child.wait(PATIENCE) == 1
        assert server.child.stdout.read() == b""
        said = server.errors()
    assert said.startswith(f"echod: cannot start mode {mode}: ") and said.count("\n") == 1, said
    return said


@uring
@pytest.mark.parametrize("call, error, words", [
    ("io_uring_setup", "EPERM", "a seccomp filter forbids io_uring"),
    ("io_uring_setup", "ENOSYS", "the kernel has no io_uring, or a seccomp filter hides it"),
    ("io_uring_register", "EPERM", "a seccomp filter forbids io_uring"),
    ("io_uring_setup", "EACCES", "a security module such as SELinux forbids io_uring"),
])
def test_a_filter_that_forbids_io_uring(mode, call, error, words):
    """One line names what forbids it, and what to allow."""
    said = refused(mode, last=Profile.forbidding(call, getattr(errno, error)).compile())
    assert words in said
    assert all(name in said for name in IO_URING), said


@uring
def test_a_kernel_that_is_too_old(mode):
    assert "Linux 6.1" in refused(mode, last=Profile.forbidding("io_uring_setup", errno.EINVAL).compile())


@uring
@pytest.mark.native
@pytest.mark.parametrize("value, words", [
    ("2", ["kernel.io_uring_disabled forbids io_uring: set it to 0"]),
    ("1", ["kernel.io_uring_disabled forbids io_uring to all but members of kernel.io_uring_group", "or a seccomp filter forbids io_uring"]),
])
def test_the_setting_of_the_kernel_that_forbids_io_uring(mode, folder, value, words):
    """The line names it, and a filter where that may be the cause. A file of ours stands in its place: the setting itself is the whole
    machine's."""
    setting = "/proc/sys/kernel/io_uring_disabled"
    if not os.path.exists(setting):
        pytest.skip(f"there is no {setting} before Linux 6.6")
    path = os.path.join(folder, "setting")
    with open(path, "w") as file:
        file.write(f"{value}\n")
    wrapper = ("unshare", "--mount", "sh", "-c", f'mount --bind {path} {setting} && exec "$@"', "sh")
    said = refused(mode, wrapper=wrapper, last=Profile.forbidding("io_uring_setup", errno.EPERM).compile())
    assert all(text in said for text in words), said
