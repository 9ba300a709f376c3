"""Signing in and out, and what belongs to whom: every id is somebody's, and nobody else's."""

import asyncio
import json
import re
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import socketio

from support.chat.databases import wire
from support.chat.processes import Running, chat
from support.chat.signed_in import SECRET, SIGN_IN, USERS, cookie, opened, signed_in, started, threads, until

PUBLIC = "https://chat.example.com"


@pytest.fixture(scope="module")
def kept(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An application with sign-in and history."""
    folder = tmp_path_factory.mktemp("kept")
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as running:
        yield running


@pytest.fixture(scope="module")
def encrypted(scripted: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """An application that browsers reach over https."""
    with chat(scripted.url, tmp_path_factory.mktemp("https"), public_url=PUBLIC, **SIGN_IN) as running:
        yield running


def audited(app: Running, **wanted: str) -> list[dict[str, Any]]:
    """The audit lines with some values."""
    lines = [json.loads(line) for line in app.text().splitlines() if line.startswith("{")]
    found = [line for line in lines if line["logger"] == "kaito_chat.audit"]
    return [line for line in found if all(line.get(key) == value for key, value in wanted.items())]


def token(**claims: object) -> str:
    """A sign-in of ada's with other claims."""
    now = datetime.now(UTC)
    usual = {"identifier": "ada", "metadata": {}, "iat": now, "exp": now + timedelta(hours=1), "jti": uuid.uuid4().hex}
    return jwt.encode(usual | claims, SECRET, algorithm="HS256")


def status(app: Running, value: str) -> int:
    return httpx.get(app.url + "/user", headers={"cookie": f"access_token={value}"}).status_code


def test_cookies_of_https_are_secure_and_the_browser_keeps_to_https(encrypted: Running) -> None:
    answer = httpx.post(encrypted.url + "/login", data={"username": "ada", "password": USERS["ada"]})
    set_cookies = answer.headers.get_list("set-cookie")
    assert set_cookies
    assert all("Secure" in each and "HttpOnly" in each and "SameSite=lax" in each for each in set_cookies)
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    sticky = httpx.post(encrypted.url + "/set-session-cookie", json={"session_id": str(uuid.uuid4())})
    assert "Secure" in sticky.headers["set-cookie"]


def test_cookies_of_http_are_not_secure_or_no_browser_would_send_them(kept: Running) -> None:
    answer = httpx.post(kept.url + "/login", data={"username": "ada", "password": USERS["ada"]})
    assert "Secure" not in answer.headers["set-cookie"]
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({}, 200),
        ({"iat": timedelta(seconds=40)}, 200),
        ({"exp": timedelta(seconds=-20)}, 200),
        ({"iat": timedelta(hours=1)}, 401),
        ({"exp": timedelta(hours=-1)}, 401),
        ({"iat": timedelta(days=-16), "exp": timedelta(days=300)}, 401),
        ({"identifier": None}, 401),
        ({"exp": "soon"}, 401),
        ({"iat": None}, 401),
    ],
    ids=range(9),
)
def test_a_token_holds_for_its_lifetime_and_a_minute_of_difference_between_clocks(
    kept: Running, claims: dict[str, object], expected: int
) -> None:
    now = datetime.now(UTC)
    given = {name: now + value if isinstance(value, timedelta) else value for name, value in claims.items()}
    assert status(kept, token(**given)) == expected


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # of the forged token
@pytest.mark.parametrize("header", ["none", "HS384", "forged"])
def test_a_token_of_another_kind_signs_nobody_in(kept: Running, header: str) -> None:
    payload = jwt.decode(token(), SECRET, ["HS256"])
    forged = {
        "none": lambda: jwt.encode(payload, "", algorithm="none"),
        "HS384": lambda: jwt.encode(payload, SECRET, algorithm="HS384"),
        "forged": lambda: jwt.encode(payload, SECRET[::-1], algorithm="HS256"),
    }[header]()
    assert status(kept, forged) == 401


async def test_a_token_does_not_renew_itself(kept: Running) -> None:
    client = await signed_in(kept)
    value = client.cookies["access_token"]
    for method, path in (("POST", "/auth/jwt"), ("GET", "/user"), ("POST", "/auth/header")):
        answer = await client.request(method, path, headers={"authorization": f"Bearer {value}"})
        assert "access_token" not in answer.headers.get("set-cookie", "")
    await client.aclose()


async def test_signing_out_ends_the_token_its_pages_and_its_answers(folder: Path, scripted: Running) -> None:
    database = f"sqlite:///{folder}/history.db"
    with (
        chat(scripted.url, folder, database_url=database, **SIGN_IN) as here,
        chat(scripted.url, folder, database_url=database, **SIGN_IN) as there,
    ):
        client = await signed_in(here)
        stolen = client.cookies["access_token"]
        assert (status(here, stolen), status(there, token())) == (200, 200)
        page = await opened(here, client)
        await page.say("count to 3000")
        await page.first_text()
        assert (await client.post("/logout")).is_success
        await page.end_of_turn(5)
        heard = await page.ask("hello")
        assert (heard.answer, heard.notice) == (None, "signed_out")
        assert (status(here, stolen), status(there, stolen)) == (401, 401)
        thief = httpx.AsyncClient(base_url=here.url, cookies={"access_token": stolen})
        with pytest.raises(socketio.exceptions.ConnectionError):
            await opened(here, thief)
        await thief.aclose()
        assert audited(here, action="sign_out", user="ada", outcome="ok")
        await page.close()
        await client.aclose()


async def test_failed_sign_ins_are_limited_counted_and_logged(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, **SIGN_IN) as app:
        async with httpx.AsyncClient(base_url=app.url, timeout=30) as client:

            async def attempt(name: str, password: str) -> httpx.Response:
                return await client.post("/login", data={"username": name, "password": password})

            answers = await asyncio.gather(*(attempt("ada", f"guess {number}") for number in range(30)))
            statuses = [answer.status_code for answer in answers]
            assert (statuses.count(401), statuses.count(429)) == (10, 20)
            limited = await attempt("ada", USERS["ada"])
            assert limited.status_code == 429
            assert re.search(r"Try again in \d+ s", limited.json()["detail"])
            assert 0 < int(limited.headers["retry-after"]) <= 300
            german = await client.post(
                "/login", data={"username": "ada", "password": "x"}, headers={"accept-language": "de-DE"}
            )
            assert german.json()["detail"] != limited.json()["detail"]
            assert (await attempt("grace", USERS["grace"])).is_success, "others sign in all the same"
            for odd in ("x" * 5000, "a\0b", "ü" * 10, ""):
                assert (await attempt(odd, odd)).status_code in (401, 422)
        assert len(audited(app, action="sign_in", user="ada", outcome="failed")) == 10
        assert audited(app, action="sign_in", user="grace", outcome="ok")
        assert 'kaito_chat_sign_ins_total{outcome="failed"}' in app.metrics()
        assert 'kaito_chat_sign_ins_total{outcome="limited"}' in app.metrics()
        assert "guess" not in app.text()


async def test_feedback_is_for_ones_own_conversations(kept: Running) -> None:
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
    async with wire(postgres_url) as (between, url), started(scripted.url, folder, database_url=url, **SIGN_IN) as app:
        ada, grace = await signed_in(app), await signed_in(app, "grace")
        page = await opened(app, ada)
        await page.ask("only for me")
        await between.cut()
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
        await between.open()
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
