"""Connects to the database, and brings its tables up to date."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import alembic.command
import alembic.config
import asyncpg
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from kaito_chat import metrics
from kaito_chat.history.errors import ERRORS, HistoryAwayError, HistoryError, translate

T = TypeVar("T")
MIGRATIONS = Path(__file__).parent / "migrations"
DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
# Any number, the same in every replica: who holds it migrates, the others wait.
LOCK = 7_141_019
CONNECT_SECONDS = 5
# A transaction that takes longer counts as not answered; the server gives up on its statements before that.
ANSWER_SECONDS = 5.0
POSTGRESQL_LIMITS = {"statement_timeout": 4500, "lock_timeout": 3000, "idle_in_transaction_session_timeout": 15000}
SQLITE_PRAGMAS = ("journal_mode=WAL", "busy_timeout=3000", "foreign_keys=ON")
MIGRATE_SECONDS = 600
# A page that was open when its conversation was deleted is gone after that.
DELETIONS_KEPT = timedelta(days=90)
# Entra ID's tokens live for an hour at least; a connection that is open stays open.
RECYCLE_SECONDS = 1800
ENTRA_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"


class Database:
    """One database, and the pool of connections to it.

    Args:
        url: `postgresql://user:password@host/name?sslmode=require` or `sqlite:///path`.
        credential: Authenticates to PostgreSQL with Entra ID; each new connection asks it for a token.
    """

    def __init__(self, url: str, credential: AsyncTokenCredential | None = None) -> None:
        parsed = make_url(url)
        query = dict(parsed.query)
        arguments: dict[str, Any] = {}
        if ssl := query.pop("sslmode", None):
            arguments["ssl"] = ssl
        backend = parsed.get_backend_name()
        self.url = parsed.set(drivername=DRIVERS[backend], query=query)
        self.postgresql = backend != "sqlite"
        self.place = f"{self.url.host}:{self.url.port or 5432}" if self.postgresql else str(self.url.database)
        if self.postgresql:
            # Behind the limits of the server, for a connection on which nothing comes any more.
            arguments |= {"timeout": CONNECT_SECONDS, "command_timeout": MIGRATE_SECONDS}
        if credential:
            arguments["password"] = _token(credential)
        options = {"pool_size": 10, "max_overflow": 20, "pool_timeout": ANSWER_SECONDS} if self.postgresql else {}
        if self.postgresql:
            options["pool_recycle"] = RECYCLE_SECONDS
        self.engine: AsyncEngine = create_async_engine(
            self.url, connect_args=arguments, pool_pre_ping=self.postgresql, **options
        )
        event.listen(self.engine.sync_engine, "connect", _tune_postgresql if self.postgresql else _tune_sqlite)
        if not self.postgresql:
            event.listen(self.engine.sync_engine, "begin", _begin_sqlite)
        self._collation = ""
        self._abandoned: set[asyncio.Task[Any]] = set()

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool = False) -> T:
        """Do some work in one transaction, in bounded time; `writes` says whether it writes after it has read.

        Work that does not end in time is left to end by itself: on a connection that hangs even its rollback would. The
        server still orders it before a second attempt, which waits for its locks.

        Raises:
            HistoryAwayError: The database cannot do it now.
            HistoryRefusedError: It refuses the data.
        """
        task = asyncio.ensure_future(self._transaction(work, writes=writes))
        try:
            await asyncio.wait((task,), timeout=ANSWER_SECONDS)
        finally:
            if not task.done():
                self._abandon(task)
        if not task.done() or task.cancelled():
            raise HistoryAwayError("no answer in time", "timeout")
        try:
            return task.result()
        except (*ERRORS, AzureError, ValueError, TypeError) as error:
            raise translate(error) from error

    async def ask(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool = False) -> T:
        """Do some work that somebody waits for, as `run` does; a failure is counted."""
        try:
            return await self.run(work, writes=writes)
        except HistoryError:
            metrics.HISTORY_ERRORS.inc()
            raise

    async def _transaction(self, work: Callable[[AsyncConnection], Awaitable[T]], *, writes: bool) -> T:
        async with self.engine.execution_options(writes=writes).begin() as connection:
            return await work(connection)

    def _abandon(self, task: asyncio.Task[Any]) -> None:
        self._abandoned.add(task)
        task.add_done_callback(self._abandoned.discard)
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # it is of no interest any more
        task.cancel()

    async def migrate(self) -> None:
        """Bring the tables up to date; replicas that start together take turns.

        Raises:
            HistoryError: The database does not answer, or refuses.
        """
        try:
            async with asyncio.timeout(MIGRATE_SECONDS), self.engine.connect() as connection:
                if self.postgresql:
                    await self._lock(connection)
                await connection.run_sync(_upgrade)
                await self._prune(connection)
                await connection.commit()
                if self.postgresql:  # its limits are gone, and the lock goes with it
                    await connection.invalidate()
        except (*ERRORS, AzureError) as error:
            cut = getattr(error, "connection_invalidated", False)
            passing = cut or isinstance(error, (OSError, TimeoutError, asyncpg.CannotConnectNowError))
            verb = "does not answer" if passing else "refuses"
            raise HistoryError(
                f"the history's database {self.place} {verb}: {translate(error)}", passing=passing
            ) from None

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

    async def _lock(self, connection: AsyncConnection) -> None:
        for limit in POSTGRESQL_LIMITS:
            await connection.execute(text(f"SET {limit} = 0"))
        await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
        await connection.commit()

    async def close(self) -> None:
        """Close every connection."""
        for task in self._abandoned:
            task.cancel()
        await self.engine.dispose()


def _upgrade(connection: Connection) -> None:
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    alembic.command.upgrade(config, "head")


def _token(credential: AsyncTokenCredential) -> Callable[[], Awaitable[str]]:
    async def password() -> str:
        return (await credential.get_token(ENTRA_SCOPE)).token

    return password


def _tune_sqlite(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's
    connection.isolation_level = None  # the driver would begin transactions late, and not for DDL
    connection.create_function("lower", 1, _lower, deterministic=True)
    _each(connection, (f"PRAGMA {pragma}" for pragma in SQLITE_PRAGMAS))


def _tune_postgresql(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's
    # Not as parameters of the connection: poolers refuse those.
    _each(connection, (f"SET {limit} = {milliseconds}" for limit, milliseconds in POSTGRESQL_LIMITS.items()))
    connection.commit()


def _each(connection: Any, statements: Iterable[str]) -> None:  # noqa: ANN401 - the driver's
    cursor = connection.cursor()
    for statement in statements:
        cursor.execute(statement)
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _lower(text_: str | None) -> str | None:
    """SQLite's own knows A to Z only."""
    return text_ if text_ is None else text_.lower()
