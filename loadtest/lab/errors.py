# SPDX-License-Identifier: MIT
"""The ways a measurement ends early."""


class LabError(Exception):
    """Something that makes going on pointless. Its text is the one line that the user sees."""


class UsageError(LabError):
    """A flag's value that cannot be served."""


class CellFailed(Exception):
    """One measurement gave no figure (errors, wrong answers); the others may still be good. Its text is the reason."""
