"""The history while its database is away, hangs, is read-only or full: nothing is lost, no failure is hidden."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import psutil
import pytest
from sqlalchemy import event

from kaito_chat.history import HistoryAwayError, users
from kaito_chat.history import database as database_module
from kaito_chat.history.database import Database
from kaito_chat.history.store import Store
from kaito_chat.history.waiting import Change, OutboxLimits
from support.chat.databases import BRISK, OTHER, THREAD, message, opened, proxied, stored, texts, told
from support.chat.services import postgresql
from support.chat.waiting import until

# After this time, a hanging database counts as away.
AWAY_SECONDS = 6.0
PATIENT = OutboxLimits(first_pause=0.05, longest_pause=0.2, late=60)
# Of this database only: other processes of the run use others of the same server.
END_CONNECTIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def say(store: Store, *outputs: str, thread_id: str = THREAD) -> None:
    for output in outputs:
        store.save_step("ada", thread_id, message(f"{thread_id}+{output}", output))


def calls(store: Store) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Return the calls whose callers wait for the result."""
    return {
        "get_thread": lambda: store.get_thread(OTHER),
        "list_threads": lambda: store.list_threads("ada"),
        "search": lambda: store.list_threads("ada", search="x"),
        "owner_of_thread": lambda: store.owner_of_thread(OTHER),
        "favorites": lambda: store.favorites("ada"),
        "rename": lambda: store.rename("ada", OTHER, "new"),
        "change_metadata": lambda: store.change_metadata("ada", OTHER, {"a": 1}),
        "delete_thread": lambda: store.delete_thread("ada", OTHER),
        "upsert_feedback": lambda: store.upsert_feedback("ada", "s", 1),
        "delete_feedback": lambda: store.delete_feedback("ada", "f"),
        "user": lambda: store.user("nobody yet"),
        "add_user": lambda: store.add_user("grace", {}),
    }


async def refused(store: Store, *names: str, within: float = AWAY_SECONDS) -> None:
    """Check that each call raises `HistoryAwayError` in time."""

    async def ends(name: str) -> str | None:
        began = time.monotonic()
        try:
            await calls(store)[name]()
        except HistoryAwayError:
            return None if time.monotonic() - began < within else f"{name} took too long"
        return f"{name} answers as if the database did"

    assert [each for each in await asyncio.gather(*map(ends, names or calls(store))) if each] == []


async def test_writes_during_a_lost_connection_are_stored_in_order_afterwards(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with proxied(postgres_url) as (proxy, url), opened(url) as store:
        changes = told(store)
        await stored(store, "ada", THREAD, "before")
        monkeypatch.setattr(users, "REMEMBERED_SECONDS", 0)
        ada = await store.user("ada")
        await proxy.cut()
        say(store, *map(str, range(30)))
        say(store, "hello", thread_id=OTHER)
        await until(lambda: len(changes) == 2)
        assert store.outbox.away
        assert store.waiting(THREAD).operations == 30
        await refused(store)
        assert await store.user("ada") == ada, "who was here before is known"
        await proxy.open()
        assert await store.written(THREAD, 10)
        assert await store.written(OTHER, 10)
        assert await texts(postgres_url) == ["before", *map(str, range(30))]
        assert await texts(postgres_url, OTHER) == ["hello"]
        kinds = {
            thread_id: [each.kind for each in changes if each.thread_id == thread_id] for thread_id in (THREAD, OTHER)
        }
        assert kinds == {THREAD: ["late", "saved"], OTHER: ["late", "saved"]}


async def test_a_database_that_accepts_connections_and_never_answers_times_out(postgres_url: str) -> None:
    async with proxied(postgres_url) as (proxy, url), opened(url, PATIENT) as store:
        await stored(store, "ada", THREAD, "before")
        proxy.hang()
        say(store, "during", "this")
        await refused(store)
        assert store.outbox.pending
        assert not await store.is_signed_out("token")
        assert not await store.sign_out("token", time.time() + 60)
        assert await store.is_signed_out("token")
        await proxy.open()
        assert await store.written(THREAD, 20)
        assert await store.flush(10) == 0
        assert await texts(postgres_url) == ["before", "during", "this"]
        assert await store.list_threads("ada")
        async with opened(postgres_url) as another:
            assert await another.is_signed_out("token")


async def test_a_connection_lost_during_writes_loses_and_duplicates_nothing(postgres_url: str) -> None:
    async with proxied(postgres_url) as (proxy, url), opened(url) as store:
        for cut in range(5):
            say(store, *(f"{cut}.{number}" for number in range(10)))
            await asyncio.sleep(0.004 * cut)
            await proxy.cut()
            say(store, *(f"{cut}.{number}" for number in range(10, 20)))
            await proxy.open()
        assert await store.written(THREAD, 20)
        assert await texts(postgres_url) == [f"{cut}.{number}" for cut in range(5) for number in range(20)]


async def test_a_killed_and_restarted_server_gets_all_writes(postgres_url: str) -> None:
    async with opened(postgres_url) as store:
        connection = await asyncpg.connect(postgres_url)
        await stored(store, "ada", THREAD, "before")
        await connection.execute(END_CONNECTIONS)
        say(store, "after")
        assert await store.written(THREAD, 10)
        await connection.close()
        assert await texts(postgres_url) == ["before", "after"]


async def writable(url: str) -> None:
    connection = await asyncpg.connect(url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute("SET default_transaction_read_only = off")
    await connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
    await connection.execute(END_CONNECTIONS)
    await connection.close()


async def test_a_read_only_database_is_reported_and_its_writes_are_kept(postgres_url: str) -> None:
    async with opened(postgres_url) as store:
        await stored(store, "ada", OTHER, "s")
    connection = await asyncpg.connect(postgres_url)
    name = await connection.fetchval("SELECT current_database()")
    await connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await connection.close()
    async with opened(postgres_url, migrate=False) as store:
        say(store, "one", "two")
        await refused(store, "rename", "change_metadata", "delete_thread", "add_user")
        with pytest.raises(HistoryAwayError) as raised:
            await store.upsert_feedback("ada", f"{OTHER}-0", 1)
        assert raised.value.reason == "read_only"
        assert len((await store.list_threads("ada")).threads) == 1, "reading goes on"
        thread = await store.get_thread(THREAD, "ada")
        assert thread, "its page may be opened again"
        assert [step["output"] for step in thread["steps"]] == ["one", "two"]
        assert await store.owner_of_thread(THREAD) == "ada"
        await writable(postgres_url)
        assert await store.written(THREAD, 10)
        assert await texts(postgres_url) == ["one", "two"]
        assert await texts(postgres_url, OTHER) == ["s"]


def pragmas(store: Store) -> list[str]:
    """Return a list whose statements run on each SQLite connection before its next use."""
    statements: list[str] = []

    def tune(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        for statement in tuple(statements):
            cursor.execute(f"PRAGMA {statement}")
        cursor.close()

    # Once: SQLAlchemy fails if a listener is added while a connection runs the others.
    event.listen(store._database.engine.sync_engine, "checkout", tune)  # noqa: SLF001
    return statements


@pytest.mark.parametrize(("statement", "reason"), [("query_only=ON", "read_only"), ("max_page_count=1", "full")])
async def test_an_unwritable_sqlite_is_reported_and_its_writes_are_kept(
    tmp_path_factory: pytest.TempPathFactory, statement: str, reason: str
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('history')}/history.db"
    async with opened(url) as store:
        await stored(store, "ada", THREAD, "before")
        statements = pragmas(store)
        statements.append(statement)  # SQLite raises the limit to the current number of pages
        changes = told(store)
        say(store, *(f"{number} {'x' * 20_000}" for number in range(10)))
        await until(lambda: bool(changes))
        assert changes == [Change(THREAD, "ada", "late")]
        with pytest.raises(HistoryAwayError) as raised:
            await store.rename("ada", THREAD, "x" * 500) if reason == "read_only" else await store.add_user(
                "grace", {"much": "x" * 50_000}
            )
        assert raised.value.reason == reason
        if reason == "read_only":
            await refused(store, "delete_thread")
        waiting = store.waiting(THREAD).operations
        assert waiting
        thread = await store.get_thread(THREAD, "ada")
        assert thread
        assert len(thread["steps"]) == 11
        statements += ["query_only=OFF", "max_page_count=100000"]
        assert await store.written(THREAD, 10)
        assert len(await texts(url)) == 11


async def test_an_unstored_conversation_is_deleted(postgres_url: str) -> None:
    async with (
        opened(postgres_url) as other,
        proxied(postgres_url) as (proxy, url),
        opened(url, migrate=False) as store,
    ):
        await proxy.cut()
        say(store, "forget this")
        await refused(store, "delete_thread")
        with pytest.raises(HistoryAwayError):
            await store.delete_thread("ada", THREAD)
        assert store.waiting(THREAD).operations == 1, "the deletion did not happen"
        await proxy.open()
        await store.written(THREAD, 10)
        assert await store.delete_thread("ada", THREAD)
        assert await other.owner_of_thread(THREAD) is None


async def test_many_pending_conversations_are_stored_soon_after_an_outage(postgres_url: str) -> None:
    async with proxied(postgres_url) as (proxy, url), opened(url) as store:
        await proxy.cut()
        names = [f"{number:08}-0000-4000-8000-000000000000" for number in range(300)]
        for name in names:
            say(store, "one", "two", thread_id=name)
        await asyncio.sleep(1)
        await proxy.open()
        began = time.monotonic()
        assert await store.flush(30) == 0
        assert time.monotonic() - began < 15
        assert len((await store.list_threads("ada", first=100)).threads) == 100


async def test_a_lock_that_is_held_delays_one_conversation_only(postgres_url: str) -> None:
    async with opened(postgres_url) as store:
        await stored(store, "ada", THREAD, "one")
        connection = await asyncpg.connect(postgres_url)
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT * FROM threads FOR UPDATE")
        say(store, "two")
        say(store, "hello", thread_id=OTHER)
        assert await store.written(OTHER, 2)
        await asyncio.sleep(4)  # longer than the server's lock timeout
        assert store.waiting(THREAD).operations == 1
        assert not store.outbox.away
        await transaction.rollback()
        await connection.close()
        assert await store.written(THREAD, 10)
        assert await texts(postgres_url) == ["one", "two"]


def send(number: signal.Signals, processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)


async def test_a_paused_server_times_out_and_gets_all_writes_when_resumed() -> None:
    with postgresql() as url:
        async with opened(url, BRISK) as store:
            await stored(store, "ada", THREAD, "before")
            connection = await asyncpg.connect(url)
            backend = psutil.Process(await connection.fetchval("SELECT pg_backend_pid()"))
            postmaster = backend.parent()
            await connection.close()
            assert postmaster
            processes = [postmaster, *postmaster.children(recursive=True)]
            send(signal.SIGSTOP, processes)
            say(store, "during")
            try:
                await refused(store, "get_thread", "rename", "list_threads")
            finally:
                send(signal.SIGCONT, processes)
            assert await store.written(THREAD, 20)
            assert await texts(url) == ["before", "during"]


async def test_closing_does_not_wait_for_a_database_that_hangs(postgres_url: str) -> None:
    async with proxied(postgres_url) as (proxy, url):
        database = Database(url)
        await database.migrate()
        store = Store(database, BRISK)
        await stored(store, "ada", THREAD, "before")
        proxy.hang()
        say(store, "lost")
        began = time.monotonic()
        assert await store.flush(0.5) == 1
        await store.close()
        assert time.monotonic() - began < 2 * database_module.ANSWER_SECONDS
