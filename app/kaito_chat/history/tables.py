"""Brings the tables up to date, so that the version before still works with them."""

import logging
from pathlib import Path

import alembic.command
import alembic.config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

log = logging.getLogger(__name__)

MIGRATIONS = Path(__file__).parent / "migrations"
# The revision that the database names: the newest one that every version knows which works with the tables. A version
# does not start with a revision that it does not know, and replicas of two versions run at once during an update, and
# after a rollback. Raise it with a migration that the version before cannot work with.
COMPATIBLE = "0001"


def upgrade(connection: Connection) -> None:
    """Apply the migrations that are missing; tables of a later version are left as they are."""
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
