# SPDX-License-Identifier: MIT
"""Loads the options and fixtures of the tests in tests/: see tests/support/plugin.py."""

pytest_plugins = ["support.plugin"]
