"""Connects to the database, and brings its tables up to date."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import alembic.command
import alembic.config
import asyncpg
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import AzureError
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

MIGRATIONS = Path(__file__).parent / "migrations"
DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
# Any number, the same in every replica: who holds it migrates, the others wait.
LOCK = 7_141_019
CONNECT_SECONDS = 10
# Entra ID's tokens live for an hour at least; a connection that is open stays open.
RECYCLE_SECONDS = 1800
ENTRA_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"


class HistoryError(Exception):
    """The history cannot be opened.

    Attributes:
        passing: Whether another attempt may succeed: the database may still be starting.
    """

    def __init__(self, message: str, *, passing: bool = False) -> None:
        super().__init__(message)
        self.passing = passing


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
            arguments["timeout"] = CONNECT_SECONDS
        if credential:
            arguments["password"] = _token(credential)
        options = {"pool_size": 10, "max_overflow": 20, "pool_recycle": RECYCLE_SECONDS} if self.postgresql else {}
        self.engine: AsyncEngine = create_async_engine(
            self.url, connect_args=arguments, pool_pre_ping=self.postgresql, **options
        )
        if not self.postgresql:
            event.listen(self.engine.sync_engine, "connect", _tune_sqlite)

    async def migrate(self) -> None:
        """Bring the tables up to date; replicas that start together take turns.

        Raises:
            HistoryError: The database does not answer, or refuses.
        """
        try:
            async with self.engine.connect() as connection:
                if self.postgresql:
                    await connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
                    await connection.commit()
                try:
                    await connection.run_sync(_upgrade)
                    await connection.commit()
                finally:
                    if self.postgresql:
                        await connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": LOCK})
                        await connection.commit()
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError) as error:
            reason = str(error) or type(error).__name__
            raise HistoryError(f"the history's database {self.place} does not answer: {reason}", passing=True) from None
        except (SQLAlchemyError, asyncpg.PostgresError, AzureError) as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise HistoryError(f"the history's database {self.place} refuses: {reason}") from None

    async def close(self) -> None:
        """Close every connection."""
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
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "busy_timeout=5000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
