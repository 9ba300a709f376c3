"""The chat's role in PostgreSQL, on a genuine server with stand-ins for Azure's functions."""

import os
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url

from kaito_chat import database_role
from kaito_chat.history.database import Database
from kaito_chat.history.role import Administrator, ensure
from support.chat.azure_roles import OBJECT_ID, Server, prepared
from support.chat.warm import finished
from support.project import ROOT

OTHER_ID = "00000000-0000-0000-0000-000000000002"


@pytest.fixture
async def server(postgres_url: str) -> Server:
    return await prepared(postgres_url)


async def test_the_role_can_keep_history_and_nothing_else(server: Server) -> None:
    assert await ensure(server.url, OBJECT_ID, Administrator(server.administrator))
    assert await server.rights() == (False, False, False)
    database = Database(server.url)
    await database.migrate()
    await database.close()
    owners = await server.run("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    assert [row[0] for row in owners] == [server.role]
    for statement in ("CREATE ROLE more", "CREATE DATABASE more", f'DROP ROLE "{server.administrator}"'):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await server.run(statement, make_url(server.url))
    # The Job runs before each release.
    assert await ensure(server.url, OBJECT_ID, Administrator(server.administrator))


async def test_an_administrator_of_an_earlier_version_keeps_its_tables(server: Server) -> None:
    await server.make_role("CREATEROLE CREATEDB IN ROLE azure_pg_admin")
    database = Database(server.url)
    await database.migrate()
    # Azure's administrators may alter roles that this server lets only its superuser alter.
    assert await ensure(server.url, OBJECT_ID, Administrator(str(server.owner.username)))
    assert await server.rights() == (False, False, False)
    # Its connections work on, and so do the migrations of the next start.
    await database.migrate()
    await database.close()
    assert await server.run("SELECT count(*) FROM threads", make_url(server.url))


async def test_a_server_that_keeps_the_rights_is_reported(server: Server) -> None:
    # An administrator may not alter a superuser.
    await server.make_role("CREATEROLE CREATEDB SUPERUSER")
    assert not await ensure(server.url, OBJECT_ID, Administrator(server.administrator))
    assert (await server.rights())[:2] == (True, True)


async def test_a_new_identity_takes_the_role_over(server: Server) -> None:
    assert await ensure(server.url, OTHER_ID, Administrator(server.administrator))
    # The server of the tests has no provider of security labels: the statement is Azure's.
    with pytest.raises(asyncpg.PostgresError, match="security label"):
        await ensure(server.url, OBJECT_ID, Administrator(server.administrator))


async def test_it_waits_for_a_server_that_is_not_ready(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_role, "PAUSE_SECONDS", 0.05)
    late = Administrator(f"{server.administrator}-late")
    with pytest.raises(asyncpg.PostgresError):
        await database_role.wait_for(server.url, OBJECT_ID, late, 0.2)
    assert await database_role.wait_for(server.url, OBJECT_ID, Administrator(server.administrator), 0.2)


@pytest.mark.parametrize(
    ("url", "object_id", "code", "words"),
    [
        ("", OBJECT_ID, 2, "KAITO_CHAT_DATABASE_URL must be"),
        ("sqlite:///x.db", OBJECT_ID, 2, "KAITO_CHAT_DATABASE_URL must be"),
        ("postgresql://chat@127.0.0.1:9/chat", "1' , admin", 2, "must be a GUID"),
        ("postgresql://chat@127.0.0.1:9/chat", OBJECT_ID, 1, "the chat's role cannot be created"),
    ],
)
def test_the_program_says_what_is_missing(folder: Path, url: str, object_id: str, code: int, words: str) -> None:
    arguments = ["--object-id", object_id, "--administrator", "id-database", "--seconds", "0"]
    variables = {key: value for key, value in os.environ.items() if not key.startswith("AZURE_")}
    variables |= {"KAITO_CHAT_DATABASE_URL": url, "PYTHONPATH": str(ROOT / "app")}
    ran = finished("kaito_chat.database_role", arguments, variables, folder)
    assert (ran.returncode, words in ran.stderr) == (code, True), ran.stderr
    assert "Traceback" not in ran.stderr
