"""The history of a running application: lost database, conversation deleted at another replica, killed process."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from kaito_chat.chainlit_client import Page
from support.chat.databases import FlakyProxy, opened, proxied
from support.chat.processes import Running, chat, engine, misbehaving
from support.chat.waiting import until

SIGN_IN = {
    "sign_in": "password",
    "password_users": json.dumps({"ada": "not-a-secret"}),
    "auth_secret": "0123456789abcdef0123456789abcdef",
}
PENDING = "kaito_chat_history_pending"


@asynccontextmanager
async def begun(context: AbstractContextManager[Running]) -> AsyncIterator[Running]:
    """Start a program without blocking the proxy in this event loop."""
    running = await asyncio.to_thread(context.__enter__)
    try:
        yield running
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)


@asynccontextmanager
async def signed_in(app: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=app.url, timeout=20) as client:
        login = {"username": "ada", "password": "not-a-secret"}
        (await client.post("/login", data=login)).raise_for_status()
        yield client


def cookie(client: httpx.AsyncClient) -> str:
    return "; ".join(f"{key}={value}" for key, value in client.cookies.items())


def notices(page: Page) -> list[str]:
    marks = ((each.get("metadata") or {}).get("kaito_chat", {}) for each in page.messages.values())
    return [mark["notice"] for mark in marks if mark.get("notice")]


async def said(url: str, thread_id: str) -> list[str]:
    """Return the stored part of a conversation."""
    async with opened(url, migrate=False) as store:
        thread = await store.get_thread(thread_id, "ada")
    return [step["output"] for step in (thread or {}).get("steps", []) if "message" in step["type"]]


@pytest.fixture
async def proxied_database(postgres_url: str) -> AsyncIterator[tuple[FlakyProxy, str]]:
    async with proxied(postgres_url) as (proxy, url):
        yield proxy, url


async def test_questions_during_a_database_outage_are_answered_with_a_notice_and_stored_afterwards(
    scripted: Running, folder: Path, postgres_url: str, proxied_database: tuple[FlakyProxy, str]
) -> None:
    proxy, url = proxied_database
    async with begun(chat(scripted.url, folder, database_url=url, **SIGN_IN)) as app, signed_in(app) as client:
        page = Page(app.url, cookie=cookie(client))
        await page.open()
        assert (await page.ask("before")).answer
        await until(lambda: app.metric(PENDING) == 0)
        await proxy.cut()
        for question in ("during one", "during two"):
            assert (await page.ask(question)).answer
        await until(lambda: "history_late" in notices(page))
        status = (await client.get("/status")).json()
        assert status["unsaved"] > 0
        assert status["history_away"]
        assert app.metric(PENDING) > 0
        assert app.metric("kaito_chat_history_oldest_pending_seconds") > 1
        named: dict[str, Any] = {"threadId": page.thread_id}
        for answer in (
            await client.post("/project/threads", json={"pagination": {"first": 20}, "filter": {}}),
            await client.get(f"/project/thread/{page.thread_id}"),
            await client.put("/project/thread", json={**named, "name": "renamed"}),
            await client.request("DELETE", "/project/thread", json=named),
        ):
            assert answer.status_code == 503, answer.request
        await proxy.open()
        await until(lambda: "history_late" not in notices(page))
        assert (await page.ask("after")).answer
        await page.close()
        await until(lambda: app.metric(PENDING) == 0)
        texts = await said(postgres_url, page.thread_id)
        assert texts[::2] == ["before", "during one", "during two", "after"]
        assert all(text.startswith("This is answer") for text in texts[1::2])
        assert (await client.get("/status")).json()["unsaved"] == 0


async def test_a_conversation_deleted_on_another_replica_stays_deleted(
    scripted: Running, folder: Path, postgres_url: str
) -> None:
    async with AsyncExitStack() as stack:
        here, there = [
            await stack.enter_async_context(begun(chat(scripted.url, folder, database_url=postgres_url, **SIGN_IN)))
            for _ in range(2)
        ]
        client = await stack.enter_async_context(signed_in(here))
        page = Page(here.url, cookie=cookie(client))
        await page.open()
        assert (await page.ask("forget this")).answer
        await until(lambda: here.metric(PENDING) == 0)
        elsewhere = await stack.enter_async_context(signed_in(there))
        deleted = await elsewhere.request("DELETE", "/project/thread", json={"threadId": page.thread_id})
        assert deleted.is_success
        assert (await page.ask("and this")).answer
        await until(lambda: "history_deleted" in notices(page))
        await page.close()
        await until(lambda: here.metric(PENDING) == 0)
        assert await said(postgres_url, page.thread_id) == []
        listed = await client.post("/project/threads", json={"pagination": {"first": 20}, "filter": {}})
        assert listed.json()["data"] == []


async def test_a_process_killed_during_an_answer_has_stored_what_it_showed(folder: Path, postgres_url: str) -> None:
    slow = engine(folder, token_milliseconds=60)
    async with begun(slow) as model, begun(chat(model.url, folder, database_url=postgres_url, **SIGN_IN)) as app:
        async with signed_in(app) as client:
            page = Page(app.url, cookie=cookie(client))
            await page.open()
            await page.say("a long answer, please")
            await page.first_text()
            async with asyncio.timeout(30):
                while "paragraph 1" not in "".join(await said(postgres_url, page.thread_id)):
                    await asyncio.sleep(0.2)
            app.process.kill()
            await page.close(forget=False)
        question, partial = await said(postgres_url, page.thread_id)
        assert question == "a long answer, please"
        assert "paragraph 1" in partial
        assert len(partial) > len(page.heard.text) / 4
        assert page.heard.text.startswith(partial)


async def test_a_process_killed_while_the_model_thinks_has_stored_the_thinking(folder: Path) -> None:
    database = f"sqlite:///{folder}/history.db"
    async with begun(misbehaving(folder)) as model:
        async with begun(chat(model.url, folder, database_url=database, **SIGN_IN)) as app, signed_in(app) as client:
            page = Page(app.url, cookie=cookie(client))
            await page.open()
            await page.say("fault: slow-thinking q")

            async def thinking() -> str:
                steps = (await client.get(f"/project/thread/{page.thread_id}")).json().get("steps", [])
                return "".join(step["output"] for step in steps if step["type"] == "llm")

            async with asyncio.timeout(30):
                while "5 " not in await thinking():
                    await asyncio.sleep(0.2)
            app.process.kill()
            await page.close(forget=False)
        async with begun(chat(model.url, folder, database_url=database, **SIGN_IN)) as app, signed_in(app) as client:
            back = Page(app.url, cookie=cookie(client), thread_id=page.thread_id)
            await back.open()
            assert back.resumed
            (kept,) = [step for step in back.resumed["steps"] if step["type"] == "llm"]
            assert kept["output"].startswith("0 1 2 3 4 5 ")
            assert not kept["streaming"]
            await until(lambda: "interrupted" in notices(back))
            await back.close()


async def test_pending_writes_are_stored_before_a_graceful_shutdown(
    scripted: Running, folder: Path, postgres_url: str, proxied_database: tuple[FlakyProxy, str]
) -> None:
    proxy, url = proxied_database
    async with begun(chat(scripted.url, folder, database_url=url, **SIGN_IN)) as app, signed_in(app) as client:
        page = Page(app.url, cookie=cookie(client))
        await page.open()
        await proxy.cut()
        assert (await page.ask("hello")).answer
        ended = asyncio.create_task(asyncio.to_thread(app.stop, 30))
        await asyncio.sleep(1)
        await proxy.open()
        assert await ended == 0
        await page.close()
        texts = await said(postgres_url, page.thread_id)
        assert texts[0] == "hello"
        assert texts[1].startswith("This is answer 1")
