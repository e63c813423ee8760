# SPDX-License-Identifier: MIT
"""Watches running servers: what their pages of metrics say, on a terminal or as JSON."""
