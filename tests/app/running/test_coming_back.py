"""Pages that lose their connection, are reloaded, or reconnect to another process: nothing is lost or doubled."""

import asyncio
from functools import partial
from pathlib import Path

import httpx
import pytest

from kaito_chat.chainlit_client import Page
from support.chat.pages import Hostile
from support.chat.processes import Running, chat
from support.chat.signed_in import SIGN_IN, cookie, opened, signed_in, threads
from support.chat.waiting import until

NUMBERS = " ".join(str(number) for number in range(1, 601))


def shown(page: Page) -> list[str]:
    """Return the texts of the messages that a page shows."""
    return [str(message["output"]) for message in page.messages.values()]


@pytest.mark.parametrize("show_seconds", [0, 0.2], ids=["at-once", "slow-page"])
async def test_a_disconnect_during_an_answer_loses_no_text(
    folder: Path, scripted: Running, show_seconds: float
) -> None:
    with chat(scripted.url, folder, disconnect_grace_seconds="10") as app:
        page = await opened(app)
        await page.say("count to 600")
        await page.first_text()
        await page.cut()
        await asyncio.sleep(0.5)
        back = await opened(app, session_id=page.session_id, show_seconds=show_seconds)
        await until(lambda: back.heard.answer)
        assert back.heard.answer == NUMBERS
        assert back.heard.text == NUMBERS, "the page shows the text from its beginning"
        assert "answer 2." in ((await back.ask("hello")).answer or "")
        await back.close()


async def test_a_page_that_connects_twice_before_it_is_ready_gets_the_answers_of_its_conversation(
    folder: Path, scripted: Running
) -> None:
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as app:
        client = await signed_in(app)
        first = await opened(app, client)
        assert "answer 1." in ((await first.ask("hello")).answer or "")
        await first.close()
        silent = Hostile(app.url, cookie=cookie(client), thread_id=first.thread_id, show_seconds=60)
        opening = asyncio.create_task(silent.open())
        await until(lambda: silent.connected)
        await silent.cut()
        opening.cancel()
        back = await opened(app, client, session_id=silent.session_id, thread_id=first.thread_id)
        await until(lambda: back.resumed)
        assert "answer 2." in ((await back.ask("hello")).answer or "")
        await back.close()
        await client.aclose()


async def test_an_edit_that_arrives_before_the_page_is_ready_is_shown(app: Running) -> None:
    page = await opened(app)
    question = await page.say("hello")
    await page.end_of_turn()
    await page.cut()
    back = Hostile(app.url, session_id=page.session_id, show_seconds=0.5)
    opening = asyncio.create_task(back.open())
    await until(lambda: back.connected)
    await back.edit(question, "hello again")
    await opening
    await until(lambda: question in back.messages)
    assert back.messages[question]["output"] == "hello again"
    assert "answer 1." in ((await back.end_of_turn()).answer or "")
    await back.close()


async def test_stop_stays_available_after_a_reconnect(app: Running) -> None:
    page = await opened(app)
    await page.say("count to 3000")
    await page.first_text()
    await page.cut()
    back = await opened(app, session_id=page.session_id)
    await until(lambda: back.states)
    await back.first_text()
    assert back.states[-1] == "task_start", "the page shows Stop between task_start and task_end"
    await back.stop()
    await until(lambda: back.heard.answer)
    assert back.states[-1] == "task_end"
    await back.close()


async def test_an_answer_that_ended_during_a_disconnect_is_shown_with_its_buttons(app: Running) -> None:
    page = await opened(app)
    await page.say("count to 40")
    await page.first_text()
    await page.cut()
    await asyncio.sleep(1)
    back = await opened(app, session_id=page.session_id)
    await until(lambda: back.heard.answer)
    assert back.heard.actions == ["regenerate"]
    assert back.states[-1] == "task_end"
    await back.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder}/history.db"
    return str(request.getfixturevalue("postgres_url"))


async def test_a_resumed_conversation_is_not_duplicated_by_a_reconnect(folder: Path, scripted: Running) -> None:
    database = f"sqlite:///{folder}/history.db"
    with chat(scripted.url, folder, database_url=database, **SIGN_IN) as app:
        client = await signed_in(app)
        first = await opened(app, client)
        assert "answer 1." in ((await first.ask("hello")).answer or "")
        await first.close()
        page = await opened(app, client, thread_id=first.thread_id)
        assert page.resumed
        for number in (2, 3, 4):
            assert f"answer {number}." in ((await page.ask("hello")).answer or "")
            await page.cut()
            page = await opened(app, client, thread_id=page.thread_id, session_id=page.session_id)
            await until(partial(getattr, page, "states"))
        assert "answer 5." in ((await page.ask("hello")).answer or "")
        await page.close()
        await client.aclose()


async def test_a_reload_during_an_answer_shows_the_partial_answer_and_offers_to_continue(
    folder: Path, scripted: Running, database: str
) -> None:
    with chat(scripted.url, folder, database_url=database, **SIGN_IN) as app:
        client = await signed_in(app)
        page = await opened(app, client)
        await page.say("count to 3000")
        await page.first_text()
        await until(lambda: page.thread_id)
        await asyncio.sleep(0.5)
        await page.close()  # a reload closes the session and opens another one
        back = await opened(app, client, thread_id=page.thread_id)
        assert back.resumed
        await until(lambda: {each["name"] for each in back.actions} == {"continue", "regenerate"})
        outputs = [step["output"] for step in back.resumed["steps"] if "message" in step["type"]]
        assert outputs[0] == "count to 3000"
        assert outputs[1].startswith("1 2 3 ")
        assert "3000" not in outputs[1]
        answer = await client.post(
            "/project/action",
            json={"sessionId": back.session_id, "action": next(a for a in back.actions if a["name"] == "continue")},
        )
        assert answer.is_success
        assert (await back.ask("hello")).answer
        await back.close()
        await client.aclose()


async def stored_answer(client: httpx.AsyncClient, thread_id: str) -> str:
    """Return as much of an answer as the history has."""
    steps = (await client.get(f"/project/thread/{thread_id}")).json().get("steps", [])
    return "".join(step["output"] for step in steps if step["type"] == "assistant_message")


async def test_a_killed_process_keeps_what_was_shown(folder: Path, scripted: Running, database: str) -> None:
    with chat(scripted.url, folder, database_url=database, **SIGN_IN) as app:
        client = await signed_in(app)
        page = await opened(app, client)
        await page.say("count to 3000")
        await page.first_text()
        await until(lambda: page.thread_id)
        async with asyncio.timeout(30):
            while len(await stored_answer(client, page.thread_id)) < len("1 ") * 400:
                await asyncio.sleep(0.2)
        app.process.kill()
        app.process.wait(10)
        await page.close(forget=False)
        await client.aclose()
    with chat(scripted.url, folder, database_url=database, **SIGN_IN) as app:
        client = await signed_in(app)
        (thread,) = await threads(client)
        back = await opened(app, client, thread_id=thread)
        assert back.resumed
        outputs = [step["output"] for step in back.resumed["steps"] if "message" in step["type"]]
        assert outputs[0] == "count to 3000"
        assert len(outputs[1].split()) > 100
        await until(lambda: {each["name"] for each in back.actions} == {"continue", "regenerate"})
        assert back.heard.notice == "interrupted"
        await back.close()
        await client.aclose()


@pytest.mark.parametrize("told", [True, False], ids=["told", "not-told"])
async def test_after_a_restart_the_page_continues_its_conversation(
    folder: Path, scripted: Running, database: str, *, told: bool
) -> None:
    with chat(scripted.url, folder, database_url=database, **SIGN_IN) as app:
        client = await signed_in(app)
        page = await opened(app, client)
        assert "answer 1." in ((await page.ask("hello")).answer or "")
        assert app.stop() == 0
        await page.close(forget=False)
        await client.aclose()
    with chat(scripted.url, folder, database_url=database, **SIGN_IN) as app:
        client = await signed_in(app)
        back = await opened(app, client, session_id=page.session_id, thread_id=page.thread_id if told else "")
        await until(lambda: back.resumed)
        assert "answer 2." in ((await back.ask("hello")).answer or "")
        assert await threads(client) == [page.thread_id]
        await back.close()
        await client.aclose()


async def test_without_history_a_page_that_outlives_its_session_is_told(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder) as app:
        page = await opened(app)
        assert "answer 1." in ((await page.ask("hello")).answer or "")
        app.stop()
        await page.close(forget=False)
    with chat(scripted.url, folder) as app:
        back = await opened(app, session_id=page.session_id, thread_id=page.thread_id)
        await back.hears("forgotten")
        assert any("no longer knows the conversation above" in text for text in shown(back))
        assert "answer 1." in ((await back.ask("hello")).answer or "")
        await back.close()


async def test_a_new_page_gets_no_such_notice(app: Running) -> None:
    page = await opened(app)
    await page.ask("hello")
    assert page.heard.notice is None
    await page.close()


async def test_a_conversation_that_is_deleted_at_one_replica_stays_deleted_at_the_other(
    folder: Path, scripted: Running, postgres_url: str
) -> None:
    with (
        chat(scripted.url, folder, database_url=postgres_url, **SIGN_IN) as here,
        chat(scripted.url, folder, database_url=postgres_url, **SIGN_IN) as there,
    ):
        ada, elsewhere = await signed_in(here), await signed_in(there)
        page = await opened(here, ada)
        await page.ask("hello")
        await until(lambda: page.thread_id)
        deleted = await elsewhere.request("DELETE", "/project/thread", json={"threadId": page.thread_id})
        assert deleted.is_success
        assert (await page.ask("still there?")).answer
        await page.hears("history_deleted")
        assert await threads(ada) == []
        assert (await ada.get(f"/project/thread/{page.thread_id}")).status_code == 404
        await page.close()
        assert await threads(elsewhere) == []
        for client in (ada, elsewhere):
            await client.aclose()


async def test_a_page_reopened_after_a_disconnect_shows_the_partial_answer(folder: Path, scripted: Running) -> None:
    database = f"sqlite:///{folder}/history.db"
    with chat(scripted.url, folder, disconnect_grace_seconds="30", database_url=database, **SIGN_IN) as app:
        client = await signed_in(app)
        page = await opened(app, client)
        await page.say("count to 3000")
        await page.first_text()
        await until(lambda: page.thread_id)
        await page.cut()
        await asyncio.sleep(0.3)
        back = await opened(app, client, thread_id=page.thread_id)
        await until(lambda: {each["name"] for each in back.actions} == {"continue", "regenerate"})
        assert back.resumed
        outputs = [step["output"] for step in back.resumed["steps"] if "message" in step["type"]]
        assert outputs[1].startswith("1 2 3 ")
        await back.close()
        await client.aclose()
