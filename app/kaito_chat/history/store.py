"""Chainlit's SQLAlchemy data layer, with what it leaves out.

It expects tables that it does not make, loses errors, and writes local times as if they were UTC.
See: https://docs.chainlit.io/data-layers/sqlalchemy
"""

import logging
from datetime import UTC, datetime
from typing import Any

from chainlit.data.sql_alchemy import SQLAlchemyDataLayer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import async_sessionmaker

from kaito_chat import metrics
from kaito_chat.history.database import Database

log = logging.getLogger(__name__)

REMEMBERED_DELETIONS = 10_000


class Store(SQLAlchemyDataLayer):
    """The history over one database."""

    def __init__(self, database: Database) -> None:
        # The base class would make an engine of its own from the address; ours knows tokens, pings and timeouts.
        self.engine = database.engine
        self.async_session = async_sessionmaker(database.engine, expire_on_commit=False)
        self.storage_provider = None
        self.user_thread_limit = 1000
        self.show_logger = False
        self._database = database
        self._deleted: dict[str, None] = {}

    async def delete_thread(self, thread_id: str) -> None:
        """Delete a conversation. Its page may still be open here: what it writes from now on is refused."""
        self._deleted[thread_id] = None
        if len(self._deleted) > REMEMBERED_DELETIONS:
            del self._deleted[next(iter(self._deleted))]
        await super().delete_thread(thread_id)

    async def update_thread(self, thread_id: str, *arguments: object, **facts: object) -> None:
        """Write what is known of a conversation, unless it was deleted: an open page would write it anew."""
        if thread_id not in self._deleted:
            await super().update_thread(thread_id, *arguments, **facts)

    async def create_step(self, step_dict: dict[str, Any]) -> None:
        """Write a message, unless its conversation was deleted."""
        if step_dict["threadId"] not in self._deleted:
            await super().create_step(step_dict)

    async def execute_sql(self, query: str, parameters: dict[str, Any]) -> list[dict[str, Any]] | int | None:
        """Run a statement; `None` if that fails, which is logged and counted, never shown to a person."""
        try:
            async with self.async_session() as session, session.begin():
                result: Any = await session.execute(text(query), parameters)
                if not result.returns_rows:
                    return int(result.rowcount)
                rows: list[dict[str, Any]] = self.clean_result([dict(row) for row in result.mappings()])
                return rows
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            metrics.HISTORY_ERRORS.inc()
            log.error("history: %s", str(getattr(error, "orig", None) or error).splitlines()[0])  # noqa: TRY400
            return None

    async def get_current_timestamp(self) -> str:
        """Now, in UTC, as Chainlit writes it elsewhere."""
        return datetime.now(UTC).isoformat().replace("+00:00", "Z")

    async def close(self) -> None:
        """Close every connection."""
        await self._database.close()
