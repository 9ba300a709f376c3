"""A genuine PostgreSQL server with the administrator and the functions that Azure's has, for the chat's role."""

import uuid
from typing import Any

import asyncpg
from sqlalchemy import URL, make_url

OBJECT_ID = "00000000-0000-0000-0000-000000000001"
# Azure's functions, as far as they are used.
FUNCTIONS = """
CREATE TABLE IF NOT EXISTS principals (rolename text PRIMARY KEY, objectid text);
CREATE OR REPLACE FUNCTION pgaadauth_create_principal_with_oid(r text, o text, kind text, admin boolean, mfa boolean)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
  IF kind <> 'service' OR admin OR mfa THEN RAISE 'unexpected principal'; END IF;
  EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', r, 'not-a-secret');
  INSERT INTO principals VALUES (r, o);
  RETURN format('Created role for %s', r);
END $$;
CREATE OR REPLACE FUNCTION pgaadauth_list_principals(admins boolean)
RETURNS TABLE (rolename text, objectid text) LANGUAGE sql SECURITY DEFINER
AS 'SELECT rolename, objectid FROM principals';
DO $$ BEGIN
  IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'azure_pg_admin') THEN
    CREATE ROLE azure_pg_admin CREATEROLE CREATEDB;
  END IF;
END $$;
"""


class Server:
    """A database with its administrator, as Azure makes them, and the URL of a chat whose role does not exist yet."""

    def __init__(self, url: str, name: str | None = None) -> None:
        self.owner = make_url(url)
        self.name = name = name or uuid.uuid4().hex[:8]
        self.administrator = f"id-database-{name}"
        self.role = f'id-chat "{name}"'  # a name that must be quoted

    @property
    def url(self) -> str:
        """The chat's URL."""
        return self.owner.set(username=self.role).render_as_string(hide_password=False)

    async def run(self, statement: str, url: URL | None = None) -> Any:
        """Run a statement as the superuser, or as the user of a URL."""
        connection = await asyncpg.connect((url or self.owner).render_as_string(hide_password=False))
        try:
            if statement.startswith("SELECT"):
                return await connection.fetch(statement)
            return await connection.execute(statement)
        finally:
            await connection.close()

    async def make_role(self, rights: str) -> None:
        """Create the chat's role with some rights, mapped to its identity."""
        quoted = self.role.replace('"', '""')
        await self.run(f"CREATE ROLE \"{quoted}\" LOGIN PASSWORD 'not-a-secret' {rights}")
        mapped = f"INSERT INTO principals VALUES ('{self.role}', '{OBJECT_ID}')"  # noqa: S608 - our own names
        await self.run(mapped, self.owner.set(database="postgres"))

    async def rights(self) -> tuple[bool, ...]:
        """Return whether the role may create roles and databases, and whether it is a member of the administrators."""
        rights = "rolcreaterole, rolcreatedb, pg_has_role(rolname, 'azure_pg_admin', 'MEMBER')"
        (row,) = await self.run(f"SELECT {rights} FROM pg_roles WHERE rolname = '{self.role}'")  # noqa: S608 - our names
        return tuple(row)


async def prepared(url: str, name: str | None = None) -> Server:
    """Give a database an administrator as Azure does; `name` selects the names of the roles, by default new ones."""
    made = Server(url, name)
    await made.run(FUNCTIONS, made.owner.set(database="postgres"))
    login = "LOGIN CREATEROLE CREATEDB PASSWORD 'not-a-secret' IN ROLE azure_pg_admin"
    await made.run(f'CREATE ROLE "{made.administrator}" {login}')
    await made.run(f'ALTER DATABASE "{made.owner.database}" OWNER TO azure_pg_admin')
    await made.run("ALTER SCHEMA public OWNER TO azure_pg_admin")
    return made
