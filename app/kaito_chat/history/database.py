"""One database: transactions in bounded time, and tables that are up to date."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import asyncpg
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history import engines, tables
from kaito_chat.history.errors import ERRORS, HistoryAwayError, HistoryError, translate
from kaito_chat.telemetry import metrics

T = TypeVar("T")
# Any number, the same in every replica: who holds it migrates, the others wait.
LOCK = 7_141_019
# A transaction that takes longer counts as not answered.
ANSWER_SECONDS = 5.0
MIGRATE_SECONDS = 600
# A page that was open when its conversation was deleted is gone after that.
DELETIONS_KEPT = timedelta(days=90)
FAULTS = (*ERRORS, AzureError, ValueError, TypeError)


class Database:
    """One database, and the pool of connections to it.

    Args:
        url: `postgresql://user:password@host/name?sslmode=require` or `sqlite:///path`.
        credential: Authenticates to PostgreSQL with Entra ID; each new connection asks it for a token.
    """

    def __init__(self, url: str, credential: AsyncTokenCredential | None = None) -> None:
        parsed = make_url(url)
        self.postgresql = parsed.get_backend_name() != "sqlite"
        self.engine, self._wires = engines.postgresql(parsed, credential) if self.postgresql else engines.sqlite(parsed)
        self.url = self.engine.url
        self.place = f"{parsed.host}:{parsed.port or 5432}" if self.postgresql else str(parsed.database)
        self._collation = ""
        self._abandoned: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool = False) -> T:
        """Do some work in one transaction, in bounded time; on a connection that was cut since its last use, once more.

        Args:
            work: Asks and changes through the connection. It may be done twice.
            writes: Whether it writes after it has read.

        Raises:
            HistoryAwayError: The database cannot do it now.
            HistoryRefusedError: It refuses the data.
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
        """Do some work that somebody waits for, as `run` does; a failure is counted."""
        try:
            return await self.run(work, writes=writes)
        except HistoryError:
            metrics.HISTORY_ERRORS.inc()
            raise

    async def _within(self, deadline: float, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool) -> T:
        """Do some work until a time; then leave it to fail by itself: on a connection that hangs a rollback would hang.

        The server orders what was left behind before another attempt, which waits for its locks.
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
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # it is of no interest any more
        self._wires.end(task)

    async def migrate(self) -> None:
        """Bring the tables up to date; replicas that start together take turns.

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
                    if self.postgresql:  # its limits are gone, and the lock goes with it
                        await connection.invalidate()
        except (*ERRORS, AzureError) as error:
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
        """Forget old deletions and expired tokens; delete again what an older replica brought back."""
        await connection.execute(text("DELETE FROM threads WHERE id IN (SELECT id FROM deleted_threads)"))
        old = (datetime.now(UTC) - DELETIONS_KEPT).isoformat()
        await connection.execute(text('DELETE FROM deleted_threads WHERE "deletedAt" < :old'), {"old": old})
        await connection.execute(text("DELETE FROM signed_out WHERE expires < :now"), {"now": time.time()})
        if self.postgresql:
            icu = await connection.execute(text("SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'"))
            self._collation = ' COLLATE "und-x-icu"' if icu.all() else ""

    def lower(self, expression: str) -> str:
        """SQL for a text in lower case, in every script."""
        return f"LOWER({expression}{self._collation})"

    async def close(self) -> None:
        """Close every connection, without waiting for those that hang."""
        for task in self._abandoned:
            task.cancel()
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=1)
        await self.engine.dispose()
