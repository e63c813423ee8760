# SPDX-License-Identifier: MIT
"""The systemd units and what stands beside them: sound, as closed as they claim to be, and enough for the server."""

import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from server import ECHOD, MODES, PATIENCE, ROOT, Echod, environment, until

SERVICE = os.path.join(ROOT, "build", "release", "systemd", "echod.service")
SOCKET = os.path.join(ROOT, "deploy", "systemd", "echod.socket")
EXPOSURE_MAX = 2.0


def settings(path):
    """Name to values, in order, whatever the section."""
    found = {}
    with open(path) as file:
        for name, value in re.findall(r"^(\w+)=(.*)$", file.read(), re.MULTILINE):
            found.setdefault(name, []).append(value)
    return found


def run(*argv, **options):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, **options)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return sock.getsockname()[1]


def ask(port):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as sock:
        sock.sendall(b"GET /plaintext HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: sock.recv(65536), b""))


def exposure():
    done = run("systemd-analyze", "security", "--offline=yes", "--no-pager", SERVICE)
    return float(re.search(r"Overall exposure level for echod.service: ([\d.]+)", done.stdout)[1])


def setUpModule():
    print(f"the exposure of echod.service is {exposure()} of 10", flush=True)


class UnitTest(unittest.TestCase):
    def test_no_complaint(self):
        """With the server where this build has it, as it is not installed."""
        with tempfile.TemporaryDirectory() as folder:
            with open(SERVICE) as file:
                text = re.sub(r"^ExecStart=\S+", f"ExecStart={ECHOD}", file.read(), flags=re.MULTILINE)
            with open(os.path.join(folder, "echod.service"), "w") as file:
                file.write(text)
            shutil.copy(SOCKET, folder)
            units = [os.path.join(folder, name) for name in ("echod.service", "echod.socket")]
            done = run("systemd-analyze", "verify", "--man=no", *units)
        self.assertEqual((done.stdout + done.stderr, done.returncode), ("", 0))

    def test_it_names_what_is_installed(self):
        """Wherever --prefix puts that, also for a package that is made in another folder."""
        for prefix, settings_folder in (("/", "etc"), ("/usr", "etc"), ("/usr/local", "usr/local/etc"),
                                        ("/opt/echod", "opt/echod/etc")):
            with self.subTest(prefix), tempfile.TemporaryDirectory() as folder:
                run("cmake", "--install", os.path.dirname(os.path.dirname(SERVICE)), "--prefix", prefix,
                    env=os.environ | {"DESTDIR": folder}, check=True)
                unit = settings(os.path.join(folder, prefix.strip("/"), "lib/systemd/system/echod.service"))
                for path in (unit["ExecStart"][0], unit["EnvironmentFile"][0].removeprefix("-")):
                    self.assertTrue(os.path.isabs(path) and os.path.isfile(folder + path), path)
                for name in ("default", "logrotate.d"):
                    self.assertTrue(os.path.isfile(os.path.join(folder, settings_folder, name, "echod")), name)

    def test_exposure(self):
        self.assertLessEqual(exposure(), EXPOSURE_MAX)

    def test_every_variable_of_the_settings_is_a_flags(self):
        with open(os.path.join(ROOT, "deploy", "systemd", "echod.default")) as file:
            lines = re.findall(r"^#(ECHOD_\w+)=(.*)$", file.read(), re.MULTILINE)
        self.assertTrue(lines)
        done = run(ECHOD, "--check", "http://127.0.0.1:1/", env=environment(dict(lines)))
        self.assertEqual(done.returncode, 1, done.stderr)
        with open(os.path.join(ROOT, "build", "release", "documents", "flags.tsv")) as file:
            known = {"ECHOD_" + line.split("\t")[0][2:].upper().replace("-", "_") for line in file}
        self.assertLessEqual({name for name, _ in lines}, known)


class RunTest(unittest.TestCase):
    def test_activation(self):
        """The first connection starts it, and is served."""
        port = free_port()
        child = subprocess.Popen(["systemd-socket-activate", f"--listen=127.0.0.1:{port}", ECHOD],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment())
        try:
            def answered():
                try:
                    return ask(port)
                except ConnectionRefusedError:
                    return None
            self.assertIn(b"Hello, World!", until(answered, "an answer"))
            self.assertEqual(child.stdout.readline(), f"listening on 127.0.0.1:{port}\n")
        finally:
            child.terminate()
            self.assertEqual(child.wait(), 0)
            child.stdout.close()

    def test_readiness(self):
        """What Type=notify waits for comes, and when it comes there is an answer."""
        self.assertEqual(settings(SERVICE)["Type"], ["notify"])
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(os.path.join(folder, "notify"))
            manager.settimeout(PATIENCE)
            with Echod("--listen", "127.0.0.1:0", variables={"NOTIFY_SOCKET": manager.getsockname()}) as server:
                self.assertIn("READY=1", manager.recv(4096).decode().splitlines())
                self.assertEqual(server.get("/plaintext"), "Hello, World!")
                self.assertEqual(server.stop(), 0)
                self.assertIn("STOPPING=1", manager.recv(4096).decode().splitlines())

    def test_the_drain_fits_into_the_time_to_stop(self):
        with open(os.path.join(ROOT, "build", "release", "documents", "flags.tsv")) as file:
            defaults = {row[0]: row[2] for row in (line.split("\t") for line in file)}
        drain = sum(int(defaults[name].removesuffix("s")) for name in ("--drain-delay", "--drain-timeout"))
        self.assertGreater(int(settings(SERVICE)["TimeoutStopSec"][0].removesuffix("s")), drain)


def group(name):
    """The system calls of one of systemd's groups and of the groups in it."""
    found = set()
    text = run("systemd-analyze", "syscall-filter", "--no-pager", name).stdout
    for word in re.findall(r"^    ([@\w-]+)", text, re.MULTILINE):
        found |= group(word) if word.startswith("@") else {word}
    return found


class FilterTest(unittest.TestCase):
    """No systemd runs here to enforce the unit's filters: what the server calls is held against them instead."""

    def test_system_calls_and_sockets(self):
        allowed = {}
        for rule in settings(SERVICE)["SystemCallFilter"]:
            for name in rule.removeprefix("~").split():
                for call in group(name):
                    allowed[call] = not rule.startswith("~")
        families = set(settings(SERVICE)["RestrictAddressFamilies"][0].split())
        for mode in MODES:
            with self.subTest(mode), tempfile.TemporaryDirectory() as folder:
                log = os.path.join(folder, "calls")
                path = os.path.join(folder, "socket")
                flags = ("--mode", mode, "--listen", "127.0.0.1:0", "--listen", f"unix:{path}",
                         "--access-log", os.path.join(folder, "access.log"))
                with Echod(*flags, wrapper=("strace", "-f", "-qq", "-o", log)) as server:
                    for path in ("plaintext", "delay/10ms", "block/10ms", "compute/10", "metrics", "bytes/1000000"):
                        server.get("/" + path)
                    server.get("/echo", data=b"x" * 100000)
                    self.assertEqual(server.stop(), 0)
                with open(log) as file:
                    text = file.read()
                calls = set(re.findall(r"^\d+ +(\w+)\(", text, re.MULTILINE))
                self.assertIn("recvfrom", calls)
                self.assertEqual({call for call in calls if not allowed.get(call, False)}, set())
                self.assertLessEqual(set(re.findall(r"\bsocket\((\w+)", text)), families)
                self.assertNotRegex(text, r"mmap\([^)]*PROT_WRITE\|PROT_EXEC", "MemoryDenyWriteExecute")


class LogrotateTest(unittest.TestCase):
    def test_no_complaint(self):
        if not os.path.exists("/usr/sbin/logrotate"):
            self.skipTest("logrotate is not installed")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "echod")
            shutil.copy(os.path.join(ROOT, "deploy", "systemd", "echod.logrotate"), path)
            os.chmod(path, 0o644)
            done = run("/usr/sbin/logrotate", "--debug", "--state", os.path.join(folder, "state"), path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("error:", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
