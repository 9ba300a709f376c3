"""Databases of the history, and a TCP proxy to PostgreSQL that can be cut and that can hang."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import event, make_url, text

from kaito_chat.history.database import Database
from kaito_chat.history.store import Store
from kaito_chat.history.waiting import Change, OutboxLimits

# Long enough for a database that comes back, short enough for a test.
BRISK = OutboxLimits(first_pause=0.05, longest_pause=0.2, late=0.3)
THREAD = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


class FlakyProxy:
    """A TCP proxy on loopback: `cut` closes and refuses connections, `hang` accepts them and passes nothing on."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self.port = 0

    async def open(self) -> None:
        """Accept connections, at the same port as before."""
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Close every connection, and refuse others."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def hang(self) -> None:
        """Accept connections, and pass nothing on."""
        self._flows.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, onward = await asyncio.open_connection("127.0.0.1", self._port)
        self._writers |= {writer, onward}
        for source, target in ((reader, onward), (there, writer)):
            pump = asyncio.create_task(self._pump(source, target))
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _pump(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                await self._flows.wait()
                target.write(data)
                await target.drain()
        target.transport.abort()
        self._writers.discard(target)


@asynccontextmanager
async def proxied(url: str) -> AsyncIterator[tuple[FlakyProxy, str]]:
    """Yield a proxy to a database, and the URL of the database behind it."""
    parsed = make_url(url)
    proxy = FlakyProxy(parsed.port or 5432)
    await proxy.open()
    try:
        yield proxy, parsed.set(port=proxy.port).render_as_string(hide_password=False)
    finally:
        await proxy.cut()


async def fresh(url: str) -> str:
    """Create an empty database, and return its URL."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@asynccontextmanager
async def opened(url: str, limits: OutboxLimits = BRISK, *, migrate: bool = True) -> AsyncIterator[Store]:
    """Yield a store over a database, as one replica has it."""
    database = Database(url)
    if migrate:
        await database.migrate()
    store = Store(database, limits)
    try:
        yield store
    finally:
        await store.close()


def told(store: Store) -> list[Change]:
    """Return a list that receives the changes of a store."""
    changes: list[Change] = []
    store.subscribe(changes.append)
    return changes


def message(step_id: str, output: str, kind: str = "user_message", **facts: object) -> dict[str, object]:
    """Return a message as Chainlit's dictionary."""
    return {"id": step_id, "name": "ada", "type": kind, "output": output, "streaming": False, **facts}


async def stored(store: Store, owner: str, thread_id: str, *outputs: str) -> None:
    """Save a conversation, and wait until it is stored."""
    for number, output in enumerate(outputs):
        store.save_step(owner, thread_id, message(f"{thread_id}-{number}", output))
    assert await store.written(thread_id, 10)


async def texts(url: str, thread_id: str = THREAD) -> list[str]:
    """Return the stored messages of a conversation, in the order of their writes."""
    async with opened(url, migrate=False) as another:
        thread = await another.get_thread(thread_id)
    return [step["output"] for step in thread["steps"]] if thread else []


async def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    database = Database(url)
    async with database.engine.connect() as connection:
        found = [tuple(row) for row in await connection.execute(text(statement))]
    await database.close()
    return found


class Counting:
    """Counts the statements of a store, and the rows that they return."""

    def __init__(self, store: Store) -> None:
        self.statements: list[str] = []
        self._engine = store._database.engine.sync_engine  # noqa: SLF001
        event.listen(self._engine, "before_cursor_execute", self._note)

    def _note(self, *facts: Any) -> None:
        self.statements.append(facts[2])
