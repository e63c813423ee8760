# SPDX-License-Identifier: MIT
"""results.json: its figures, what may be said of them, its format, and how the reports read it."""
