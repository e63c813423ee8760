# SPDX-License-Identifier: MIT
"""results.json: its format, and how the reports read it."""
