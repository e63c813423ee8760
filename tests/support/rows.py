# SPDX-License-Identifier: MIT
"""Rows of a table as parameters: the first item of each is its id."""

import pytest


def params(rows):
    """For @pytest.mark.parametrize: [("empty", b"", 400)] is one set of two values, with the id `empty`."""
    return [pytest.param(*values, id=name) for name, *values in rows]
