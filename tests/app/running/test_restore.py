"""The commands of docs/how-to/restore-the-history.md, between genuine servers with the roles of a deployment."""

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import alembic.command
import alembic.config
import pytest
from sqlalchemy import Connection, make_url, text

from kaito_chat.history import tables
from kaito_chat.history.database import Database
from kaito_chat.history.role import Administrator, ensure
from support.chat.azure_roles import OBJECT_ID, Server, prepared
from support.chat.databases import OTHER, THREAD, fresh, message, opened, rows, stored, texts
from support.chat.services import postgresql, postgresql_program
from support.project import ROOT

PAGE = (ROOT / "docs" / "how-to" / "restore-the-history.md").read_text(encoding="utf-8")
THIRD = "33333333-3333-4333-8333-333333333333"


def blocks(heading: str) -> list[str]:
    """Return the commands of PostgreSQL's programs under a heading of the page, in their order."""
    (section,) = re.findall(rf"^## {heading}$(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^```console\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [block for block in found if block.startswith(("pg_", "psql"))]


class Client:
    """A shell on the jump box, whose variables select the server and the chat's role."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._folder = folder
        programs = Path(postgresql_program("pg_dump")).parent
        url = server.owner
        self._variables = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PGHOST": str(url.host),
            "PGPORT": str(url.port),
            "PGDATABASE": str(url.database),
            "PGUSER": server.role,
            "PGPASSWORD": "not-a-secret",
        }

    def run(self, block: str) -> str:
        """Run a block of the page."""
        command = ["bash", "-euo", "pipefail", "-c", block]
        ran = subprocess.run(
            command,
            cwd=self._folder,
            env=self._variables,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout


@pytest.fixture(scope="module")
def other_server() -> Iterator[str]:
    """A second server, on which nothing of the first exists."""
    with postgresql() as url:
        yield url


async def deployed(url: str, name: str | None = None) -> Server:
    """Return a server as a deployment leaves it: with the chat's role, before the chat's first start."""
    server = await prepared(await fresh(url), name)
    assert await ensure(server.url, OBJECT_ID, Administrator(server.administrator))
    return server


@pytest.fixture
async def server(postgres_server: str) -> Server:
    """The environment's server with two conversations, one of which has been deleted."""
    made = await deployed(postgres_server)
    async with opened(made.url) as store:
        await stored(store, "ada", THREAD, "hello", "Grüße, 世界")
        await stored(store, "ada", OTHER, "a second one")
        await stored(store, "ada", THIRD, "deleted before the dump")
        assert await store.delete_thread("ada", THIRD)
    return made


async def owners(server: Server) -> set[str]:
    """Return the owners of the tables."""
    found = await server.run("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
    return {row[0] for row in found}


async def version(server: Server) -> str:
    """Return the recorded revision of the tables."""
    ((found,),) = await rows(server.url, "SELECT version_num FROM alembic_version")
    return str(found)


async def columns(server: Server, table: str) -> set[str]:
    """Return the columns of a table."""
    asked = f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"  # noqa: S608 - our names
    return {row[0] for row in await rows(server.url, asked)}


async def test_conversations_are_restored_into_a_new_server(server: Server, other_server: str, tmp_path: Path) -> None:
    (dump,) = blocks("Dump")
    Client(server, tmp_path).run(dump)
    successor = await deployed(other_server, server.name)
    *_, everything = blocks("Restore into the environment's server")
    (check,) = blocks("Check the dump")
    there = Client(successor, tmp_path)
    there.run(everything)
    printed = there.run(check)
    assert "TABLE DATA public threads" in printed
    assert re.search(r"^ +2 \| 20", printed, re.MULTILINE), printed
    assert re.search(rf"^ {tables.COMPATIBLE}$", printed, re.MULTILINE), printed
    assert await owners(successor) == {server.role}
    async with opened(successor.url) as store:  # the chat's start, with its migrations
        listed = (await store.list_threads("ada")).threads
        assert {each["id"] for each in listed} == {THREAD, OTHER}
        assert [each["id"] for each in (await store.list_threads("ada", search="世界")).threads] == [THREAD]
        assert (await store.list_threads("grace")).threads == []
        store.save_step("ada", THREAD, message("after", "goes on"))
        assert await store.written(THREAD, 10)
    assert await texts(successor.url) == ["hello", "Grüße, 世界", "goes on"]
    assert await version(successor) == tables.COMPATIBLE


async def test_the_tables_of_a_new_server_that_the_chat_has_used_are_replaced(
    server: Server, other_server: str, tmp_path: Path
) -> None:
    (dump,) = blocks("Dump")
    Client(server, tmp_path).run(dump)
    successor = await deployed(other_server)
    async with opened(successor.url) as store:
        await stored(store, "grace", THIRD, "on the empty server")
    *_, everything = blocks("Restore into the environment's server")
    Client(successor, tmp_path).run(everything)
    async with opened(successor.url) as store:
        assert len((await store.list_threads("ada")).threads) == 2
        assert (await store.list_threads("grace")).threads == []


async def test_damage_is_undone_while_the_chat_runs_and_deletions_stay(server: Server, tmp_path: Path) -> None:
    (dump,) = blocks("Dump")
    before, without_deletions, _ = blocks("Restore into the environment's server")
    client = Client(server, tmp_path)
    client.run(dump)
    async with opened(server.url) as running:
        assert await running.delete_thread("ada", OTHER)
        await server.run("INSERT INTO signed_out VALUES ('revoked', 1e12)", make_url(server.url))
        await server.run("UPDATE steps SET output = 'damaged'", make_url(server.url))
        client.run(before)
        client.run(without_deletions)
        running.save_step("ada", THREAD, message("later", "written by a replica that went on"))
        assert await running.written(THREAD, 10)
    async with opened(server.url) as restarted:
        assert [each["id"] for each in (await restarted.list_threads("ada")).threads] == [THREAD]
    assert await texts(server.url) == ["hello", "Grüße, 世界", "written by a replica that went on"]
    assert await rows(server.url, "SELECT id FROM signed_out") == [("revoked",)]
    assert client.run("ls") == "before.dump\nhistory.dump\ntables.list\n"


async def test_everything_brings_back_what_users_have_deleted(server: Server, tmp_path: Path) -> None:
    (dump,) = blocks("Dump")
    client = Client(server, tmp_path)
    client.run(dump)
    async with opened(server.url) as store:
        assert await store.delete_thread("ada", OTHER)
    *_, everything = blocks("Restore into the environment's server")
    client.run(everything)
    async with opened(server.url) as store:
        assert {each["id"] for each in (await store.list_threads("ada")).threads} == {THREAD, OTHER}


async def test_a_restore_that_fails_changes_nothing(server: Server, tmp_path: Path) -> None:
    (dump,) = blocks("Dump")
    client = Client(server, tmp_path)
    client.run(dump)
    async with opened(server.url) as store:
        await stored(store, "ada", THIRD[:-1] + "4", "newer than the dump")
    # An object of another owner depends on a table, so the chat's role cannot drop it.
    await server.run("CREATE VIEW report AS SELECT count(*) FROM threads")
    *_, everything = blocks("Restore into the environment's server")
    with pytest.raises(AssertionError, match="report"):
        client.run(everything)
    async with opened(server.url) as store:
        assert len((await store.list_threads("ada")).threads) == 3


async def test_a_dump_of_older_tables_is_migrated_at_the_next_start(
    postgres_server: str, other_server: str, tmp_path: Path
) -> None:
    source = await deployed(postgres_server)
    database = Database(source.url)

    def upgrade(connection: Connection) -> None:
        config = alembic.config.Config()
        config.set_main_option("script_location", str(tables.MIGRATIONS))
        config.attributes["connection"] = connection
        alembic.command.upgrade(config, "0001")

    async with database.engine.begin() as connection:
        await connection.run_sync(upgrade)
        for statement in (
            "INSERT INTO users VALUES ('u', 'ada', '2026-01-01T00:00:00Z', '{}')",
            """INSERT INTO threads (id, "createdAt", name, "userId", "userIdentifier", metadata)
            VALUES ('old', '2026-01-01T00:00:00Z', 'an old one', 'u', 'ada', '{}')""",
            """INSERT INTO steps (id, "threadId", "createdAt", output, name, type, streaming, metadata, generation)
            VALUES ('s', 'old', '2026-01-02T00:00:00Z', 'of January', 'ada', 'user_message', false, '{}', '{}')""",
        ):
            await connection.execute(text(statement))
    await database.close()
    Client(source, tmp_path).run(blocks("Dump")[0])
    successor = await deployed(other_server)
    *_, everything = blocks("Restore into the environment's server")
    Client(successor, tmp_path).run(everything)
    assert "updatedAt" not in await columns(successor, "threads")
    async with opened(successor.url) as store:
        (listed,) = (await store.list_threads("ada")).threads
        assert (listed["id"], listed["name"], listed["createdAt"]) == ("old", "an old one", "2026-01-02T00:00:00Z")
        assert await store.delete_thread("ada", "old")
    assert "updatedAt" in await columns(successor, "threads")
    assert await rows(successor.url, "SELECT id FROM deleted_threads") == [("old",)]
    assert await version(successor) == tables.COMPATIBLE
