"""Transactions on one conversation, on PostgreSQL: they wait for each other in one order, so that none fails."""

import asyncio
import uuid

import asyncpg

from support.chat.databases import THREAD, message, opened, rows, stored

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


async def waits(connection: asyncpg.Connection) -> None:
    """Wait until a transaction waits for another one's lock."""
    async with asyncio.timeout(10):
        while not await connection.fetchval(WAITING):
            await asyncio.sleep(0.02)


async def test_a_deletion_waits_for_a_write_that_began_before(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    async with opened(postgres_url) as store:
        await stored(store, "ada", THREAD, "half")
        async with connection.transaction():  # the statements of a write
            await connection.execute('UPDATE threads SET "updatedAt" = $2 WHERE id = $1', THREAD, "later")
            deletion = asyncio.create_task(store.delete_thread("ada", THREAD))
            await waits(connection)
            await connection.execute("UPDATE steps SET output = $2 WHERE id = $1", f"{THREAD}-0", "whole")
        assert await deletion
    await connection.close()
    assert await rows(postgres_url, "SELECT * FROM steps") == []


async def test_feedback_waits_for_a_deletion_that_began_before(postgres_url: str) -> None:
    connection = await asyncpg.connect(postgres_url)
    async with opened(postgres_url) as store:
        await stored(store, "ada", THREAD, "an answer")
        async with connection.transaction():  # the statements of a deletion
            await connection.execute("SELECT 1 FROM threads WHERE id = $1 FOR UPDATE", THREAD)
            feedback = asyncio.create_task(store.upsert_feedback("ada", f"{THREAD}-0", 1))
            await waits(connection)
            await connection.execute('DELETE FROM steps WHERE "threadId" = $1', THREAD)
            await connection.execute("DELETE FROM threads WHERE id = $1", THREAD)
        assert await feedback is None
    await connection.close()
    assert await rows(postgres_url, "SELECT * FROM feedbacks") == []


async def test_changes_at_many_replicas_never_wait_in_a_circle(postgres_url: str) -> None:
    async with opened(postgres_url) as here, opened(postgres_url) as there, opened(postgres_url) as elsewhere:
        for _ in range(15):
            thread = str(uuid.uuid4())
            await stored(here, "ada", thread, "a question", "an answer", "another")
            for store in (here, there):
                for number in range(3):
                    store.save_step("ada", thread, message(f"{thread}-{number}", "more"))
            there.delete_step("ada", thread, f"{thread}-2")
            await asyncio.gather(
                *(
                    store.upsert_feedback("ada", f"{thread}-{number}", 1)
                    for store in (here, there)
                    for number in (0, 1)
                ),
                elsewhere.rename("ada", thread, "a name"),
                elsewhere.delete_thread("ada", thread),
            )
            for store in (here, there):
                assert await store.written(thread, 10)
        for table in ("threads", "steps", "feedbacks"):
            assert await rows(postgres_url, f"SELECT * FROM {table}") == []  # noqa: S608 - one of these
    assert await rows(postgres_url, DEADLOCKS) == [(0,)]
