"""Paginated list and search of conversations in the database."""

from typing import Any, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history.database import Database
from kaito_chat.history.operations import NAME_CHARACTERS, clean
from kaito_chat.history.reading import NOT_DELETED

LONGEST_PAGE = 100
SEARCH_CHARACTERS = 100
BETWEEN = "~"
# Replicas of the previous version, which run side by side during an update, do not write `updatedAt`.
CHANGED = """COALESCE(t."updatedAt", t."createdAt", '')"""
MESSAGES = "s.type IN ('user_message', 'assistant_message')"
AFTER = f"({CHANGED}, t.id) < (:changed, :id)"
WITH_WORDS = """
({lower_name} LIKE :words ESCAPE '\\' OR EXISTS (
  SELECT 1 FROM steps s WHERE s."threadId" = t.id AND {messages} AND {lower_output} LIKE :words ESCAPE '\\'
))
"""
WITH_FEEDBACK = (
    'EXISTS (SELECT 1 FROM steps s JOIN feedbacks f ON f."forId" = s.id WHERE s."threadId" = t.id AND f.value = :value)'
)
PAGE = """
SELECT t.id, t."createdAt", {changed} AS changed, SUBSTR(t.name, 1, {name_characters}) AS name, t."userId",
  t."userIdentifier"
FROM threads t
WHERE t."userId" = (SELECT u.id FROM users u WHERE u.identifier = :owner) AND {conditions}
ORDER BY {changed} DESC, t.id DESC
LIMIT :limit
"""


class Page(NamedTuple):
    """A page of conversations, without their messages.

    Attributes:
        threads: The conversations in Chainlit's format.
        start: The cursor of the first conversation.
        end: The cursor of the last one, from which the next page starts.
        more: Whether there is a next page.
    """

    threads: list[dict[str, Any]]
    start: str | None
    end: str | None
    more: bool

    def to_dict(self) -> dict[str, Any]:
        """Return the page in Chainlit's format."""
        ends = {"startCursor": self.start, "endCursor": self.end}
        return {"pageInfo": {"hasNextPage": self.more, **ends}, "data": self.threads}


async def page(
    database: Database, owner: str, *, first: int, cursor: str | None, search: str | None, value: int | None
) -> Page:
    """Return a page of the owner's conversations, most recently changed first."""
    first = max(1, min(first, LONGEST_PAGE))
    conditions, given = [NOT_DELETED], {"owner": clean(owner), "limit": first + 1}
    after = _after(cursor)
    if after:
        conditions.append(AFTER)
        given |= after
    if words := clean(search or "", SEARCH_CHARACTERS).strip():
        lower = {"lower_name": database.lower("t.name"), "lower_output": database.lower("s.output")}
        conditions.append(WITH_WORDS.format(messages=MESSAGES, **lower))
        given["words"] = f"%{_escaped(words.lower())}%"
    if value is not None:
        conditions.append(WITH_FEEDBACK)
        given["value"] = 1 if value else 0
    statement = text(PAGE.format(changed=CHANGED, name_characters=NAME_CHARACTERS, conditions=" AND ".join(conditions)))

    async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
        return [_listed(row) for row in (await connection.execute(statement, given)).mappings()]

    found = await database.ask(work)
    threads = found[:first]
    ends = [f"{thread['createdAt']}{BETWEEN}{thread['id']}" for thread in threads]
    return Page(threads, ends[0] if ends else None, ends[-1] if ends else None, len(found) > first)


def _listed(row: Any) -> dict[str, Any]:  # noqa: ANN401 - SQLAlchemy's
    """Return a row in Chainlit's format, with the time of the last change as `createdAt`, by which the page sorts."""
    names = {key: row[key] for key in ("id", "name", "userId", "userIdentifier")}
    return {**names, "createdAt": row["changed"], "tags": None, "metadata": {}, "steps": [], "elements": []}


def _after(cursor: str | None) -> dict[str, str] | None:
    changed, between, thread_id = clean(cursor or "", 300).partition(BETWEEN)
    return {"changed": changed, "id": thread_id} if between else None


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
