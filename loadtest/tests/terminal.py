# SPDX-License-Identifier: MIT
"""What programs write to a terminal."""

import os


def everything(descriptor):
    """What is written to it until its last writer is gone; closes it. `descriptor`: the leader that pty.openpty returns."""
    parts = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except OSError:
        pass
    finally:
        os.close(descriptor)
    return b"".join(parts).decode("utf-8", "replace")
