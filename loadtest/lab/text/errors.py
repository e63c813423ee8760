# SPDX-License-Identifier: MIT
"""The ways a measurement ends early."""


class LabError(Exception):
    """Something that makes going on pointless. Its text is the one line that the user sees."""


class UsageError(LabError):
    """A flag's value that cannot be served."""


class ServerDied(LabError):
    """A server under measurement has ended by itself."""


class CannotStart(LabError):
    """A server that did not begin to listen."""


class CannotConnect(CannotStart):
    """One that no connection could be opened to any more."""


class WrongAnswer(LabError):
    """An answer that is not what it must be, seen before anything was timed."""


class CellFailed(Exception):
    """One measurement gave no figure (errors, wrong answers); the others may still be good. Its text is the reason.

    `kind`: refused, died, errors, limit, timeout, wrong, other. `errors`: what went wrong how often, where that was counted.
    """

    def __init__(self, reason, kind="other", errors=None):
        super().__init__(reason)
        self.kind = kind
        self.errors = errors
