"""Errors of the drivers, SQLAlchemy and the network as errors of the history, and which of them are transient."""

import sqlite3

import asyncpg
from sqlalchemy.exc import ArgumentError, CompileError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kaito_chat.history.errors import HistoryAwayError, HistoryError, HistoryRefusedError, Reason, TokenError

# Data, constraints, limits of one row, syntax: https://www.postgresql.org/docs/current/errcodes-appendix.html
REFUSING_CLASSES = ("21", "22", "23", "42", "44", "54")
# Codes of these classes that an operator can fix: missing tables, columns, functions or privileges.
MENDABLE = ("42P01", "42703", "42501", "42883")
CONFLICTS = ("40001", "40P01", "55P03")
# https://sqlite.org/rescode.html
SQLITE_REFUSING = (sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE)
SQLITE_REASONS: dict[int, Reason] = {
    sqlite3.SQLITE_BUSY: "conflict",
    sqlite3.SQLITE_LOCKED: "conflict",
    sqlite3.SQLITE_READONLY: "read_only",
    sqlite3.SQLITE_FULL: "full",
}
POSTGRESQL_REASONS: dict[str, Reason] = {
    **dict.fromkeys(CONFLICTS, "conflict"),
    "25006": "read_only",
    "53100": "full",
    "57014": "timeout",
}
ERRORS = (
    SQLAlchemyError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    sqlite3.Error,
    OSError,
    TimeoutError,
    TokenError,
)
# Errors in our own statements.
REFUSING = (ArgumentError, CompileError)


def translate(error: BaseException) -> HistoryError:
    """Convert an error of a driver, SQLAlchemy or the network to a `HistoryError`, whose message contains no data."""
    if isinstance(error, HistoryError):
        return error
    cause = getattr(error, "orig", None) or error
    words = _words(cause)
    for each in (cause, cause.__cause__):
        if isinstance(code := getattr(each, "sqlstate", None), str):
            return _of_postgresql(code, words)
        if isinstance(number := getattr(each, "sqlite_errorcode", None), int):
            return _of_sqlite(number & 0xFF, words)
        if isinstance(each, (asyncpg.DataError, ValueError, TypeError)):
            return HistoryRefusedError(type(each).__name__)  # its message quotes the data
    if isinstance(error, ERRORS) and not isinstance(error, REFUSING):
        return HistoryAwayError(words, "timeout" if isinstance(error, (TimeoutError, PoolTimeoutError)) else "away")
    return HistoryRefusedError(type(error).__name__)


def _of_postgresql(code: str, words: str) -> HistoryError:
    if code.startswith(REFUSING_CLASSES) and code not in MENDABLE:
        return HistoryRefusedError(f"PostgreSQL's error {code}")  # its message may quote the data
    return HistoryAwayError(words, POSTGRESQL_REASONS.get(code, "away"))


def _of_sqlite(code: int, words: str) -> HistoryError:
    generic = code == sqlite3.SQLITE_ERROR and "no such" not in words
    if code in SQLITE_REFUSING or generic:
        return HistoryRefusedError(words)
    return HistoryAwayError(words, SQLITE_REASONS.get(code, "away"))


def _words(error: BaseException) -> str:
    """Return the first line of a message; later lines may quote data."""
    lines = str(error).splitlines()
    return (lines[0] if lines else "")[:300] or type(error).__name__
