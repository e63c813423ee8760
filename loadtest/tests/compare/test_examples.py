# SPDX-License-Identifier: MIT
"""Every example in the documents of the comparison is run, as far as that needs no measurement; those that measure are read, and
what they require is asked of results that have what the experiments measure."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import report_fixture
from lab.compare import experiment, options, requirements
from lab.machine.process import Child
from lab.results.figures import FIGURES
from paths import LOADTEST

ROOT = LOADTEST.parent
DOCUMENTS = (LOADTEST / "report" / "README.md", LOADTEST / "README.md")
BUILD = Path(os.environ.get("SWARM", ROOT / "build" / "release" / "swarm")).parent
_MISSING = ("no experiment has", "was not measured", "has no ", "there is no experiment", "has no value")


def commands(path):
    """The lines of the document's shell examples, those that are continued as one."""
    blocks = re.findall(r"^```sh[^\n]*\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


def as_planned():
    """Results with every figure of every experiment at every point of a quick run (or a full one), all of them 1."""
    found = report_fixture.results(1)
    found["experiments"] = []
    for item in experiment.load_all():
        effort = item.efforts.get("quick") or item.efforts["full"]
        points = [{"most": 20_000, "cpus": 2}.get(x, x) for x in effort.x]
        names = item.modes or tuple(report_fixture.MODES)
        measured = [report_fixture.measurement(name, x, 1, dict.fromkeys(item.figures, 1.0)) for x in points for name in names]
        found["experiments"].append(report_fixture.experiment(
            item.name, [FIGURES[name].as_dict() for name in item.figures], measured, item.axis and item.axis.as_dict()))
    return found


class ExampleTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for i, name in enumerate(("build/compare/results.json", "old.json", "a.json", "b.json")):
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(report_fixture.results(i)), encoding="utf-8")

    def test_compare(self):
        ran = 0
        for document in DOCUMENTS:
            for line in commands(document):
                if not line.startswith("./dev compare"):
                    continue
                with self.subTest(line):
                    self.one(shlex.split(line)[2:])
                    ran += 1
        self.assertGreaterEqual(ran, 5)

    def one(self, argv):
        given = options.parse(argv)
        if given.picture and not shutil.which("chromium"):
            self.skipTest("Chromium is not installed")
        if given.source or given.merge:
            done = subprocess.run([sys.executable, str(LOADTEST / "compare.py"), *argv, "--output", str(self.folder / "out")],
                                  cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue((self.folder / "out" / "report.html").is_file())
            self.assertTrue(not given.picture or (self.folder / given.picture).is_file())
            return
        known = experiment.load_all()
        experiment.choose(known, given.only)
        for line in requirements.check(as_planned(), given.require):
            self.assertFalse(any(word in line for word in _MISSING), line)

    def test_a_requirement_of_a_figure_that_is_not_there_is_found(self):
        """What the example of the version before asked for: a name that no experiment has."""
        line, = requirements.check(as_planned(), ["hybrid.p99_us < 0.1 * event.p99_us in blocked-loop"])
        self.assertTrue(any(word in line for word in _MISSING), line)

    @unittest.skipUnless((BUILD / "echod").exists() and shutil.which("wrk"), "echod is not built, or wrk not installed")
    def test_by_hand(self):
        """The commands of loadtest/README.md against a server on a port of its own, without pinning, with fewer connections."""
        lines = [line for line in commands(DOCUMENTS[1]) if line.startswith("taskset")]
        self.assertEqual([line.endswith("&") for line in lines], [True, *[False] * (len(lines) - 1)])
        server, *loads = [re.sub(r"^taskset -c \d+ ", "", line).removesuffix("&").replace("build/release", str(BUILD)) for line in lines]
        with Child([*shlex.split(server), "--listen", "127.0.0.1:0"]) as child:
            port = re.search(rb"127\.0\.0\.1:(\d+)", child.stdout.readline())[1].decode()
            for line in loads:
                argv = shlex.split(line.replace("127.0.0.1:8080", f"127.0.0.1:{port}").replace("-d5s", "-d1s").replace("5s", "1s")
                                   .replace("--connections 5000", "--connections 100").replace("--connections 1024", "--connections 64"))
                with self.subTest(line):
                    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertIn("{", done.stdout)
