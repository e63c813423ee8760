# SPDX-License-Identifier: MIT
"""The size of a program file, and of the libraries that it loads."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path


def stripped_bytes(program):
    """The size of a program without its symbols, or None without strip(1)."""
    if not shutil.which("strip"):
        return None
    with tempfile.TemporaryDirectory(prefix="echod-lab-") as folder:
        copy = Path(folder) / program.name
        done = subprocess.run(["strip", "-o", str(copy), str(program)], stdin=subprocess.DEVNULL, capture_output=True,
                              check=False)
        return copy.stat().st_size if done.returncode == 0 else None


def library_loaded(program, name):
    """The file of the library whose name begins so, as the dynamic linker finds it for a program; None if that loads none."""
    if not shutil.which("ldd"):
        return None
    done = subprocess.run(["ldd", str(program)], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    found = re.search(rf"^\s*{re.escape(name)}[-.]\S* => (/.*) \(0x", done.stdout, re.MULTILINE)
    return Path(found[1]) if found else None
