"""Storage of conversations: SQLite on a laptop, PostgreSQL in a deployment."""

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from kaito_chat.history.errors import HistoryAwayError, HistoryError, HistoryRefusedError
from kaito_chat.settings import Settings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

__all__ = ["HistoryAwayError", "HistoryError", "HistoryRefusedError", "open_history"]

log = logging.getLogger(__name__)

# How long to retry while the database is starting.
PATIENCE_SECONDS = 60.0
PAUSE_SECONDS = 2.0


async def open_history(
    settings: Settings, credential: "AsyncTokenCredential | None" = None, patience_seconds: float = PATIENCE_SECONDS
) -> Any | None:  # noqa: ANN401 - Chainlit is imported late
    """Migrate the settings' database and return Chainlit's data layer (`layer.Layer`); `None` without a database.

    Raises:
        HistoryError: The database does not answer in time, or refuses; the message names its host, not its password.
    """
    if settings.database_url is None:
        return None
    # SQLAlchemy, Alembic and the drivers are a fifth of the time of all imports.
    from kaito_chat.history.database import Database  # noqa: PLC0415
    from kaito_chat.history.store import Store  # noqa: PLC0415

    database = Database(
        settings.database_url.get_secret_value(),
        credential if settings.database_entra_enabled else None,
        settings.ca_file,
    )
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            await database.migrate()
            break
        except HistoryError as error:
            if not error.passing or time.monotonic() > deadline:
                await database.close()
                raise
            log.warning("waiting for the database", extra={"reason": str(error)})
            await asyncio.sleep(PAUSE_SECONDS)
    # Imports Chainlit, which writes files when it is imported.
    from kaito_chat.history.layer import Layer  # noqa: PLC0415

    return Layer(Store(database))
