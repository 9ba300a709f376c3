"""Migrations that keep the tables compatible with the previous version of the application."""

import logging
from pathlib import Path

import alembic.command
import alembic.config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
# The revision recorded in the database: the newest one known to every version that works with the tables. A replica
# does not start on a revision that it does not know, and two versions run at once during an update or a rollback.
# Raise it only with a migration that the previous version cannot work with.
COMPATIBLE = "0001"


def upgrade(connection: Connection) -> None:
    """Apply the missing migrations; leave tables of a later version unchanged."""
    config = alembic.config.Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current not in (None, *known):
        log.warning("the history's tables are of a later version", extra={"revision": current})
        return
    alembic.command.upgrade(config, "head")
    if COMPATIBLE in known:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": COMPATIBLE})
