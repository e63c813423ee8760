# SPDX-License-Identifier: MIT
"""Result files: written whole or not at all."""

import json
import os
import re
from pathlib import Path

from ..text.errors import LabError

_NUMBER = r"-?\d[\d.eE+-]*"
_NUMBERS = re.compile(rf"\[\n\s+{_NUMBER}(?:,\n\s+{_NUMBER})*\n\s*\]")
_PAIRS = re.compile(rf"\[\n\s+\[{_NUMBER}, {_NUMBER}\](?:,\n\s+\[{_NUMBER}, {_NUMBER}\])*\n\s*\]")


def prepare(folder):
    """Makes the folder; LabError if nothing can be written there."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LabError(f"cannot write to {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise LabError(f"cannot write to {folder}")


def write(path, text):
    path = Path(path)
    draft = path.with_name(path.name + ".new")
    try:
        draft.write_text(text, encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise LabError(f"cannot write {path}: {error.strerror}") from None


def write_json(path, value):
    """Readable, with a list of numbers, and of pairs of them, on one line. (No string holds a line feed in JSON.)"""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    for inner in (_NUMBERS, _PAIRS):
        text = inner.sub(lambda found: " ".join(found[0].split()).replace("[ ", "[").replace(" ]", "]"), text)
    write(path, text + "\n")
