"""Writes, each in one transaction that includes the user and the conversation that a step belongs to.

A write locks the conversation's row before it checks for a deletion record; a deletion inserts that record before it
deletes the row. So of two concurrent transactions the second always sees the first. Each transaction locks the
conversation's row before rows of its steps and feedback, so that no two wait for each other.
"""

import json
import uuid
from typing import Any

from sqlalchemy import Boolean, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history.database import Database
from kaito_chat.history.errors import DeletedError, ForeignError
from kaito_chat.history.operations import (
    COLUMNS,
    FLAGS,
    NAME_CHARACTERS,
    DeleteStep,
    Operation,
    SaveStep,
    SaveThread,
    SignOut,
    clean,
    now,
)
from kaito_chat.history.sign_outs import note

USER = text(
    'INSERT INTO users (id, identifier, "createdAt", metadata) VALUES (:id, :owner, :at, :metadata)'
    " ON CONFLICT (identifier) DO NOTHING"
)
THREAD = text(
    'INSERT INTO threads (id, "createdAt", "updatedAt", "userId", "userIdentifier", metadata)'
    " SELECT :id, :at, :at, u.id, u.identifier, '{}' FROM users u WHERE u.identifier = :owner"
    ' ON CONFLICT (id) DO UPDATE SET "userId" = COALESCE(threads."userId", EXCLUDED."userId"),'
    ' "updatedAt" = CASE WHEN :touch = 1 THEN EXCLUDED."updatedAt" ELSE threads."updatedAt" END'
    ' WHERE threads."userIdentifier" = EXCLUDED."userIdentifier" RETURNING id'
)
IS_DELETED = text("SELECT 1 FROM deleted_threads WHERE id = :id")
_NAMES = ", ".join(f'"{column}"' for column in COLUMNS)
_VALUES = ", ".join(f":{column}" for column in COLUMNS)
_CHANGES = ", ".join(
    f'"{column}" = COALESCE(EXCLUDED."{column}", steps."{column}")'
    for column in COLUMNS
    if column not in ("id", "createdAt")
)
STEP = text(
    f'INSERT INTO steps ({_NAMES}, "threadId") VALUES ({_VALUES}, :threadId)'  # noqa: S608 - columns of our own
    f' ON CONFLICT (id) DO UPDATE SET {_CHANGES} WHERE steps."threadId" = EXCLUDED."threadId" RETURNING id'
).bindparams(*(bindparam(column, type_=Boolean if column in FLAGS else Text) for column in COLUMNS))
THREAD_FACTS = text("SELECT name, tags, metadata FROM threads WHERE id = :id")
SET_THREAD_FACTS = text("UPDATE threads SET name = :name, tags = :tags, metadata = :metadata WHERE id = :id")
_MY_STEP = (
    ' (SELECT s.id FROM steps s JOIN threads t ON t.id = s."threadId"'
    ' WHERE s.id = :step AND t.id = :id AND t."userIdentifier" = :owner)'
)
DELETE_STEP = [
    text(f'DELETE FROM feedbacks WHERE "forId" IN {_MY_STEP}'),  # noqa: S608 - likewise
    text(f"DELETE FROM steps WHERE id IN {_MY_STEP}"),  # noqa: S608 - likewise
]
LOCK_THREAD = text("SELECT 1 FROM threads WHERE id = :id FOR UPDATE")
RENAME = text('UPDATE threads SET name = :name WHERE id = :id AND "userIdentifier" = :owner')
NOTE_DELETION = 'INSERT INTO deleted_threads (id, "deletedAt")'
NOTE_DELETION_OF_MINE = text(
    f'{NOTE_DELETION} SELECT id, :at FROM threads WHERE id = :id AND "userIdentifier" = :owner'  # noqa: S608 - likewise
    " ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id RETURNING id"
)
NOTE_DELETION_OF_UNSTORED = text(
    f"{NOTE_DELETION} SELECT :id, :at WHERE NOT EXISTS (SELECT 1 FROM threads WHERE id = :id)"  # noqa: S608 - likewise
    " ON CONFLICT (id) DO UPDATE SET id = EXCLUDED.id RETURNING id"
)
DELETE_THREAD = [
    text('DELETE FROM feedbacks WHERE "forId" IN (SELECT id FROM steps WHERE "threadId" = :id)'),
    text('DELETE FROM elements WHERE "threadId" = :id'),
    text('DELETE FROM steps WHERE "threadId" = :id'),
    text("DELETE FROM threads WHERE id = :id"),
]


async def write(database: Database, operation: Operation) -> None:
    """Write one operation.

    Raises:
        DeletedError: The conversation was deleted, on this or another replica.
        ForeignError: The conversation belongs to another user, or the step to another conversation.
        HistoryError: The write failed; its class tells whether a retry can succeed.
    """

    async def work(connection: AsyncConnection) -> None:
        match operation:
            case SaveStep():
                await _hold(connection, operation, touch=True)
                step = {**operation.step, "threadId": operation.thread_id}
                if not (await connection.execute(STEP, step)).all():
                    raise ForeignError("a message of another conversation has this id")
            case SaveThread():
                await _hold(connection, operation, touch=False)
                await _change(connection, operation)
            case DeleteStep():
                of = {"id": operation.thread_id, "owner": operation.owner, "step": operation.step_id}
                await _lock(database, connection, operation.thread_id)
                for statement in DELETE_STEP:
                    await connection.execute(statement, of)
            case SignOut():
                await note(connection, operation.token_id, operation.expires)

    await database.run(work, writes=True)


async def _lock(database: Database, connection: AsyncConnection, thread_id: str) -> None:
    """Lock the row of a conversation; a transaction of SQLite that writes locks the whole database."""
    if database.postgresql:
        await connection.execute(LOCK_THREAD, {"id": thread_id})


async def _hold(connection: AsyncConnection, operation: Operation, *, touch: bool) -> None:
    """Create the conversation if needed and lock it; raise if it has another owner or was deleted."""
    of = {"id": operation.thread_id, "owner": operation.owner, "at": operation.at, "touch": int(touch)}
    held = (await connection.execute(THREAD, of)).all()
    if not held:
        user = {"id": str(uuid.uuid4()), "owner": operation.owner, "at": operation.at, "metadata": "{}"}
        await connection.execute(USER, user)
        held = (await connection.execute(THREAD, of)).all()
    if (await connection.execute(IS_DELETED, {"id": operation.thread_id})).all():
        raise DeletedError
    if not held:
        raise ForeignError("the conversation belongs to another user")


async def _change(connection: AsyncConnection, operation: SaveThread) -> None:
    facts = (await connection.execute(THREAD_FACTS, {"id": operation.thread_id})).mappings().one()
    metadata = merged(facts["metadata"], operation.metadata)
    name = facts["name"] if operation.name is None else operation.name[:NAME_CHARACTERS]
    tags = facts["tags"] if operation.tags is None else json.dumps(operation.tags)
    await connection.execute(
        SET_THREAD_FACTS,
        {"id": operation.thread_id, "name": name, "tags": tags, "metadata": json.dumps(metadata)},
    )


def merged(stored: str | None, changes: dict[str, Any]) -> dict[str, Any]:
    """Return metadata merged with changes; a value of `None` removes its key."""
    try:
        known = json.loads(stored or "{}")
    except ValueError:
        known = {}
    both = (known if isinstance(known, dict) else {}) | changes
    return {key: value for key, value in both.items() if value is not None}


async def rename(database: Database, owner: str, thread_id: str, name: str) -> bool:
    """Rename a conversation; return whether the owner has it."""

    async def work(connection: AsyncConnection) -> bool:
        of = {"id": thread_id, "owner": owner, "name": clean(name, NAME_CHARACTERS)}
        return bool((await connection.execute(RENAME, of)).rowcount)

    return await database.ask(work, writes=True)


async def delete_thread(database: Database, owner: str, thread_id: str, *, unstored: bool) -> bool:
    """Delete a conversation and record the deletion; return whether the owner had it.

    Args:
        database: The database.
        owner: The owner.
        thread_id: The conversation.
        unstored: Whether the owner has pending writes to this conversation, which may not be stored yet.
    """

    async def work(connection: AsyncConnection) -> bool:
        of = {"id": thread_id, "owner": owner, "at": now()}
        noted = (await connection.execute(NOTE_DELETION_OF_MINE, of)).all()
        if not noted and unstored:
            noted = (await connection.execute(NOTE_DELETION_OF_UNSTORED, {"id": thread_id, "at": of["at"]})).all()
        if noted:
            await _lock(database, connection, thread_id)
            for statement in DELETE_THREAD:
                await connection.execute(statement, {"id": thread_id})
        return bool(noted)

    return await database.ask(work, writes=True)
