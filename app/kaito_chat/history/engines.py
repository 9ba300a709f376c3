"""SQLAlchemy engines for the history's databases, and termination of connections that hang."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import asyncpg
from sqlalchemy import URL, Connection, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from kaito_chat.backends.http import trust
from kaito_chat.history.errors import TokenError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

DRIVERS = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
CONNECT_SECONDS = 5.0
# Milliseconds after which the server cancels a statement, a wait for a lock, and an idle transaction.
POSTGRESQL_LIMITS = {"statement_timeout": 4500, "lock_timeout": 3000, "idle_in_transaction_session_timeout": 15000}
SQLITE_PRAGMAS = ("journal_mode=WAL", "busy_timeout=3000", "foreign_keys=ON")
# Entra ID tokens are valid for at least an hour; they are checked only when a connection is opened.
RECYCLE_SECONDS = 1800
ENTRA_SCOPE = "https://ossrdbms-aad.database.windows.net/.default"
Password = Callable[[], str | Awaitable[str]]


class Connections:
    """The driver's connection of each task, to terminate a hanging one without its cooperation."""

    def __init__(self) -> None:
        self._connections: WeakKeyDictionary[asyncio.Task[Any], asyncpg.Connection] = WeakKeyDictionary()

    async def connect(self, *arguments: object, **options: object) -> asyncpg.Connection:
        """Open a connection for the current task; set timeouts by SQL, as poolers reject startup parameters."""
        connection = await asyncpg.connect(*arguments, **options)
        self.note(connection)
        limits = "; ".join(f"SET {limit} = {value}" for limit, value in POSTGRESQL_LIMITS.items())
        await connection.execute(limits, timeout=CONNECT_SECONDS)
        return connection

    def note(self, connection: asyncpg.Connection) -> None:
        """Record that the current task uses a connection."""
        task = asyncio.current_task()
        if task:
            self._connections[task] = connection

    def end(self, task: asyncio.Task[Any]) -> None:
        """Make a task fail at once; if cancelled, asyncpg would send a cancel request and wait for the server."""
        connection = self._connections.get(task)
        if connection:
            connection.terminate()
        else:
            task.cancel()


def tls(sslmode: str | None, ca_file: Path | None = None) -> ssl.SSLContext | str | None:
    """Return the TLS argument of asyncpg for an `sslmode`, as libpq defines it; `verify-ca` and `verify-full` verify.

    asyncpg itself trusts only a file in the home folder, which the image does not have.
    """
    if sslmode not in ("verify-ca", "verify-full"):
        return sslmode
    context = trust(ca_file)
    context.check_hostname = sslmode == "verify-full"
    return context


def postgresql(
    url: URL, password: Password | None, ca_file: Path | None = None, *, is_token: bool = False
) -> tuple[AsyncEngine, Connections]:
    """Return an engine for PostgreSQL; each new connection requests the password.

    A token goes only to a server whose certificate is valid for its name, unless the URL says otherwise.
    """
    query, connections = dict(url.query), Connections()
    arguments: dict[str, Any] = {"timeout": CONNECT_SECONDS, "async_creator_fn": connections.connect}
    mode = query.pop("sslmode", "verify-full" if is_token else None)
    if encryption := tls(str(mode) if mode else None, ca_file):
        arguments["ssl"] = encryption
    if password:
        arguments["password"] = password
    engine = create_async_engine(
        url.set(drivername=DRIVERS["postgresql"], query=query),
        connect_args=arguments,
        pool_size=10,
        max_overflow=20,
        pool_timeout=CONNECT_SECONDS,
        pool_recycle=RECYCLE_SECONDS,
    )

    def checked_out(connection: Any, *_: object) -> None:  # noqa: ANN401 - the driver's
        connections.note(connection.driver_connection)

    event.listen(engine.sync_engine, "checkout", checked_out)
    return engine, connections


def sqlite(url: URL) -> tuple[AsyncEngine, Connections]:
    """Return an engine for SQLite."""
    engine = create_async_engine(url.set(drivername=DRIVERS["sqlite"]))
    event.listen(engine.sync_engine, "connect", _tune)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine, Connections()


def token(credential: "AsyncTokenCredential") -> Password:
    """Return a function that requests an Entra ID token as the password; it raises `TokenError`."""
    # A process with a credential has loaded this package; the others need not.
    from azure.core.exceptions import AzureError  # noqa: PLC0415

    async def password() -> str:
        try:
            return (await credential.get_token(ENTRA_SCOPE)).token
        except AzureError as error:
            raise TokenError(str(error)) from error

    return password


def _tune(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's
    connection.isolation_level = None  # the driver would begin transactions late, and none for DDL
    connection.create_function("lower", 1, _lower, deterministic=True)
    _each(connection.cursor(), (f"PRAGMA {pragma}" for pragma in SQLITE_PRAGMAS))


def _each(cursor: Any, statements: Iterable[str]) -> None:  # noqa: ANN401 - the driver's
    for statement in statements:
        cursor.execute(statement)
    cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock up front where a write follows a read: SQLite fails if another write came between."""
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")


def _lower(value: str | None) -> str | None:
    """Replace SQLite's `lower`, which converts ASCII only."""
    return value if value is None else value.lower()
