# SPDX-License-Identifier: MIT
"""The machine that measures: its processes, CPUs, sockets and signals, and what the commands share."""
