"""Users who have signed in, with a cache."""

import json
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history.database import Database
from kaito_chat.history.errors import HistoryAwayError
from kaito_chat.history.operations import clean_json, now

# Cached, because every request of a page looks up its user.
REMEMBERED_SECONDS = 30.0
REMEMBERED = 10_000
STATEMENTS = {
    "identifier": text('SELECT id, identifier, "createdAt", metadata FROM users WHERE identifier = :key'),
    "id": text('SELECT id, identifier, "createdAt", metadata FROM users WHERE id = :key'),
}
ADD = text(
    'INSERT INTO users (id, identifier, "createdAt", metadata) VALUES (:id, :identifier, :at, :metadata)'
    " ON CONFLICT (identifier) DO UPDATE SET metadata = EXCLUDED.metadata"
    ' RETURNING id, identifier, "createdAt", metadata'
)


class StoredUser(NamedTuple):
    """A row of the `users` table."""

    id: str
    identifier: str
    created_at: str
    metadata: dict[str, Any]


class Users:
    """The users of one database, with a cache of recent lookups."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: OrderedDict[tuple[str, str], tuple[float, StoredUser]] = OrderedDict()

    async def get(self, identifier: str) -> StoredUser | None:
        """Return a user by the identifier of the sign-in."""
        return await self._find("identifier", identifier)

    async def get_by_id(self, user_id: str) -> StoredUser | None:
        """Return a user by the id in the database."""
        return await self._find("id", user_id)

    async def add(self, identifier: str, metadata: Mapping[str, Any]) -> StoredUser:
        """Create or update a user."""

        async def work(connection: AsyncConnection) -> StoredUser:
            facts = {"id": str(uuid.uuid4()), "identifier": identifier, "at": now(), "metadata": clean_json(metadata)}
            return _user((await connection.execute(ADD, facts)).one())

        return self._remember(await self._database.ask(work, writes=True))

    async def _find(self, by: Literal["identifier", "id"], key: str) -> StoredUser | None:
        until, known = self._known.get((by, key), (0.0, None))
        if known and time.monotonic() < until:
            return known

        async def work(connection: AsyncConnection) -> StoredUser | None:
            row = (await connection.execute(STATEMENTS[by], {"key": key})).one_or_none()
            return _user(row) if row else None

        try:
            user = await self._database.ask(work)
        except HistoryAwayError:
            if known:  # an expired entry is good enough: users hardly change
                return known
            raise
        return self._remember(user) if user else None

    def _remember(self, user: StoredUser) -> StoredUser:
        until = time.monotonic() + REMEMBERED_SECONDS
        self._known[("identifier", user.identifier)] = self._known[("id", user.id)] = (until, user)
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return user


def _user(row: Any) -> StoredUser:  # noqa: ANN401 - SQLAlchemy's
    try:
        metadata = json.loads(row.metadata or "{}")
    except ValueError:
        metadata = {}
    return StoredUser(row.id, row.identifier, row.createdAt or "", metadata if isinstance(metadata, dict) else {})
