"""Migrations from the tables of the previous version, with data and with running replicas."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import alembic.command
import alembic.config
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history import HistoryError, tables
from kaito_chat.history.database import Database
from support.chat.databases import OTHER, THREAD, message, opened, stored, texts

# The statements of the previous version, as Chainlit's SQLAlchemy data layer composed them.
OLD_USER = (
    'INSERT INTO users ("id", "identifier", "createdAt", "metadata") VALUES (:id, :identifier, :createdAt, :metadata)'
)
OLD_THREAD = """
INSERT INTO threads ("id", "createdAt", "name", "userId", "userIdentifier", "metadata")
VALUES (:id, :createdAt, :name, :userId, :userIdentifier, :metadata)
ON CONFLICT ("id") DO UPDATE SET "createdAt" = EXCLUDED."createdAt", "name" = EXCLUDED."name",
"userId" = EXCLUDED."userId", "userIdentifier" = EXCLUDED."userIdentifier", "metadata" = EXCLUDED."metadata"
"""
OLD_BARE_THREAD = """
INSERT INTO threads ("id", "createdAt", "metadata") VALUES (:id, :createdAt, :metadata)
ON CONFLICT ("id") DO UPDATE SET "createdAt" = EXCLUDED."createdAt", "metadata" = EXCLUDED."metadata"
"""
OLD_STEP = """
INSERT INTO steps ("id", "threadId", "createdAt", "start", "end", "output", "name", "type", "streaming", "isError",
"waitForAnswer", "metadata", "generation")
VALUES (:id, :threadId, :createdAt, :start, :end, :output, :name, :type, :streaming, :isError, :waitForAnswer,
:metadata, :generation)
ON CONFLICT (id) DO UPDATE SET "threadId" = :threadId, "createdAt" = :createdAt, "start" = :start, "end" = :end,
"output" = :output, "name" = :name, "type" = :type, "streaming" = :streaming, "isError" = :isError,
"waitForAnswer" = :waitForAnswer, "metadata" = :metadata, "generation" = :generation
"""
OLD_FEEDBACK = """
INSERT INTO feedbacks ("forId", "value", "id", "comment") VALUES (:forId, :value, :id, :comment)
ON CONFLICT (id) DO UPDATE SET "forId" = :forId, "value" = :value, "comment" = :comment
"""
OLD_LIST = """
SELECT t."id" AS thread_id, t."createdAt" AS thread_createdat, t."name" AS thread_name, t."userId" AS user_id,
t."userIdentifier" AS user_identifier, t."tags" AS thread_tags, t."metadata" AS thread_metadata,
MAX(s."createdAt") AS updatedAt
FROM threads t LEFT JOIN steps s ON t."id" = s."threadId" WHERE t."userId" = :user_id OR t."id" = :thread_id
GROUP BY t."id", t."createdAt", t."name", t."userId", t."userIdentifier", t."tags", t."metadata"
ORDER BY updatedAt DESC NULLS LAST LIMIT :limit
"""


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    database = Database(url)
    async with database.engine.begin() as connection:
        yield connection
    await database.close()


def at(day: int) -> str:
    return f"2026-01-{day:02}T00:00:00.000000Z"


async def old_conversation(connection: AsyncConnection, thread_id: str, user_id: str, owner: str, *days: int) -> None:
    """Write a conversation as the previous version does: first without an owner, then with it."""
    named: dict[str, Any] = {"id": thread_id, "createdAt": at(days[0]), "metadata": "{}"}
    await connection.execute(text(OLD_BARE_THREAD), named)
    facts = {"userId": user_id, "userIdentifier": owner, "name": f"of {owner}"}
    await connection.execute(text(OLD_THREAD), {**named, **facts})
    for day in days:
        flags = {"streaming": False, "isError": False, "waitForAnswer": False}
        step = {"id": f"{thread_id}-{day}", "threadId": thread_id, "output": f"day {day}", "name": owner, **flags}
        times = dict.fromkeys(("createdAt", "start", "end"), at(day))
        rest = {"type": "user_message", "metadata": "{}", "generation": "{}"}
        await connection.execute(text(OLD_STEP), {**step, **times, **rest})


async def old_user(connection: AsyncConnection, identifier: str) -> str:
    user_id = str(uuid.uuid4())
    facts = {"id": user_id, "identifier": identifier, "createdAt": at(1), "metadata": "{}"}
    await connection.execute(text(OLD_USER), facts)
    return user_id


@pytest.fixture
async def old(url: str) -> str:
    """A database of the previous version, with two conversations."""

    def upgrade(connection: Connection) -> None:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(tables.MIGRATIONS))
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")

    async with connected(url) as connection:
        await connection.run_sync(upgrade)
    async with connected(url) as connection:
        user_id = await old_user(connection, "ada")
        await old_conversation(connection, THREAD, user_id, "ada", 1, 9)
        await old_conversation(connection, OTHER, user_id, "ada", 5)
        await connection.execute(text(OLD_FEEDBACK), {"forId": f"{THREAD}-9", "value": 1, "id": "f", "comment": "yes"})
    return url


async def test_conversations_of_the_previous_version_are_listed_by_their_last_message_and_read(old: str) -> None:
    async with opened(old) as store:
        listed = (await store.list_threads("ada")).threads
        assert [(each["id"], each["createdAt"]) for each in listed] == [(THREAD, at(9)), (OTHER, at(5))]
        assert [each["id"] for each in (await store.list_threads("ada", search="day 5")).threads] == [OTHER]
        thread = await store.get_thread(THREAD, "ada")
        assert thread
        assert [step["output"] for step in thread["steps"]] == ["day 1", "day 9"]
        assert thread["steps"][1]["feedback"]["comment"] == "yes"
        store.save_step("ada", OTHER, message("new", "go on"))
        assert await store.written(OTHER, 10)
        assert [each["id"] for each in (await store.list_threads("ada")).threads] == [OTHER, THREAD]


async def test_replicas_of_the_previous_version_keep_working_with_the_new_tables(old: str) -> None:
    async with opened(old) as store:
        await stored(store, "grace", "00000000-0000-4000-8000-000000000000", "hello")
        async with connected(old) as connection:
            user_id = await old_user(connection, "bob")
            third = "33333333-3333-4333-8333-333333333333"
            await old_conversation(connection, third, user_id, "bob", 2, 3)
            await connection.execute(text(OLD_FEEDBACK), {"forId": f"{third}-3", "value": 0, "id": "g", "comment": ""})
            rows = (await connection.execute(text(OLD_LIST), {"user_id": user_id, "thread_id": None, "limit": 9})).all()
            assert [row[0] for row in rows] == [third]
        page = await store.list_threads("bob")
        assert [(each["id"], each["name"]) for each in page.threads] == [(third, "of bob")]
        store.save_step("bob", third, message("new", "at the new replica"))
        assert await store.written(third, 10)
        assert await texts(old, third) == ["day 2", "day 3", "at the new replica"]
        async with connected(old) as connection:
            await old_conversation(connection, third, user_id, "bob", 2, 4)
        assert await texts(old, third) == ["day 2", "day 3", "day 4", "at the new replica"]
        assert await store.delete_thread("bob", third)


async def test_conversations_restored_by_an_old_replica_are_hidden_and_deleted_at_the_next_start(old: str) -> None:
    async with opened(old) as store:
        assert await store.delete_thread("ada", OTHER)
        async with connected(old) as connection:
            ids = await connection.execute(text("SELECT id FROM users WHERE identifier = 'ada'"))
            await old_conversation(connection, OTHER, ids.scalar_one(), "ada", 7)
        assert await store.get_thread(OTHER) is None
        assert await store.owner_of_thread(OTHER) is None
        assert [each["id"] for each in (await store.list_threads("ada")).threads] == [THREAD]
    async with opened(old), connected(old) as connection:
        assert (await connection.execute(text("SELECT id FROM threads"))).all() == [(THREAD,)]


async def test_old_deletion_records_and_expired_tokens_are_deleted(url: str) -> None:
    async with opened(url), connected(url) as connection:
        for days in (1, 89, 91):
            deleted = (datetime.now(UTC) - timedelta(days=days)).isoformat()
            note = {"id": f"{days} days", "at": deleted}
            await connection.execute(text("INSERT INTO deleted_threads VALUES (:id, :at)"), note)
        await connection.execute(text("INSERT INTO signed_out VALUES ('old', 1), ('new', 1e12)"))
    async with opened(url), connected(url) as connection:
        notes = await connection.execute(text("SELECT id FROM deleted_threads ORDER BY id"))
        assert [row[0] for row in notes] == ["1 days", "89 days"]
        assert [row[0] for row in await connection.execute(text("SELECT id FROM signed_out"))] == ["new"]


async def test_replicas_that_start_together_migrate_once_and_a_second_start_changes_nothing(old: str) -> None:
    databases = [Database(old) for _ in range(4)] if old.startswith("postgresql") else [Database(old)]
    await asyncio.gather(*(database.migrate() for database in databases))
    await databases[0].migrate()
    async with databases[0].engine.connect() as connection:
        (version,) = (await connection.execute(text("SELECT version_num FROM alembic_version"))).one()
        limits = [] if old.startswith("sqlite") else (await connection.execute(text("SHOW statement_timeout"))).all()
    config = alembic.config.Config()
    config.set_main_option("script_location", str(tables.MIGRATIONS))
    assert version == tables.COMPATIBLE
    assert ScriptDirectory.from_config(config).get_revision(version)
    assert limits in ([], [("4500ms",)]), "statements of a migration may take longer, others may not"
    for database in databases:
        await database.close()


async def test_a_migration_that_fails_in_the_middle_leaves_the_tables_as_they_were(
    old: str, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scripts = tmp_path_factory.mktemp("migrations")
    (scripts / "versions").mkdir()
    for script in sorted(tables.MIGRATIONS.rglob("*.py")):
        content = script.read_text(encoding="utf-8")
        if script.name.startswith("0002"):
            content = content.replace('"signed_out",\n', '"deleted_threads",\n')  # a table that exists by then
        (scripts / script.relative_to(tables.MIGRATIONS)).write_text(content, encoding="utf-8")
    database = Database(old)
    with monkeypatch.context() as patch:
        patch.setattr(tables, "MIGRATIONS", scripts)
        with pytest.raises(HistoryError, match="refuses"):
            await database.migrate()
    async with asyncio.timeout(10), opened(old) as store:  # the lock is free, although that replica still runs
        assert len((await store.list_threads("ada")).threads) == 2
    await database.close()


async def test_the_version_before_starts_again_after_this_one(
    old: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Start a replica of the previous version, as during an update or after a rollback."""
    scripts = tmp_path_factory.mktemp("before")
    (scripts / "versions").mkdir()
    for name in ("env.py", "versions/0001_tables.py"):
        (scripts / name).write_text((tables.MIGRATIONS / name).read_text(encoding="utf-8"), encoding="utf-8")

    def upgrade(connection: Connection) -> None:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(scripts))
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "head")

    for _ in range(2):
        async with opened(old) as store:
            assert len((await store.list_threads("ada")).threads) == 2
        async with connected(old) as connection:
            await connection.run_sync(upgrade)


async def test_the_tables_of_a_later_version_are_left_unchanged(old: str) -> None:
    async with opened(old):
        pass
    async with connected(old) as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    async with opened(old) as store:
        assert len((await store.list_threads("ada")).threads) == 2
    async with connected(old) as connection:
        (version,) = (await connection.execute(text("SELECT version_num FROM alembic_version"))).one()
    assert version == "9999"
