# SPDX-License-Identifier: MIT
"""What is measured: the modes of the server, ceilings, peers and lessons; how they are built, started and stopped."""
