"""Feedback: at most one per message, given by the owner of the conversation."""

import uuid

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history.database import Database
from kaito_chat.history.operations import clean

COMMENT_CHARACTERS = 10_000
_MY_STEP = (
    'SELECT s."threadId" FROM steps s JOIN threads t ON t.id = s."threadId"'
    ' WHERE s.id = :step AND t."userIdentifier" = :owner'
)
MY_STEP = text(_MY_STEP)
LOCK_THREAD = text(f"{_MY_STEP} FOR UPDATE OF t")
GIVEN = text('SELECT id FROM feedbacks WHERE "forId" = :step ORDER BY id')
DELETE_OTHERS = text('DELETE FROM feedbacks WHERE "forId" = :step AND id <> :id')
INSERT = text(
    'INSERT INTO feedbacks (id, "forId", "threadId", value, comment) VALUES (:id, :step, :thread, :value, :comment)'
)
UPDATE = text('UPDATE feedbacks SET value = :value, comment = :comment, "threadId" = :thread WHERE id = :id')
DELETE = text(
    'DELETE FROM feedbacks WHERE id = :id AND "forId" IN (SELECT s.id FROM steps s'
    ' JOIN threads t ON t.id = s."threadId" WHERE t."userIdentifier" = :owner)'
)


async def upsert(database: Database, owner: str, step_id: str, value: int, comment: str | None) -> str | None:
    """Create or replace the feedback on a message; return its id, or `None` if the message is not this owner's."""

    async def work(connection: AsyncConnection) -> str | None:
        if database.postgresql:  # two concurrent requests create one feedback, and none of a message that is deleted
            await connection.execute(LOCK_THREAD, {"step": step_id, "owner": owner})
        thread = (await connection.execute(MY_STEP, {"step": step_id, "owner": owner})).scalar()
        if thread is None:
            return None
        given = (await connection.execute(GIVEN, {"step": step_id})).scalars().all()
        facts = {
            "id": given[0] if given else str(uuid.uuid4()),
            "thread": thread,
            "value": 1 if value else 0,
            "comment": None if comment is None else clean(comment, COMMENT_CHARACTERS),
        }
        if given:
            await connection.execute(UPDATE, facts)
            await connection.execute(DELETE_OTHERS, {"step": step_id, "id": facts["id"]})
        else:
            await connection.execute(INSERT, {**facts, "step": step_id})
        return str(facts["id"])

    return await database.ask(work, writes=True)


async def delete(database: Database, owner: str, feedback_id: str) -> bool:
    """Delete the feedback on a message of this owner; return whether there was one."""

    async def work(connection: AsyncConnection) -> bool:
        return bool((await connection.execute(DELETE, {"id": feedback_id, "owner": owner})).rowcount)

    return await database.ask(work, writes=True)
