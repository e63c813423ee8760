# SPDX-License-Identifier: MIT
"""--picture: two charts and Which one, when? as a PNG file, for a README. Chromium draws it."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ..results import output
from ..text.errors import LabError, UsageError
from . import page

WIDTH = 1080  # pixels
_PATIENCE = 60  # seconds
# Without the parts of the browser that look for the network.
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
          "--force-device-scale-factor=1", "--virtual-time-budget=10000")


def general(results):
    """The results with a machine described as generally as strangers need it."""
    machine = results.get("machine") or {}
    cpus = len(machine.get("cpus_usable") or ()) or machine.get("cpus")
    kernel = ".".join(str(machine.get("kernel") or "").split(".")[:2])
    commit = str(machine.get("commit") or "")
    described = {"cpu": f"{cpus} CPUs", "system": machine.get("system"), "kernel": kernel,
                 "commit": f"commit {commit}" if commit else None}
    return {**results, "machine": described, "machines": None, "pinning": {"note": (results.get("pinning") or {}).get("note")},
            "started": str(results.get("started") or "")[:10]}


def find_tools():
    """Chromium, or LabError."""
    chromium = shutil.which("chromium")
    if not chromium:
        raise LabError("--picture needs Chromium, which is not installed")
    return chromium


def _run(folder, *arguments):
    try:
        done = subprocess.run([find_tools(), *_FLAGS, f"--user-data-dir={folder}/profile", *arguments, Path(folder, "page.html").as_uri()],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        raise LabError(f"Chromium drew no picture within {_PATIENCE} s") from None
    return done.stdout.decode(errors="replace")


def prepare(path):
    """Whether a picture can be drawn there is found out before anything is measured."""
    output.prepare(path.parent)
    if path.is_dir():
        raise UsageError(f"--picture: {path} is a folder")
    find_tools()


def take(results, path):
    """Draws the picture of a comparison."""
    draw(page.picture(general(results)), path)


def draw(text, path, width=WIDTH):
    """Draws a page, as high as it says it is. LabError where Chromium is missing or gives no picture."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "picture.png")
        Path(folder, "page.html").write_text(text, encoding="utf-8")
        height = re.search(r'<html[^>]* data-height="(\d+)"', _run(folder, f"--window-size={width},400", "--dump-dom"))
        if height:
            _run(folder, f"--window-size={width},{height[1]}", f"--screenshot={picture}")
        if not picture.is_file():
            raise LabError("Chromium drew no picture")
        try:
            shutil.copyfile(picture, path)
        except OSError as error:
            raise LabError(f"cannot write {path}: {error.strerror}") from None
