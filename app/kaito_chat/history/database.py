"""The history's database: transactions with a timeout, and migrations."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg
from sqlalchemy import make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history import engines, tables
from kaito_chat.history.errors import HistoryAwayError, HistoryError
from kaito_chat.history.failures import ERRORS, translate
from kaito_chat.telemetry import metrics

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

T = TypeVar("T")
# Key of the advisory lock that serializes migrations; arbitrary, the same on every replica.
LOCK = 7_141_019
# Timeout of a transaction.
ANSWER_SECONDS = 5.0
MIGRATE_SECONDS = 600
# By then no page is still open that was open when its conversation was deleted.
DELETIONS_KEPT = timedelta(days=90)
FAULTS = (*ERRORS, ValueError, TypeError)


class Database:
    """One database with its connection pool.

    Args:
        url: `postgresql://user:password@host/name?sslmode=verify-full` or `sqlite:///path`.
        credential: Authenticates to PostgreSQL with Entra ID; each new connection requests a token.
        ca_file: Certificates to trust beside the public ones and the system's.
    """

    def __init__(self, url: str, credential: "AsyncTokenCredential | None" = None, ca_file: Path | None = None) -> None:
        parsed = self._parsed = make_url(url)
        self.postgresql = parsed.get_backend_name() != "sqlite"
        self.engine, self._connections = (
            engines.postgresql(parsed, self._password(credential), ca_file, is_token=credential is not None)
            if self.postgresql
            else engines.sqlite(parsed)
        )
        self.url = self.engine.url
        self.place = f"{parsed.host}:{parsed.port or 5432}" if self.postgresql else str(parsed.database)
        self._collation = ""
        self._abandoned: set[asyncio.Task[Any]] = set()

    def renew(self, url: str) -> bool:
        """Use another password for new connections; return whether nothing else of the URL is new."""
        try:
            parsed = make_url(url)
        except ArgumentError:
            return False
        same = str(parsed) == str(self._parsed)  # both without their passwords
        if same:
            self._parsed = parsed
        return same

    def _password(self, credential: "AsyncTokenCredential | None") -> engines.Password | None:
        if credential:
            return engines.token(credential)
        return (lambda: str(self._parsed.password)) if self._parsed.password else None

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool = False) -> T:
        """Run a function in one transaction with a timeout; retry once if the pooled connection turns out to be broken.

        Args:
            work: Reads and writes through the connection; must be safe to run twice.
            writes: Whether it writes after it has read.

        Raises:
            HistoryAwayError: The database is unavailable.
            HistoryRefusedError: The database rejects the data.
        """
        deadline = time.monotonic() + ANSWER_SECONDS
        try:
            return await self._within(deadline, work, writes=writes)
        except FAULTS as error:
            if not getattr(error, "connection_invalidated", False):
                raise translate(error) from error
        try:
            return await self._within(deadline, work, writes=writes)
        except FAULTS as error:
            raise translate(error) from error

    async def ask(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool = False) -> T:
        """Do the same as `run` for a caller that waits for the result, and count failures."""
        try:
            return await self.run(work, writes=writes)
        except HistoryError:
            metrics.HISTORY_ERRORS.inc()
            raise

    async def _within(self, deadline: float, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool) -> T:
        """Run a function until a deadline, then abandon its task: on a hanging connection a rollback would hang too.

        A retry is ordered after the abandoned transaction, because it waits for that one's locks on the server.
        """
        task = asyncio.ensure_future(self._transaction(work, writes=writes))
        try:
            await asyncio.wait((task,), timeout=max(deadline - time.monotonic(), 0))
        finally:
            if not task.done():
                self._abandon(task)
        if not task.done() or task.cancelled():
            raise HistoryAwayError("no answer in time", "timeout")
        return task.result()

    async def _transaction(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool) -> T:
        async with self.engine.execution_options(writes=writes).begin() as connection:
            return await work(connection)

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # so that asyncio does not log it
        self._connections.end(task)

    async def migrate(self) -> None:
        """Migrate the tables; a lock serializes replicas that start at the same time.

        Raises:
            HistoryError: The database does not answer, or refuses.
        """
        try:
            async with asyncio.timeout(MIGRATE_SECONDS), self.engine.connect() as connection:
                try:
                    if self.postgresql:
                        await self._lock(connection)
                    await connection.run_sync(tables.upgrade)
                    await self._prune(connection)
                    await connection.commit()
                finally:
                    if self.postgresql:  # closes it, as it has no timeouts and holds the lock
                        await connection.invalidate()
        except ERRORS as error:
            cut = getattr(error, "connection_invalidated", False)
            passing = cut or isinstance(error, (OSError, TimeoutError, asyncpg.CannotConnectNowError))
            words = f"{'does not answer' if passing else 'refuses'}: {translate(error)}"
            raise HistoryError(f"the history's database {self.place} {words}", passing=passing) from None

    async def _lock(self, connection: AsyncConnection) -> None:
        for limit in engines.POSTGRESQL_LIMITS:
            await connection.execute(text(f"SET {limit} = 0"))
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        await connection.commit()

    async def _prune(self, connection: AsyncConnection) -> None:
        """Drop old deletion records and expired tokens; delete conversations that an older replica has restored."""
        await connection.execute(text("DELETE FROM threads WHERE id IN (SELECT id FROM deleted_threads)"))
        old = (datetime.now(UTC) - DELETIONS_KEPT).isoformat()
        await connection.execute(text('DELETE FROM deleted_threads WHERE "deletedAt" < :old'), {"old": old})
        await connection.execute(text("DELETE FROM signed_out WHERE expires < :now"), {"now": time.time()})
        if self.postgresql:
            icu = await connection.execute(text("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"))
            self._collation = ' COLLATE "und-x-icu"' if icu.all() else ""

    def lower(self, expression: str) -> str:
        """Return SQL that converts a text to lower case in every script, not in ASCII only."""
        return f"LOWER({expression}{self._collation})"

    async def close(self) -> None:
        """Close all connections, without waiting for those that hang."""
        for task in self._abandoned:
            task.cancel()
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=1)
        await self.engine.dispose()
