"""Errors of the history. This module imports no driver: without a history, no driver is loaded."""

from typing import Literal

Reason = Literal["away", "read_only", "full", "timeout", "conflict"]


class HistoryError(Exception):
    """The history cannot be opened, read or written.

    Attributes:
        passing: Whether the error is transient, for example because the database is still starting.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


class HistoryAwayError(HistoryError):
    """The database is unavailable: no connection, a timeout, read-only mode, or a full disk.

    A read has no result; a deletion or a rename did not happen.

    Attributes:
        reason: The cause, for metrics and for the choice of a notice.
    """

    def __init__(self, message: str, reason: Reason = "away") -> None:
        super().__init__(message, passing=True)
        self.reason = reason


class HistoryRefusedError(HistoryError):
    """The database rejects the data; a retry would fail too."""


class TokenError(Exception):
    """The identity gets no token for the database."""


class DeletedError(Exception):
    """The conversation was deleted; later writes to it are dropped."""


class ForeignError(Exception):
    """The conversation belongs to another user, or the step to another conversation."""
