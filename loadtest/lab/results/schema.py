# SPDX-License-Identifier: MIT
"""Reads results.json and checks it against results.schema.json: a file may be cut, old, or made by hand."""

import json
from functools import cache
from pathlib import Path

import jsonschema

from ..text import streams
from ..text.errors import LabError

FORMAT, VERSION = "echod-compare", 3
_FILE = Path(__file__).with_name("results.schema.json")
_LARGEST = 1e20  # sums and products of such numbers are still numbers
_DEEPEST = 40
_MESSAGE_MAX = 160  # characters of what jsonschema says, which quotes the value


class _Damaged(Exception):
    """Its text says where, and what is wrong."""


@cache
def _validator():
    schema = json.loads(_FILE.read_text(encoding="utf-8"))
    return jsonschema.Draft202012Validator(schema)


def _place(path):
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part[:60]}" for part in path).lstrip(".") or "the file"


def _check_values(value, path=()):
    """What JSON can hold and the reports cannot: numbers beyond any figure, texts that cannot be written, endless nesting."""
    if len(path) > _DEEPEST:
        raise _Damaged(f"{_place(path[:4])} is nested too deeply")
    if isinstance(value, dict):
        for name, part in value.items():
            _check_values(name, (*path, "a name"))
            _check_values(part, (*path, name))
    elif isinstance(value, list):
        for position, part in enumerate(value):
            _check_values(part, (*path, position))
    elif isinstance(value, str):
        if any("\ud800" <= letter <= "\udfff" for letter in value):
            raise _Damaged(f"{_place(path)} is not text that can be written")
    elif isinstance(value, (int, float)) and not -_LARGEST <= value <= _LARGEST:  # NaN too
        raise _Damaged(f"{_place(path)} is not a number that a figure can have")


def _check(results):
    _check_values(results)
    error = jsonschema.exceptions.best_match(_validator().iter_errors(results))
    if error:
        message = error.message if len(error.message) <= _MESSAGE_MAX else f"…{error.message[-_MESSAGE_MAX:]}"
        raise _Damaged(f"{_place(error.absolute_path)}: {message}")


def check(results, name="results"):
    """LabError, with `name` and the place in it, unless the value is what the reports can read."""
    found = results.get("version") if isinstance(results, dict) else None
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        raise LabError(f"{name}: not the results of ./dev compare")
    if found != VERSION:
        older = "an older" if isinstance(found, int) and found < VERSION else "another"
        raise LabError(f"{name}: {older} format, version {streams.printable(str(found))[:20]}; this program reads version {VERSION}: "
                       "measure again with ./dev compare, or use the release that wrote the file")
    try:
        _check(results)
    except _Damaged as damaged:
        raise LabError(f"{name}: damaged: {streams.printable(str(damaged))}") from None


def load(path):
    """Results that an earlier run has written, or LabError in one line."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LabError(f"{path}: {getattr(error, 'strerror', None) or 'not JSON'}") from None
    check(results, path)
    return results
