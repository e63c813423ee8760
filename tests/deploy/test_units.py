# SPDX-License-Identifier: MIT
"""The systemd units and what stands beside them: sound, as closed as they claim to be, and enough for the server."""

import os
import re
import shutil
import socket
import subprocess

import pytest
from seccomp_profile import Profile
from server import PATIENCE, Echod
from support import ports, process, settings
from support.checks import until
from support.server import environment
from support.settings import ROOT

SERVICE = os.path.join(ROOT, "build", "release", "systemd", "echod.service")
SOCKET = os.path.join(ROOT, "deploy", "systemd", "echod.socket")
FOR_URING = os.path.join(ROOT, "deploy", "systemd", "uring.conf")
IO_URING = {"io_uring_enter", "io_uring_register", "io_uring_setup"}
EXPOSURE_MAX = 2.0


def unit_settings(path):
    """Name to values, in order, whatever the section."""
    found = {}
    with open(path) as file:
        for name, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.MULTILINE):
            found.setdefault(name, []).append(value)
    return found


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, **options)


def ask(port):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        sock.sendall(b"GET /plaintext HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(65536), b""))


def exposure():
    done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", SERVICE)
    return float(re.search(r"Overall exposure level for echod.service: ([\d.]+)", done.stdout)[1])


def test_units_are_sound(folder):
    """With the server where this build has it, as it is not installed."""
    with open(SERVICE) as file:
        text = re.sub(r"^ExecStart=\S+", f"ExecStart={settings.server_path}", file.read(), flags=re.MULTILINE)
    with open(os.path.join(folder, "echod.service"), "w") as file:
        file.write(text)
    shutil.copy(SOCKET, folder)
    os.mkdir(os.path.join(folder, "echod.service.d"))
    shutil.copy(FOR_URING, os.path.join(folder, "echod.service.d"))
    units = [os.path.join(folder, name) for name in ("echod.service", "echod.socket")]
    done = run("systemd-analyze", "verify", "--man=no", *units)
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


@pytest.mark.alone  # each installation writes its paths into files of the build first
@pytest.mark.parametrize("prefix, settings_folder", [
    ("/", "etc"), ("/usr", "etc"), ("/usr/local", "usr/local/etc"), ("/opt/echod", "opt/echod/etc")])
def test_it_names_what_is_installed(prefix, settings_folder, folder):
    """Wherever --prefix puts that, also for a package that is made in another folder."""
    run("cmake", "--install", os.path.dirname(os.path.dirname(SERVICE)), "--prefix", prefix,
        env=os.environ | {"DESTDIR": folder}, check=True)
    unit = unit_settings(os.path.join(folder, prefix.strip("/"), "lib/systemd/system/echod.service"))
    for path in (unit["ExecStart"][0], unit["EnvironmentFile"][0].removeprefix("-")):
        assert os.path.isabs(path) and os.path.isfile(folder + path), path
    assert os.path.isfile(os.path.join(folder, prefix.strip("/"), "share/doc/echod/examples/uring.conf"))
    for name in ("default", "logrotate.d"):
        assert os.path.isfile(os.path.join(folder, settings_folder, name, "echod")), name


def test_exposure():
    found = exposure()
    print(f"the exposure of echod.service is {found} of 10")
    assert found <= EXPOSURE_MAX


def test_every_variable_of_the_settings_is_a_flags():
    with open(os.path.join(ROOT, "deploy", "systemd", "echod.default")) as file:
        lines = re.findall(r"^#(ECHOD_\w+)=(.*)$", file.read(), re.MULTILINE)
    assert lines
    done = run(settings.server_path, "--check", "http://127.0.0.1:1/", env=environment(dict(lines)))
    assert done.returncode == 1, done.stderr
    with open(os.path.join(ROOT, "build", "release", "documents", "flags.tsv")) as file:
        known = {"ECHOD_" + line.split("\t")[0][2:].upper().replace("-", "_") for line in file}
    assert {name for name, _ in lines} <= known


def test_activation():
    """The first connection starts it, and is served."""
    port = ports.free()
    child = process.spawn(["systemd-socket-activate", f"--listen=127.0.0.1:{port}", settings.server_path],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment())
    try:
        def answered():
            try:
                return ask(port)
            except ConnectionRefusedError:
                return None
        assert b"Hello, World!" in until(answered, "an answer")
        assert child.stdout.readline() == f"listening on 127.0.0.1:{port}\n"
    finally:
        child.terminate()
        assert child.wait() == 0
        child.stdout.close()


def test_readiness(folder):
    """What Type=notify waits for comes, and when it comes there is an answer."""
    assert unit_settings(SERVICE)["Type"] == ["notify"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(os.path.join(folder, "notify"))
        manager.settimeout(PATIENCE)
        with Echod("--listen", "127.0.0.1:0", variables={"NOTIFY_SOCKET": manager.getsockname()}) as server:
            assert "READY=1" in manager.recv(4096).decode().splitlines()
            assert server.get("/plaintext") == "Hello, World!"
            assert server.stop() == 0
            assert "STOPPING=1" in manager.recv(4096).decode().splitlines()


def test_the_drain_fits_into_the_time_to_stop():
    with open(os.path.join(ROOT, "build", "release", "documents", "flags.tsv")) as file:
        defaults = {row[0]: row[2] for row in (line.split("\t") for line in file)}
    drain = sum(int(defaults[name].removesuffix("s")) for name in ("--drain-delay", "--drain-timeout"))
    assert int(unit_settings(SERVICE)["TimeoutStopSec"][0].removesuffix("s")) > drain


def group(name):
    """The system calls of one of systemd's groups and of the groups in it."""
    found = set()
    text = run("systemd-analyze", "syscall-filter", "--no-pager", name).stdout
    for word in re.findall(r"^    ([@\w-]+)", text, re.MULTILINE):
        found |= group(word) if word.startswith("@") else {word}
    return found


def permitted(*paths):
    """The system calls that the unit allows, with what is added to it."""
    allowed = set()
    for rule in (rule for path in paths for rule in unit_settings(path)["SystemCallFilter"]):
        for name in rule.removeprefix("~").split():
            calls = group(name) if name.startswith("@") else {name}
            allowed = allowed - calls if rule.startswith("~") else allowed | calls
    return allowed


def test_io_uring_is_for_its_mode_only():
    assert not permitted(SERVICE) & IO_URING
    assert permitted(SERVICE, FOR_URING) == permitted(SERVICE) | IO_URING


@pytest.mark.parametrize("mode", ["uring"])
def test_mode_uring_under_the_filter_of_the_unit(mode):
    """Without the drop-in file the server says what forbids it to start; with the file it serves."""
    flags = ("--mode", mode, "--listen", "127.0.0.1:0")
    with Echod(*flags, expect_ready=False, last=Profile.allowing(permitted(SERVICE)).compile()) as server:
        assert server.child.wait(PATIENCE) == 1
        assert "a seccomp filter forbids io_uring" in server.errors()
    with Echod(*flags, last=Profile.allowing(permitted(SERVICE, FOR_URING)).compile()) as server:
        assert server.get("/plaintext") == "Hello, World!"
        assert server.stop() == 0


def test_system_calls_and_sockets(mode, folder):
    """No systemd runs here to enforce the unit's filters: what the server calls is held against them instead."""
    allowed = permitted(SERVICE, FOR_URING) if mode == "uring" else permitted(SERVICE)
    families = set(unit_settings(SERVICE)["RestrictAddressFamilies"][0].split())
    log = os.path.join(folder, "calls")
    path = os.path.join(folder, "socket")
    flags = ("--mode", mode, "--listen", "127.0.0.1:0", "--listen", f"unix:{path}",
             "--access-log", os.path.join(folder, "access.log"))
    with Echod(*flags, wrapper=("strace", "-f", "-qq", "-o", log)) as server:
        for path in ("plaintext", "delay/10ms", "block/10ms", "compute/10", "metrics", "bytes/1000000"):
            server.get("/" + path)
        server.get("/echo", data=b"x" * 100000)
        assert server.stop() == 0
    with open(log) as file:
        text = file.read()
    calls = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
    assert {"recvfrom", "io_uring_enter"} & calls
    assert calls - allowed == set()
    assert set(re.findall(r"\bsocket\((\w+)", text)) <= families
    assert not re.search(r"mmap\([^)]*PROT_WRITE\|PROT_EXEC", text), "MemoryDenyWriteExecute"


def test_logrotate(folder):
    path = os.path.join(folder, "echod")
    shutil.copy(os.path.join(ROOT, "deploy", "systemd", "echod.logrotate"), path)
    os.chmod(path, 0o644)
    done = run("/usr/sbin/logrotate", "--debug", "--state", os.path.join(folder, "state"), path)
    assert done.returncode == 0, done.stderr
    assert "error:" not in done.stderr
