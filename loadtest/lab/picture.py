# SPDX-License-Identifier: MIT
"""--picture: the top of the report's page as a PNG file, for a README. Chromium draws it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from . import png, report_html
from .errors import LabError

SIZE = (1080, 1500)  # pixels
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
    """(Chromium, Chart.js), or LabError."""
    chromium, library = shutil.which("chromium"), report_html.library()
    if not chromium or not library:
        raise LabError(f"--picture needs {'Chromium' if not chromium else 'Chart.js'}, which is not installed")
    return chromium, library


def take(results, path, size=SIZE):
    """Draws the page of the results and writes the picture. LabError where Chromium is missing or gives none."""
    chromium, library = find_tools()
    with tempfile.TemporaryDirectory() as folder:
        page, picture = Path(folder, "report.html"), Path(folder, "picture.png")
        page.write_text(report_html.page(general(results), library), encoding="utf-8")
        try:
            subprocess.run([chromium, *_FLAGS, f"--user-data-dir={folder}/profile", f"--window-size={size[0]},{size[1]}",
                            f"--screenshot={picture}", page.as_uri()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=_PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise LabError(f"Chromium drew no picture within {_PATIENCE} s") from None
        if not picture.is_file():
            raise LabError("Chromium drew no picture")
        try:
            Path(path).write_bytes(png.smaller(picture.read_bytes()))
        except OSError as error:
            raise LabError(f"cannot write {path}: {error.strerror}") from None
