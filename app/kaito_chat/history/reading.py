"""Queries for conversations with their messages, in Chainlit's format."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history.database import Database
from kaito_chat.history.operations import COLUMNS, FLAGS, JSONS, DeleteStep, Operation, SaveStep, SaveThread
from kaito_chat.history.writing import merged

NOT_DELETED = "NOT EXISTS (SELECT 1 FROM deleted_threads d WHERE d.id = t.id)"
_STEP = ", ".join(f's."{column}"' for column in (*COLUMNS, "threadId"))
THREAD = text(
    'SELECT t.id, t."createdAt", t.name, t."userId", t."userIdentifier", t.tags, t.metadata'  # noqa: S608 - of our own
    f" FROM threads t WHERE t.id = :id AND {NOT_DELETED}"
)
STEPS = text(f'SELECT {_STEP} FROM steps s WHERE s."threadId" = :id ORDER BY s."createdAt", s.id')  # noqa: S608 - likewise
FEEDBACKS = text(
    'SELECT f.id, f."forId", f.value, f.comment FROM feedbacks f JOIN steps s ON s.id = f."forId"'
    ' WHERE s."threadId" = :id ORDER BY f.id DESC'
)
OWNER_OF_THREAD = text(f'SELECT t."userIdentifier" FROM threads t WHERE t.id = :id AND {NOT_DELETED}')  # noqa: S608
FAVORITES = text(
    f'SELECT {_STEP} FROM steps s JOIN threads t ON t.id = s."threadId" WHERE t."userId" ='  # noqa: S608
    " (SELECT u.id FROM users u WHERE u.identifier = :owner)"
    f""" AND s.metadata LIKE '%"favorite": true%' AND {NOT_DELETED} ORDER BY s."createdAt" DESC"""
)


async def thread(database: Database, thread_id: str) -> dict[str, Any] | None:
    """Return a conversation as stored in the database."""

    async def work(connection: AsyncConnection) -> dict[str, Any] | None:
        of = {"id": thread_id}
        found = (await connection.execute(THREAD, of)).mappings().one_or_none()
        if found is None:
            return None
        feedbacks = {row["forId"]: dict(row) for row in (await connection.execute(FEEDBACKS, of)).mappings()}
        steps = [step_of(dict(row), feedbacks) for row in (await connection.execute(STEPS, of)).mappings()]
        facts = {**found, "metadata": merged(found["metadata"], {}), "tags": _json(found["tags"])}
        return {**facts, "steps": steps, "elements": []}

    return await database.ask(work)


async def owner_of_thread(database: Database, thread_id: str) -> str | None:
    """Return the identifier of the owner of a stored conversation."""

    async def work(connection: AsyncConnection) -> str | None:
        owner: str | None = (await connection.execute(OWNER_OF_THREAD, {"id": thread_id})).scalar()
        return owner

    return await database.ask(work)


async def favorites(database: Database, owner: str) -> list[dict[str, Any]]:
    """Return the owner's favorite messages."""

    async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
        rows = (await connection.execute(FAVORITES, {"owner": owner})).mappings()
        return [step for step in (step_of(dict(row), {}) for row in rows) if step["metadata"].get("favorite")]

    return await database.ask(work)


def step_of(row: Mapping[str, Any], feedbacks: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as a message or step in Chainlit's format."""
    step = {key: _json(row[key]) if key in JSONS else row[key] for key in COLUMNS}
    step |= {key: None if row[key] is None else bool(row[key]) for key in FLAGS}
    step["metadata"] = step["metadata"] if isinstance(step["metadata"], dict) else {}
    step["input"] = (step["input"] or "") if step["showInput"] not in (None, "false") else ""
    step["output"] = step["output"] or ""
    return {**step, "threadId": row["threadId"], "feedback": feedbacks.get(row["id"])}


def with_waiting(stored: dict[str, Any] | None, waiting: Iterable[Operation]) -> dict[str, Any] | None:
    """Return a conversation with its pending operations applied."""
    for operation in waiting:
        if stored is None and not isinstance(operation, DeleteStep):
            stored = _begun(operation)
        if stored and operation.owner == stored["userIdentifier"]:
            _apply(stored, operation)
    if stored:
        stored["steps"].sort(key=lambda step: step["createdAt"] or "")
    return stored


def _begun(operation: Operation) -> dict[str, Any]:
    names = {"id": operation.thread_id, "createdAt": operation.at, "name": None, "userIdentifier": operation.owner}
    return {**names, "userId": None, "tags": None, "metadata": {}, "steps": [], "elements": []}


def _apply(thread_: dict[str, Any], operation: Operation) -> None:
    steps: list[dict[str, Any]] = thread_["steps"]
    match operation:
        case SaveStep(step=new):
            known = next((step for step in steps if step["id"] == new["id"]), None)
            if known is None:
                steps.append(step_of({**new, "threadId": operation.thread_id}, {}))
            else:
                facts = step_of({**new, "threadId": operation.thread_id}, {})
                known |= {key: facts[key] for key, value in new.items() if value is not None and key != "createdAt"}
        case DeleteStep(step_id=step_id):
            thread_["steps"] = [step for step in steps if step["id"] != step_id]
        case SaveThread():
            thread_["name"] = thread_["name"] if operation.name is None else operation.name
            thread_["metadata"] = merged(json.dumps(thread_["metadata"]), operation.metadata)
            thread_["tags"] = thread_["tags"] if operation.tags is None else operation.tags


def _json(value: str | None) -> Any:  # noqa: ANN401 - any JSON
    try:
        return None if value is None else json.loads(value)
    except ValueError:
        return None
