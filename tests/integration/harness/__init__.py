# SPDX-License-Identifier: MIT
"""What the integration cases stand on: the table of cases, workers that run them, servers, raw connections, checks."""
