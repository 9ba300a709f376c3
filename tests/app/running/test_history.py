"""The history behind sign-in, with SQLite and with PostgreSQL."""

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kaito_chat.chainlit_client import Page
from kaito_chat.history import HistoryError, open_history
from kaito_chat.settings import Settings
from support.chat.databases import fresh
from support.chat.processes import Running, chat
from support.chat.waiting import until

SIGN_IN = {
    "sign_in": "password",
    "password_users": json.dumps({"ada": "not-a-secret", "grace": "not-a-secret-either"}),
    "auth_secret": "0123456789abcdef0123456789abcdef",
}


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def kept(
    request: pytest.FixtureRequest, scripted: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("history")
    url = f"sqlite:///{folder}/history.db"
    if request.param == "postgresql":
        url = asyncio.run(fresh(request.getfixturevalue("postgres_server")))
    with chat(scripted.url, folder, database_url=url, **SIGN_IN) as running:
        yield running


async def sign_in(app: Running, name: str = "ada", word: str = "not-a-secret") -> httpx.AsyncClient:
    client = httpx.AsyncClient(base_url=app.url)
    answer = await client.post("/login", data={"username": name, "password": word})
    if answer.is_error:
        await client.aclose()
    answer.raise_for_status()
    await client.get("/user")
    return client


def cookie(client: httpx.AsyncClient) -> str:
    return "; ".join(f"{key}={value}" for key, value in client.cookies.items())


async def talk(app: Running, client: httpx.AsyncClient, *questions: str) -> Page:
    page = Page(app.url, cookie=cookie(client))
    await page.open()
    for question in questions:
        heard = await page.ask(question)
        assert heard.answer
    await until(lambda: app.metric("kaito_chat_history_pending") == 0)
    await page.close()
    return page


async def conversations(client: httpx.AsyncClient, search: str | None = None) -> list[dict[str, object]]:
    body = {"pagination": {"first": 50}, "filter": {"search": search} if search else {}}
    found: list[dict[str, object]] = (
        (await client.post("/project/threads", json=body)).raise_for_status().json()["data"]
    )
    return found


async def test_a_conversation_is_listed_and_resumed_with_its_context(kept: Running) -> None:
    client = await sign_in(kept)
    page = await talk(kept, client, "Define ünïcödé 模型.", "hello again")
    assert page.thread_id in [thread["id"] for thread in await conversations(client)]
    assert page.thread_id in [thread["id"] for thread in await conversations(client, "模型")]
    back = Page(kept.url, cookie=cookie(client), thread_id=page.thread_id)
    await back.open()
    assert back.resumed
    outputs = [step["output"] for step in back.resumed["steps"] if "message" in step["type"]]
    assert [output.split(".")[0][:16] for output in outputs] == [
        "Define ünïcödé 模",
        "This is answer 1",
        "hello again",
        "This is answer 2",
    ]
    assert "answer 3." in ((await back.ask("and now?")).answer or "")
    await back.close()
    await client.aclose()


async def test_a_conversation_is_deleted(kept: Running) -> None:
    client = await sign_in(kept)
    page = await talk(kept, client, "forget this")
    deleted = await client.request("DELETE", "/project/thread", json={"threadId": page.thread_id})
    assert deleted.is_success
    assert page.thread_id not in [thread["id"] for thread in await conversations(client)]
    await client.aclose()


async def test_an_answer_gets_feedback(kept: Running) -> None:
    client = await sign_in(kept)
    page = await talk(kept, client, "was this good?")
    step = next(
        each for each in page.messages.values() if "was this good" in each["output"] and each["type"] != "user_message"
    )
    body = {
        "feedback": {"forId": step["id"], "threadId": page.thread_id, "value": 1, "comment": "yes"},
        "sessionId": page.session_id,
    }
    assert (await client.put("/feedback", json=body)).is_success
    thread = (await client.get(f"/project/thread/{page.thread_id}")).raise_for_status().json()
    assert [each["feedback"]["comment"] for each in thread["steps"] if each.get("feedback")] == ["yes"]
    await client.aclose()


async def test_nobody_sees_the_conversations_of_others(kept: Running) -> None:
    ada, grace = await sign_in(kept), await sign_in(kept, "grace", "not-a-secret-either")
    page = await talk(kept, ada, "only for me")
    assert page.thread_id not in [thread["id"] for thread in await conversations(grace)]
    assert (await grace.get(f"/project/thread/{page.thread_id}")).status_code in (401, 403, 404)
    await ada.aclose()
    await grace.aclose()


async def test_a_wrong_password_is_refused(kept: Running) -> None:
    with pytest.raises(httpx.HTTPStatusError):
        await sign_in(kept, "ada", "wrong")
    with pytest.raises(httpx.HTTPStatusError):
        await sign_in(kept, "nobody", "")
    async with httpx.AsyncClient(base_url=kept.url) as client:
        assert (await client.get("/status")).status_code == 401
        assert (await client.get(kept.management + "/readyz")).status_code == 200


async def test_replicas_that_start_together_migrate_one_after_the_other(postgres_url: str) -> None:
    # Not by `open_history`, which imports Chainlit, which writes files when it is imported.
    from kaito_chat.history.database import Database  # noqa: PLC0415

    databases = [Database(postgres_url) for _ in range(8)]
    await asyncio.gather(*(database.migrate() for database in databases))
    for database in databases:
        await database.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [("127.0.0.1:1", "127.0.0.1:1 does not answer"), ("no-such-host.invalid", "no-such-host.invalid:5432 does not")],
)
async def test_an_unreachable_database_is_reported_without_its_password(address: str, words: str) -> None:
    settings = settings_for(f"postgresql://chat:topsecret@{address}/x")
    with pytest.raises(HistoryError, match=words) as raised:
        await open_history(settings, patience_seconds=0)
    assert "topsecret" not in str(raised.value)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # asyncpg leaves a refused socket open
async def test_a_wrong_database_password_is_not_retried(postgres_url: str) -> None:
    settings = settings_for(postgres_url.replace("not-a-secret", "topsecret"))
    with pytest.raises(HistoryError, match="refuses: password authentication failed") as raised:
        await open_history(settings, patience_seconds=60)
    assert "topsecret" not in str(raised.value)


async def test_each_connection_requests_its_own_entra_token(postgres_url: str) -> None:
    from kaito_chat.history.database import Database  # noqa: PLC0415

    asked: list[str] = []

    class Credential:
        async def get_token(self, *scopes: str, **_: object) -> object:
            asked.extend(scopes)
            return type("Token", (), {"token": "not-a-secret"})()

    url = f"{postgres_url.replace(':not-a-secret', '')}?sslmode=disable"  # the server of the tests has no certificate
    database = Database(url, Credential())  # type: ignore[arg-type]
    async with database.engine.connect(), database.engine.connect():
        pass
    await database.close()
    assert asked == ["https://ossrdbms-aad.database.windows.net/.default"] * 2


def settings_for(url: str) -> Settings:
    given = {"endpoint_url": "http://127.0.0.1:1", "database_url": url, **SIGN_IN}
    return Settings(**given)  # type: ignore[arg-type]


def test_sqlite_survives_a_restart(scripted: Running, folder: Path) -> None:
    async def count(app: Running) -> int:
        client = await sign_in(app)
        await talk(app, client, "hello")
        found = len(await conversations(client))
        await client.aclose()
        return found

    for expected in (1, 2):
        with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as app:
            assert asyncio.run(count(app)) == expected
            assert app.stop() == 0
    assert os.path.getsize(folder / "history.db") > 0  # noqa: PTH202
