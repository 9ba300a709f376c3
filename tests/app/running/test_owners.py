"""Ids of conversations, messages and feedback: each belongs to one user, and no other user reaches it."""

import asyncio
import json
import re
import time
import uuid
from pathlib import Path

import httpx
import pytest
import socketio

from kaito_chat.texts import texts_for
from support.chat.audits import audited
from support.chat.databases import proxied
from support.chat.processes import Running, chat
from support.chat.signed_in import SIGN_IN, cookie, opened, signed_in, started, threads
from support.chat.waiting import until


async def test_feedback_is_restricted_to_the_users_conversations(kept: Running) -> None:
    ada, grace = await signed_in(kept), await signed_in(kept, "grace")
    page = await opened(kept, ada)
    await page.ask("hello")
    answer = next(each for each in page.messages.values() if each["type"] != "user_message")
    feedback: dict[str, object] = {"forId": answer["id"], "threadId": page.thread_id, "value": 1}
    body = {"feedback": feedback, "sessionId": page.session_id}
    assert (await grace.put("/feedback", json=body)).status_code == 404
    given = await ada.put("/feedback", json=body)
    assert given.is_success
    feedback_id = {"feedbackId": given.json()["feedbackId"]}
    assert (await grace.request("DELETE", "/feedback", json=feedback_id)).status_code == 404
    stolen = {"feedback": feedback | {"id": feedback_id["feedbackId"], "value": 0}, "sessionId": "x"}
    assert (await grace.put("/feedback", json=stolen)).status_code == 404
    assert (await ada.request("DELETE", "/feedback", json=feedback_id)).is_success
    unknown = {"feedback": feedback | {"forId": str(uuid.uuid4())}, "sessionId": page.session_id}
    assert (await ada.put("/feedback", json=unknown)).status_code == 404
    assert audited(kept, action="feedback", user="grace", outcome="refused")
    assert audited(kept, action="feedback", user="ada", outcome="ok")
    await page.close()
    for client in (ada, grace):
        await client.aclose()


async def test_a_conversation_of_another_user_is_not_there(kept: Running) -> None:
    ada, grace = await signed_in(kept), await signed_in(kept, "grace")
    page = await opened(kept, ada)
    await page.ask("only for me")
    thread = page.thread_id
    for method, path, body in (
        ("GET", f"/project/thread/{thread}", None),
        ("PUT", "/project/thread", {"threadId": thread, "name": "mine"}),
        ("DELETE", "/project/thread", {"threadId": thread}),
        ("GET", f"/project/thread/{uuid.uuid4()}", None),
        ("DELETE", "/project/thread", {"threadId": str(uuid.uuid4())}),
    ):
        assert (await grace.request(method, path, json=body)).status_code == 404
    german = await grace.get(f"/project/thread/{thread}", headers={"accept-language": "de-AT"})
    assert german.json()["detail"] == texts_for("de-DE").say("notice.not_found")
    for how in ({"thread_id": thread}, {"session_id": page.session_id}):
        with pytest.raises(socketio.exceptions.ConnectionError):
            await opened(kept, grace, **how)
    assert (await ada.get(f"/project/thread/{thread}")).json()["name"] == "only for me"
    await page.close()
    for client in (ada, grace):
        await client.aclose()


async def test_a_message_id_of_another_conversation_writes_nothing_there(kept: Running) -> None:
    ada, grace = await signed_in(kept), await signed_in(kept, "grace")
    page = await opened(kept, ada)
    identifier = await page.say("the original")
    await page.end_of_turn()
    other = await opened(kept, grace)
    await other.send("client_message", {"message": {"id": identifier, "output": "overwritten"}})
    await other.end_of_turn()
    await other.send("edit_message", {"message": {"id": identifier, "output": "overwritten"}})
    await asyncio.sleep(1)
    steps = (await ada.get(f"/project/thread/{page.thread_id}")).json()["steps"]
    assert [step["output"] for step in steps if step["id"] == identifier] == ["the original"]
    for each in (page, other):
        await each.close()
    for client in (ada, grace):
        await client.aclose()


async def test_a_thread_id_is_refused_while_nobody_can_tell_whose_it_is(
    folder: Path, scripted: Running, postgres_url: str
) -> None:
    async with proxied(postgres_url) as (proxy, url), started(scripted.url, folder, database_url=url, **SIGN_IN) as app:
        ada, grace = await signed_in(app), await signed_in(app, "grace")
        page = await opened(app, ada)
        await page.ask("only for me")
        await proxy.cut()
        with pytest.raises(socketio.exceptions.ConnectionError):
            await opened(app, grace, thread_id=page.thread_id)
        fresh = await opened(app, grace)
        assert (await fresh.ask("hello")).answer
        for method, path, body in (
            ("DELETE", "/project/thread", {"threadId": page.thread_id}),
            ("PUT", "/project/thread", {"threadId": page.thread_id, "name": "x"}),
        ):
            assert (await ada.request(method, path, json=body)).status_code == 503
        assert [len(audited(app, action=action, outcome="failed")) for action in ("delete", "rename")] == [1, 1]
        await proxy.open()
        await until(lambda: "kaito_chat_history_pending 0.0" in app.metrics())
        assert await threads(ada) == [page.thread_id]
        assert await threads(grace) == [fresh.thread_id]
        for each in (page, fresh):
            await each.close()
        for client in (ada, grace):
            await client.aclose()


async def test_the_audit_says_who_did_what_and_never_what_was_said(kept: Running) -> None:
    client = await signed_in(kept)
    page = await opened(kept, client)
    await page.ask("a very private matter")
    await client.put("/project/thread", json={"threadId": page.thread_id, "name": "a private title"})
    await client.request("DELETE", "/project/thread", json={"threadId": page.thread_id})
    for action in ("question", "rename", "delete"):
        (line,) = audited(kept, action=action, thread_id=page.thread_id)
        assert (line["user"], line["outcome"]) == ("ada", "ok")
        assert line["time"]
    assert "private" not in kept.text()
    await page.close()
    await client.aclose()


async def test_the_audit_does_not_depend_on_the_level_of_the_logs(scripted: Running, folder: Path) -> None:
    async with started(scripted.url, folder, log_level="ERROR", **SIGN_IN) as app:
        client = await signed_in(app)
        page = await opened(app, client)
        await page.ask("hello")
        for action in ("sign_in", "question"):
            assert [line["outcome"] for line in audited(app, action=action, user="ada")] == ["ok"]
        assert {json.loads(line)["logger"] for line in app.text().splitlines()} == {"kaito_chat.audit"}
        await page.close()
        await client.aclose()


async def test_a_conversation_that_is_deleted_while_it_is_answered_ends_and_is_gone(kept: Running) -> None:
    client = await signed_in(kept)
    page = await opened(kept, client)
    await page.say("count to 3000")
    await page.first_text()
    await until(lambda: page.thread_id)
    began = time.monotonic()
    assert (await client.request("DELETE", "/project/thread", json={"threadId": page.thread_id})).is_success
    await page.end_of_turn(5)
    assert time.monotonic() - began < 5
    await asyncio.sleep(0.5)
    assert page.thread_id not in await threads(client)
    await page.close()
    await client.aclose()


async def test_everything_works_below_a_path(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, root_path="/chat", database_url=f"sqlite:///{folder}/h.db", **SIGN_IN) as app:
        below = app._replace(url=app.url + "/chat")
        client = await signed_in(below)
        page = await opened(below, client)
        assert (await page.ask("hello")).answer
        assert len(await threads(client)) == 1
        html = (await client.get("/")).text
        addresses = re.findall(r'(?:href|src)="(/[^"]*)"', html)
        assert addresses
        assert all(address.startswith("/chat/") for address in addresses)
        for address in addresses:
            assert httpx.get(app.url + address).is_success, address
        for path in ("/", "/login", "/public/icon.svg", "/chatter", "/status"):
            assert httpx.get(app.url + path).status_code == 404
        assert cookie(client)
        await page.close()
        await client.aclose()


async def test_a_page_whose_sign_in_ended_changes_nothing(kept: Running) -> None:
    client = await signed_in(kept)
    page = await opened(kept, client)
    question = await page.say("hello")
    await page.end_of_turn()
    await client.post("/logout")
    assert (await page.ask("said after signing out")).notice == "signed_out"
    await page.edit(question, "edited after signing out")
    assert (await page.end_of_turn()).notice == "signed_out"
    again = await signed_in(kept)
    steps = (await again.get(f"/project/thread/{page.thread_id}")).json()["steps"]
    outputs = [step["output"] for step in steps if "message" in step["type"]]
    assert (len(outputs), outputs[0]) == (2, "hello")
    await page.close()
    for each in (client, again):
        await each.aclose()
