# SPDX-License-Identifier: MIT
"""The build option ECHOD_MODES: which modes the program offers."""

import os
import re
import subprocess
import tempfile
import unittest

from server import ROOT


def configure(folder, modes):
    return subprocess.run(["cmake", "-S", ROOT, "-B", folder, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug", "-DECHOD_SWARM=OFF",
                           f"-DECHOD_MODES={modes}"], capture_output=True, text=True, check=False)


class ModesTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_unknown(self):
        for modes in ("fibre", "thread;mode", "../main"):
            with self.subTest(modes):
                done = configure(self.folder, modes)
                self.assertNotEqual(done.returncode, 0)
                self.assertRegex(" ".join(done.stderr.split()), re.escape(f"there is no mode '{modes.split(';')[-1]}'; there are: event, hybrid"))

    def test_some(self):
        done = configure(self.folder, "pool;process")
        self.assertEqual(done.returncode, 0, done.stderr)
        done = subprocess.run(["cmake", "--build", self.folder, "--target", "echod"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        echod = os.path.join(self.folder, "echod")
        text = subprocess.run([echod, "--help"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(re.findall(r"^    (\w+)  ", text, re.MULTILINE), ["pool", "process"])
        self.assertIn("concurrency model [pool]\n", text)
        refused = subprocess.run([echod, "--mode", "event"], capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--mode 'event': allowed: pool, process", refused.stderr)


if __name__ == "__main__":
    unittest.main()
