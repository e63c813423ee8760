# SPDX-License-Identifier: MIT
"""The Debian package in build/package on a copy of the bare system in PACKAGE_ROOT: installed, run, removed."""

import glob
import os
import re
import shutil
import subprocess

import pytest
from server import Echod
from support.settings import MODES, ROOT

pytestmark = pytest.mark.native

PRISTINE = os.path.join(ROOT, os.environ.get("PACKAGE_ROOT", ""))

# What apt and dpkg keep of any installation whatever.
LEFT_BY_APT = re.compile(r"\./((var/(lib/(apt|dpkg|systemd)|cache|log)|tmp|proc|dev|run)(/|$)|"
                         r"etc/(ld\.so\.cache|resolv\.conf)$)")


@pytest.fixture(scope="module")
def package():
    path, = glob.glob(os.path.join(ROOT, "build", "package", "echod_*.deb"))
    return path


def lintian(package, *options):
    return subprocess.run(["lintian", "--allow-root", "--pedantic", "--display-info", *options, package],
                          capture_output=True, text=True)


def test_lintian(package):
    done = lintian(package, "--fail-on", "error,warning")
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


def test_every_override_is_used(package):
    """One that explains nothing any more goes."""
    done = lintian(package, "--show-overrides")
    with open(os.path.join(ROOT, "deploy", "debian", "lintian-overrides")) as file:
        explained = set(re.findall(r"^echod: ([\w.-]+)", file.read(), re.MULTILINE))
    assert set(re.findall(r"^O: echod: ([\w.-]+)", done.stdout, re.MULTILINE)) == explained


def test_dependencies(package):
    field = subprocess.check_output(["dpkg-deb", "--field", package, "Depends"], text=True)
    names = {name.split()[0].removesuffix("t64") for name in field.split(", ")}
    assert names == {"libc6", "libevent-core-2.1-7"}


def test_debug_package(package, folder):
    """It has the debug information of the program in the other one, where gdb looks for it."""
    debug, = glob.glob(os.path.join(ROOT, "build", "package", "echod-dbgsym_*.ddeb"))
    subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    notes = subprocess.check_output(["readelf", "--notes", os.path.join(folder, "usr", "bin", "echod")], text=True)
    build = re.search(r"Build ID: ([0-9a-f]+)", notes)[1]
    listed = subprocess.check_output(["dpkg-deb", "--contents", debug], text=True)
    assert f"./usr/lib/debug/.build-id/{build[:2]}/{build[2:]}.debug\n" in listed


class System:
    """A copy of the bare system, with the package in /tmp/echod.deb."""

    def __init__(self, root, package):
        self.root = root
        subprocess.run(["cp", "-a", PRISTINE, root], check=True)
        shutil.copy("/etc/resolv.conf", self.path("/etc"))
        shutil.copy(package, self.path("/tmp/echod.deb"))
        self.run("apt-get", "-q", "update")

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def inside(self, *argv):
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--root={self.root}", "--mount-proc", *argv]

    def run(self, *argv):
        done = subprocess.run(self.inside("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C",
                                          "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *argv),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def install(self, *options):
        self.run("apt-get", "-q", "-y", "--no-install-recommends", *options, "install", "/tmp/echod.deb")

    def files(self):
        done = subprocess.run(["find", ".", "-printf", "%p %m %U:%G\n"], cwd=self.root, capture_output=True, text=True)
        return {line for line in done.stdout.splitlines() if not LEFT_BY_APT.match(line.split()[0])}


@pytest.mark.timeout(600)
def test_from_installation_to_purge(folder, package):
    system = System(os.path.join(folder, "root"), package)
    before = system.files()
    system.install()
    listed = system.run("dpkg", "--listfiles", "echod").split()
    for path in ("/usr/bin/echod", "/usr/lib/systemd/system/echod.service", "/usr/lib/systemd/system/echod.socket",
                 "/etc/default/echod", "/etc/logrotate.d/echod", "/usr/share/doc/echod/copyright",
                 "/usr/share/doc/echod/examples/uring.conf",
                 "/usr/share/bash-completion/completions/echod", "/usr/share/zsh/vendor-completions/_echod",
                 "/usr/share/fish/vendor_completions.d/echod.fish", "/usr/share/man/man1/echod.1.gz"):
        assert path in listed
    assert system.run("dpkg", "--verify", "echod") == ""
    assert re.match(r"echod [\d.]+\nlibevent 2\.1\.\d+", system.run("echod", "--version"))
    check_answers(system)
    check_settings_stay(system)
    system.run("apt-get", "-q", "-y", "--autoremove", "remove", "echod")
    assert os.path.exists(system.path("/etc/default/echod")), "settings stay until the purge"
    assert not os.path.exists(system.path("/usr/bin/echod"))
    system.run("apt-get", "-q", "-y", "--autoremove", "purge", "echod")
    assert system.files() ^ before == set()


def check_answers(system):
    for mode in MODES:
        flags = ("--mode", mode, "--listen", "127.0.0.1:0")
        with Echod(*flags, program="/usr/bin/echod", wrapper=system.inside()) as server:
            assert server.get("/plaintext") == "Hello, World!", mode
            assert server.stop() == 0, mode


def check_settings_stay(system):
    with open(system.path("/etc/default/echod"), "a") as file:
        file.write("ECHOD_MODE=thread\n")
    system.install("--reinstall")
    with open(system.path("/etc/default/echod")) as file:
        assert "ECHOD_MODE=thread\n" in file.read()
