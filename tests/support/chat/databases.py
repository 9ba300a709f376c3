"""Databases of the history for tests, and a wire to PostgreSQL that can be cut and that can hang."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import make_url

from kaito_chat.history.database import Database
from kaito_chat.history.store import Store
from kaito_chat.history.waiting import Change, Limits

# Timeouts enough for a database that comes back, and little for a test that waits for it.
BRISK = Limits(first_pause=0.05, longest_pause=0.2, late=0.3)
THREAD = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"


class Wire:
    """A TCP proxy on loopback: `cut` ends its connections and takes no others, `hang` takes all and passes nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._pumps: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self.port = 0

    async def open(self) -> None:
        """Take connections, at the same port as before."""
        self._flows.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End every connection, and refuse others."""
        if self._server:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.transport.abort()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    def hang(self) -> None:
        """Pass nothing on; take connections all the same."""
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
async def wire(url: str) -> AsyncIterator[tuple[Wire, str]]:
    """A wire to a database, and the address of the database over it."""
    parsed = make_url(url)
    between = Wire(parsed.port or 5432)
    await between.open()
    try:
        yield between, parsed.set(port=between.port).render_as_string(hide_password=False)
    finally:
        await between.cut()


async def fresh(url: str) -> str:
    """The address of a new, empty database of a server."""
    name = f"test_{uuid.uuid4().hex}"
    connection = await asyncpg.connect(url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    return make_url(url).set(database=name).render_as_string(hide_password=False)


@asynccontextmanager
async def opened(url: str, limits: Limits = BRISK, *, migrate: bool = True) -> AsyncIterator[Store]:
    """A store over a database, as one replica has it."""
    database = Database(url)
    if migrate:
        await database.migrate()
    store = Store(database, limits)
    try:
        yield store
    finally:
        await store.close()


def told(store: Store) -> list[Change]:
    """The changes that a store tells from now on."""
    changes: list[Change] = []
    store.subscribe(changes.append)
    return changes


def message(step_id: str, output: str, kind: str = "user_message", **facts: object) -> dict[str, object]:
    """A message as Chainlit describes it."""
    return {"id": step_id, "name": "ada", "type": kind, "output": output, "streaming": False, **facts}


async def stored(store: Store, owner: str, thread_id: str, *outputs: str) -> None:
    """Save a conversation, and wait until it is stored."""
    for number, output in enumerate(outputs):
        store.save_step(owner, thread_id, message(f"{thread_id}-{number}", output))
    assert await store.written(thread_id, 10)


async def texts(url: str, thread_id: str = THREAD) -> list[str]:
    """The messages of a conversation that the database has, in the order in which they were written."""
    async with opened(url, migrate=False) as another:
        thread = await another.get_thread(thread_id)
    return [step["output"] for step in thread["steps"]] if thread else []
