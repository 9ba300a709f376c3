"""Revoked tokens that have not expired yet, shared by all replicas."""

import time
from collections import OrderedDict

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kaito_chat.history.database import Database
from kaito_chat.history.errors import HistoryError
from kaito_chat.history.operations import SignOut
from kaito_chat.history.outbox import Outbox

STORED_SECONDS = 2.0
# Cache time of a valid token: a revocation on another replica may go unnoticed for as long.
BELIEVED_SECONDS = 5.0
REMEMBERED = 10_000
# Key of the outbox queue; the NUL keeps it apart from the ids of conversations.
QUEUE = "\x00sign-outs"
NOTE = text("INSERT INTO signed_out (id, expires) VALUES (:id, :expires) ON CONFLICT (id) DO NOTHING")
IS_NOTED = text("SELECT expires FROM signed_out WHERE id = :id")
PRUNE = text("DELETE FROM signed_out WHERE expires < :now")


async def note(connection: AsyncConnection, token_id: str, expires: float) -> None:
    """Insert a revoked token, and delete those that have expired."""
    await connection.execute(PRUNE, {"now": time.time()})
    await connection.execute(NOTE, {"id": token_id, "expires": expires})


class SignOuts:
    """The revoked tokens of one database, with a cache, because every request looks up its token."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox
        self._signed_out: OrderedDict[str, float] = OrderedDict()
        self._believed: OrderedDict[str, float] = OrderedDict()

    async def add(self, token_id: str, expires: float) -> bool:
        """Revoke a token; return whether that is stored already."""
        self._remember(token_id, expires)
        self._outbox.add(SignOut(owner="", thread_id=QUEUE, token_id=token_id, expires=expires))
        return await self._outbox.written(QUEUE, STORED_SECONDS)

    async def has(self, token_id: str) -> bool:
        """Return whether a token is revoked, according to the database or, while it is unavailable, to the cache."""
        if token_id in self._signed_out:
            return True
        if self._believed.get(token_id, 0.0) > time.monotonic():
            return False
        try:
            expires = await self._database.ask(lambda connection: _ask(connection, token_id))
        except HistoryError:
            expires = None
        if expires is not None:
            self._remember(token_id, expires)
            return True
        self._believed[token_id] = time.monotonic() + BELIEVED_SECONDS
        self._believed.move_to_end(token_id)
        if len(self._believed) > REMEMBERED:
            self._believed.popitem(last=False)
        return token_id in self._signed_out  # may have been revoked during the query

    def _remember(self, token_id: str, expires: float) -> None:
        now = time.time()
        self._signed_out[token_id] = expires
        if len(self._signed_out) > REMEMBERED:
            kept = ((key, until) for key, until in self._signed_out.items() if until > now)
            self._signed_out = OrderedDict(kept)


async def _ask(connection: AsyncConnection, token_id: str) -> float | None:
    expires = (await connection.execute(IS_NOTED, {"id": token_id})).scalar()
    return None if expires is None else float(expires)
