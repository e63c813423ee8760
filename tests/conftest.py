# SPDX-License-Identifier: MIT
"""Loads the options and fixtures of all tests below this folder: see support/plugin.py."""

pytest_plugins = ["support.plugin"]
