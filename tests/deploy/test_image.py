# SPDX-License-Identifier: MIT
"""The image in build/image: what is in it, what it says of itself, and how it runs. By `./dev test image`."""

import contextlib
import filecmp
import os
import re
import signal
import socket
import subprocess

import container
import pytest
from server import PATIENCE
from support.checks import until
from support.procfs import children

pytestmark = pytest.mark.native

BUILD = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build")
if not os.path.exists(os.path.join(BUILD, "image")):
    pytest.skip("there is no image: ./dev test image makes it", allow_module_level=True)
IMAGE = container.Image(os.path.join(BUILD, "image"))
SIZE_MAX = 2 << 20
CHECK_TIMEOUT = 5  # seconds until --check gives up
GET = b"GET /plaintext HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Container:
    """A container of the image with a network of its own; pid is its PID 1 as seen from here."""

    def __init__(self, *arguments, user=None, variables=None, cpus=None):
        self.reader, writer = os.pipe()
        self.environment = environment = IMAGE.environment | (variables or {})
        self.port = int(environment["PORT"])
        self.launcher = os.fork()
        if self.launcher == 0:
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            if cpus:
                os.sched_setaffinity(0, cpus)
            child = container.start(IMAGE, IMAGE.command(arguments), environment, user=user, network=True)
            os._exit(container.wait(child))
        os.close(writer)
        self.output = ""

    def read_until(self, pattern):
        """What it has said, once that is in it."""
        while not re.search(pattern, self.output):
            piece = os.read(self.reader, 4096).decode()
            if not piece:
                raise AssertionError(f"ended without saying {pattern!r}: {self.output!r}")
            self.output += piece
        return self.output

    def __enter__(self):
        try:
            self.read_until(rf"listening on \S+:{self.port}\n(.|\n)*listening on \S+:{self.port}\n")
            self.pid = children(self.launcher)[0]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.launcher, signal.SIGKILL)
            os.waitpid(self.launcher, 0)
        os.close(self.reader)

    def enter(self, *options_and_command, **options):
        """Runs a program in its namespaces, as a runtime's exec does."""
        return subprocess.run(["nsenter", "--target", str(self.pid), "--net", "--pid", *options_and_command],
                              capture_output=True, text=True, timeout=PATIENCE, **options)

    def health(self):
        """Runs the image's health check as its user."""
        kind, *command = IMAGE.config["Healthcheck"]["Test"]
        assert kind == "CMD", "a root without a shell can run no other kind"
        user, group = map(str, IMAGE.user)
        return self.enter("--root", "--setuid", user, "--setgid", group, "--", *command, env=self.environment)

    def ask(self, address):
        """The answer to one request from inside its network."""
        own = os.open("/proc/self/ns/net", os.O_RDONLY)
        theirs = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY)
        try:
            container.enter_network(theirs)
            with socket.create_connection((address, self.port), timeout=PATIENCE) as sock:
                sock.sendall(GET)
                return b"".join(iter(lambda: sock.recv(65536), b""))
        finally:
            container.enter_network(own)
            os.close(own)
            os.close(theirs)

    def stop(self):
        """SIGTERM to its PID 1; the exit status."""
        os.kill(self.pid, signal.SIGTERM)
        return os.waitstatus_to_exitcode(os.waitpid(self.launcher, 0)[1])


def test_files():
    found = {os.path.relpath(os.path.join(folder, name), IMAGE.root)
             for folder, _, names in os.walk(IMAGE.root) for name in names}
    licences = {path for path in found if path.startswith("licenses/")}
    assert found - licences == {"echod"}
    assert {os.path.basename(path) for path in licences} == {"echod", "libc6-dev", "libevent-dev", "libllhttp-dev", "liburing-dev"}


def test_size():
    size = sum(os.path.getsize(os.path.join(folder, name)) for folder, _, names in os.walk(IMAGE.root) for name in names)
    print(f"the image's files have {size} bytes, its user is {IMAGE.config['User']}")
    assert size < SIZE_MAX


def test_static():
    headers = subprocess.run(["readelf", "--program-headers", "--dynamic", os.path.join(IMAGE.root, "echod")],
                             capture_output=True, text=True, check=True).stdout
    assert "INTERP" not in headers
    assert "(NEEDED)" not in headers


def test_another_build_gives_the_same_executable():
    again = os.path.join(BUILD, "image-again", "root", "echod")
    assert filecmp.cmp(os.path.join(IMAGE.root, "echod"), again, shallow=False)


def test_settings():
    config = IMAGE.config
    assert 0 not in IMAGE.user
    assert config["Entrypoint"] == ["/echod"]
    assert not config["Cmd"], "a flag there would beat its variable"
    assert list(config["ExposedPorts"]) == ["8080/tcp"]
    assert config["StopSignal"] == "SIGTERM"
    echod = os.path.join(IMAGE.root, "echod")
    version = subprocess.run([echod, "--version"], capture_output=True, text=True).stdout
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}
    assert f"echod {labels['version']}\n" == version.splitlines(keepends=True)[0]
    assert (labels["title"], labels["licenses"]) == ("echod", "MIT")
    assert re.search(r"\A[0-9a-f]{40}\Z", labels["revision"]), labels["revision"]
    assert "concurrency" in labels["description"]


def test_both_families(mode):
    with Container(variables={"ECHOD_MODE": mode}) as box:
        for address in ("127.0.0.1", "::1"):
            assert b"Hello, World!" in box.ask(address)
        assert box.stop() == 0


def test_health():
    with Container() as box:
        timeout = IMAGE.config["Healthcheck"]["Timeout"] / 1e9
        assert timeout > CHECK_TIMEOUT, "else it is killed before it says why"
        good = box.health()
        assert (good.returncode, good.stderr) == (0, "")
        for url in ("http://127.0.0.1:8081/healthz", "http://127.0.0.1:8080/status/503"):
            bad = box.enter("--root", "--", "/echod", "--check", url)
            assert (bad.returncode, len(bad.stderr.splitlines())) == (1, 1)


@pytest.mark.parametrize("variables", [
    {"PORT": "9000"}, {"ECHOD_ADMIN_LISTEN": "*:9090"}, {"ECHOD_LISTEN": "*:9000", "PORT": "9000"},
    {"ECHOD_ADMIN_LISTEN": "127.0.0.1:9090, 127.0.0.1:9091", "PORT": "9000"}], ids="-".join)
def test_health_follows_the_settings(variables):
    """The port, a listener of its own for health; a server that is not where the settings say is not healthy."""
    with Container(variables=variables) as box:
        good = box.health()
        assert (good.returncode, good.stderr) == (0, "")
        assert b"Hello, World!" in box.ask("127.0.0.1")
        box.environment["PORT"], box.environment["ECHOD_LISTEN"] = "1", ""
        box.environment["ECHOD_ADMIN_LISTEN"] = ""
        assert box.health().returncode == 1


@pytest.mark.parametrize("user", [None, (1000660000, 0)], ids=["the image's", "a platform's"])
def test_rights(user):
    """Nothing to be written, no right to be had."""
    with Container(user=user) as box:
        assert b"Hello, World!" in box.ask("127.0.0.1")
        with open(f"/proc/{box.pid}/status") as file:
            status = dict(re.findall(r"(\w+):\t(.*)", file.read()))
        assert status["Uid"].split() == [str((user or IMAGE.user)[0])] * 4
        assert status["NSpid"].split()[1:] == ["1"]
        assert status["NoNewPrivs"] == "1"
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(status[name], 16) == 0, name
        with pytest.raises(OSError, match="Read-only"):
            open(os.path.join(f"/proc/{box.pid}", "root", "file"), "w").close()
        assert box.stop() == 0


def test_orphans_are_reaped(mode):
    """PID 1 inherits the children of what a runtime executes beside it."""
    with Container(variables={"ECHOD_MODE": mode}) as box:
        box.enter("--", "sh", "-c", "sleep 0.3 &", check=True)
        until(lambda: not children(box.pid), "no child is left")
        assert b"Hello, World!" in box.ask("127.0.0.1")
        assert box.stop() == 0


def test_affinity():
    one = {min(os.sched_getaffinity(0))}
    with Container("--verbose", cpus=one) as box:
        assert "mode event, loops: 1, " in box.output
