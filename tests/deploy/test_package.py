# SPDX-License-Identifier: MIT
"""The Debian package in build/package on a copy of the bare system in PACKAGE_ROOT: installed, run, removed."""

import glob
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from server import MODES, ROOT, Echod

PACKAGE, = glob.glob(os.path.join(ROOT, "build", "package", "echod_*.deb"))
PRISTINE = os.path.join(ROOT, os.environ.get("PACKAGE_ROOT", ""))

# What apt and dpkg keep of any installation whatever.
LEFT_BY_APT = re.compile(r"\./((var/(lib/(apt|dpkg|systemd)|cache|log)|tmp|proc|dev|run)(/|$)|"
                         r"etc/(ld\.so\.cache|resolv\.conf)$)")


def lintian(*options):
    return subprocess.run(["lintian", "--allow-root", "--pedantic", "--display-info", *options, PACKAGE],
                          capture_output=True, text=True)


class PackageTest(unittest.TestCase):
    def test_lintian(self):
        done = lintian("--fail-on", "error,warning")
        self.assertEqual((done.stdout, done.returncode), ("", 0), done.stderr)

    def test_every_override_is_used(self):
        """One that explains nothing any more goes."""
        done = lintian("--show-overrides")
        with open(os.path.join(ROOT, "deploy", "debian", "lintian-overrides")) as file:
            explained = set(re.findall(r"^echod: ([\w.-]+)", file.read(), re.MULTILINE))
        self.assertEqual(set(re.findall(r"^O: echod: ([\w.-]+)", done.stdout, re.MULTILINE)), explained)

    def test_dependencies(self):
        field = subprocess.check_output(["dpkg-deb", "--field", PACKAGE, "Depends"], text=True)
        names = {name.split()[0].removesuffix("t64") for name in field.split(", ")}
        self.assertEqual(names, {"libc6", "libevent-core-2.1-7"})


class SystemTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="echod-root-")
        cls.root = os.path.join(cls.folder, "root")
        subprocess.run(["cp", "-a", PRISTINE, cls.root], check=True)
        shutil.copy("/etc/resolv.conf", os.path.join(cls.root, "etc"))
        shutil.copy(PACKAGE, os.path.join(cls.root, "tmp", "echod.deb"))
        cls.run_inside("apt-get", "-q", "update")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    @classmethod
    def inside(cls, *argv):
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", f"--root={cls.root}", "--mount-proc", *argv]

    @classmethod
    def run_inside(cls, *argv):
        done = subprocess.run(cls.inside("env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C",
                                         "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *argv),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240)
        if done.returncode != 0:
            raise AssertionError(f"{argv} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def install(self, *options):
        self.run_inside("apt-get", "-q", "-y", "--no-install-recommends", *options, "install", "/tmp/echod.deb")

    def files(self):
        done = subprocess.run(["find", ".", "-printf", "%p %m %U:%G\n"], cwd=self.root, capture_output=True, text=True)
        return {line for line in done.stdout.splitlines() if not LEFT_BY_APT.match(line.split()[0])}

    def path(self, name):
        return os.path.join(self.root, name.lstrip("/"))

    def test_from_installation_to_purge(self):
        before = self.files()
        self.install()
        listed = self.run_inside("dpkg", "--listfiles", "echod").split()
        for path in ("/usr/bin/echod", "/usr/lib/systemd/system/echod.service", "/usr/lib/systemd/system/echod.socket",
                     "/etc/default/echod", "/etc/logrotate.d/echod", "/usr/share/doc/echod/copyright",
                     "/usr/share/bash-completion/completions/echod", "/usr/share/zsh/vendor-completions/_echod",
                     "/usr/share/fish/vendor_completions.d/echod.fish", "/usr/share/man/man1/echod.1.gz"):
            self.assertIn(path, listed)
        self.assertEqual(self.run_inside("dpkg", "--verify", "echod"), "")
        self.assertRegex(self.run_inside("echod", "--version"), r"\Aechod [\d.]+\nlibevent 2\.1\.\d+")
        self.check_answers()
        self.check_settings_stay()
        self.run_inside("apt-get", "-q", "-y", "--autoremove", "remove", "echod")
        self.assertTrue(os.path.exists(self.path("/etc/default/echod")), "settings stay until the purge")
        self.assertFalse(os.path.exists(self.path("/usr/bin/echod")))
        self.run_inside("apt-get", "-q", "-y", "--autoremove", "purge", "echod")
        self.assertEqual(self.files() ^ before, set())

    def check_answers(self):
        for mode in MODES:
            flags = ("--mode", mode, "--listen", "127.0.0.1:0")
            with Echod(*flags, program="/usr/bin/echod", wrapper=self.inside()) as server:
                self.assertEqual(server.get("/plaintext"), "Hello, World!", mode)
                self.assertEqual(server.stop(), 0, mode)

    def check_settings_stay(self):
        with open(self.path("/etc/default/echod"), "a") as file:
            file.write("ECHOD_MODE=thread\n")
        self.install("--reinstall")
        with open(self.path("/etc/default/echod")) as file:
            self.assertIn("ECHOD_MODE=thread\n", file.read())


if __name__ == "__main__":
    unittest.main(verbosity=2)
