"""The chat's role in Azure's PostgreSQL: created by an administrator, without an administrator's rights.

The role owns the tables, which the application migrates by itself.

See: https://learn.microsoft.com/azure/postgresql/security/security-manage-entra-users
"""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy import URL, make_url

from kaito_chat.history.engines import CONNECT_SECONDS, ENTRA_SCOPE, tls

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

log = logging.getLogger(__name__)

# Azure's functions for roles of Entra ID exist in this database only; roles belong to the whole server.
_ROLES_DATABASE = "postgres"
_ADMINISTRATORS = "azure_pg_admin"
_CREATE = "SELECT pgaadauth_create_principal_with_oid($1::text, $2::text, 'service'::text, false, false)"
_MAPPED_ID = "SELECT objectid FROM pgaadauth_list_principals(false) WHERE rolename = $1"
_ADMINISTERS = """
SELECT r.rolcreaterole OR r.rolcreatedb OR EXISTS (
  SELECT 1 FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid AND g.rolname = $2
) FROM pg_roles r WHERE r.rolname = $1
"""


@dataclass(frozen=True)
class Administrator:
    """The role that creates the chat's, and its identity.

    Attributes:
        name: The role, which has the name of the identity.
        credential: The identity; `None` where the server asks for no password.
        ca_file: Certificates to trust beside the public ones.
    """

    name: str
    credential: "AsyncTokenCredential | None" = None
    ca_file: Path | None = None


async def ensure(url: str, object_id: str, administrator: Administrator) -> bool:
    """Create the role in the chat's database URL for an identity of Entra ID; return whether it is no administrator.

    A role that exists keeps its tables. One that an earlier version made an administrator loses that right, if the
    server permits it.

    Raises:
        OSError: The server does not answer, or its certificate is not trusted.
        asyncpg.PostgresError: The server refuses.
    """
    parsed = make_url(url)
    role = parsed.username or ""
    async with _connected(parsed.set(database=_ROLES_DATABASE), administrator) as connection:
        if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role):
            await connection.fetchval(_CREATE, role, object_id)
            log.info("created the role of the chat", extra={"role": role})
        elif await connection.fetchval(_MAPPED_ID, role) != object_id:
            await connection.execute(_label(role, object_id))
            log.info("mapped the role of the chat to its new identity", extra={"role": role})
    # A role that loses an administrator's rights has its own before.
    async with _connected(parsed, administrator) as connection:
        await connection.execute(f"GRANT CONNECT ON DATABASE {_quoted(parsed.database or '')} TO {_quoted(role)}")
        await connection.execute(f"GRANT USAGE, CREATE ON SCHEMA public TO {_quoted(role)}")
    async with _connected(parsed.set(database=_ROLES_DATABASE), administrator) as connection:
        return await _demote(connection, role, object_id)


async def _demote(connection: asyncpg.Connection, role: str, object_id: str) -> bool:
    """Take an administrator's rights from the role; return whether it has none."""
    if not await connection.fetchval(_ADMINISTERS, role, _ADMINISTRATORS):
        return True
    for statement in (
        _label(role, object_id),
        f"REVOKE {_ADMINISTRATORS} FROM {_quoted(role)}",
        f"ALTER ROLE {_quoted(role)} NOCREATEROLE NOCREATEDB",
    ):
        try:
            await connection.execute(statement)
        except asyncpg.PostgresError as error:
            log.warning("the server keeps a right of the role", extra={"statement": statement, "reason": str(error)})
    return not await connection.fetchval(_ADMINISTERS, role, _ADMINISTRATORS)


@asynccontextmanager
async def _connected(url: URL, administrator: Administrator) -> AsyncIterator[asyncpg.Connection]:
    credential = administrator.credential
    mode = url.query.get("sslmode", "verify-full" if credential else None)
    token = (await credential.get_token(ENTRA_SCOPE)).token if credential else None
    connection = await asyncpg.connect(
        host=url.host,
        port=url.port or 5432,
        user=administrator.name,
        password=token or url.password,
        database=url.database,
        ssl=tls(str(mode) if mode else None, administrator.ca_file),
        timeout=CONNECT_SECONDS,
    )
    try:
        yield connection
    finally:
        await connection.close()


def _quoted(name: str) -> str:
    """Return a name as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def _label(role: str, object_id: str) -> str:
    """Return the statement that maps a role to an identity, without the right to manage other roles of Entra ID."""
    return f"SECURITY LABEL FOR pgaadauth ON ROLE {_quoted(role)} IS 'aadauth,oid={object_id},type=service'"
