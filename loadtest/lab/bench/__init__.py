# SPDX-License-Identifier: MIT
"""The bench: what a request, an idle connection and a start cost, beside ceilings and peers."""
