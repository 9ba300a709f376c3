"""Packets, floods and leftovers that the page never produces: none harms other users."""

import asyncio
import json
import socket
import time
import uuid
from pathlib import Path
from typing import Any, Self

import aiohttp
import httpx
import pytest

from support.chat.processes import Running, chat
from support.chat.signed_in import SIGN_IN, cookie, opened, signed_in, threads
from support.chat.waiting import until


class Raw:
    """An Engine.IO connection that sends raw packets."""

    def __init__(self, url: str, cookies: str = "") -> None:
        self._url = url
        self._headers = {"cookie": cookies} if cookies else {}
        self.session_id = str(uuid.uuid4())

    async def __aenter__(self) -> Self:
        self._http = aiohttp.ClientSession()
        address = self._url + "/ws/socket.io/?EIO=4&transport=websocket"
        self.socket = await self._http.ws_connect(address, headers=self._headers, max_msg_size=0)
        await self.socket.receive()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.socket.close()
        await self._http.close()

    async def connect(self, session_id: str = "") -> str:
        self.session_id = session_id or self.session_id
        await self.socket.send_str("40" + json.dumps({"sessionId": self.session_id, "threadId": ""}))
        answer = (await self.socket.receive()).data
        await self.event("connection_successful")
        return str(answer)

    async def event(self, *event: object) -> None:
        await self.socket.send_str("42" + json.dumps(event))

    async def ask(self, question: str, identifier: str = "") -> str:
        identifier = identifier or str(uuid.uuid4())
        await self.event("client_message", {"message": {"id": identifier, "output": question}})
        return identifier

    async def hear(self, seconds: float) -> list[list[Any]]:
        """Return the events that arrive in some seconds."""
        heard = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self.socket.receive(), left)
            except TimeoutError:
                break
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            if message.data.startswith("42"):
                heard.append(json.loads(message.data[2:]))
        return heard


async def test_a_page_cannot_call_the_handlers_of_connections(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder) as app:
        async with Raw(app.url) as page:
            await page.connect()
            for _ in range(50):
                await page.event("connect", {}, {"sessionId": str(uuid.uuid4()), "threadId": ""})
            await page.event("disconnect")
            await page.ask("hello")
            heard = await page.hear(2)
            assert app.metric("kaito_chat_sessions") == 1
            assert any(event[0] == "new_message" for event in heard)


async def test_a_connection_without_a_session_sends_no_large_packets(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, **SIGN_IN) as app:
        before = app.measure().memory_info().rss
        async with Raw(app.url) as stranger:
            await stranger.socket.send_str('42["x",[' + ",".join(["[]"] * 5_000_000) + "]]")
            await asyncio.sleep(0.2)
            began = time.monotonic()
            async with httpx.AsyncClient() as client:
                assert (await client.get(app.management + "/livez", timeout=20)).is_success
            assert time.monotonic() - began < 0.3
            assert app.measure().memory_info().rss - before < 60 * 2**20


PACKETS = ["42[]", "42{}", '42"x"', "42[null]", '42[["a"]]', '42[{"a":1}]', "43[]", "441", "45", "4", "49", "6", "9"]
PACKETS += [
    '42["connection_successful",1,2,3]',
    '42["client_message",1,2,3]',
    f'42["stop",{"9" * 9000}]',
    "42" + "[" * 9999,
]


async def test_a_malformed_packet_logs_one_line_at_most(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder) as app:
        async with Raw(app.url) as page:
            await page.connect()
            for packet in PACKETS:
                await page.socket.send_str(packet)
            await asyncio.sleep(1)
        assert "Traceback" not in app.text()
        assert all(line.startswith("{") for line in app.text().splitlines())


async def test_edits_and_buttons_of_one_user_leave_room_for_the_others(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, max_questions_per_minute="100", **SIGN_IN) as app:
        ada, grace = await signed_in(app), await signed_in(app, "grace")
        async with Raw(app.url, cookie(ada)) as page:
            await page.connect()
            question = await page.ask("hello")
            await page.hear(1)
            for number in range(400):
                await page.event("edit_message", {"message": {"id": question, "output": f"hello {number}"}})
            heard = await page.hear(3)
            notices = [event for event in heard if event[0] == "new_message" and "busy" in json.dumps(event)]
            assert len(notices) <= 6
        other = await opened(app, grace)
        assert (await other.ask("hello")).answer
        await other.close()
        for client in (ada, grace):
            await client.aclose()


async def test_the_replay_for_a_page_is_bounded(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder) as app:
        async with Raw(app.url) as page, httpx.AsyncClient(base_url=app.url) as client:
            await page.connect()
            for _ in range(300):
                action = {"id": f"x-{uuid.uuid4()}", "name": "again", "forId": str(uuid.uuid4()), "payload": {}}
                await client.post("/project/action", json={"sessionId": page.session_id, "action": action})
            async with Raw(app.url) as back:
                await back.connect(page.session_id)
                assert len(await back.hear(2)) < 250


async def test_the_replay_happens_once_per_connection(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder) as app:
        async with Raw(app.url) as page:
            await page.connect()
            await page.ask("count to 300")
            await page.hear(3)
            async with Raw(app.url) as back:
                await back.connect(page.session_id)
                for _ in range(20):
                    await back.event("connection_successful")
                told = [event[1]["id"] for event in await back.hear(2) if event[0] == "new_message"]
                assert told
                assert len(told) == len(set(told))


async def test_a_session_leaves_nothing_to_another_user_with_its_id(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, **SIGN_IN) as app:
        ada, grace = await signed_in(app), await signed_in(app, "grace")
        async with Raw(app.url, cookie(ada)) as page:
            await page.connect()
            await page.ask("my number is 4711")
            await page.hear(1.5)
            await page.event("clear_session")
            await asyncio.sleep(0.1)
        await until(lambda: app.metric("kaito_chat_sessions") == 0)
        async with Raw(app.url, cookie(grace)) as other:
            assert (await other.connect(page.session_id)).startswith("40")
            async with Raw(app.url, cookie(grace)) as back:
                await back.connect(page.session_id)
                assert "4711" not in json.dumps(await back.hear(1))
                await back.ask("what did I say?")
                assert "answer 1." in json.dumps(await back.hear(2))
        for client in (ada, grace):
            await client.aclose()


async def test_after_a_sign_out_an_open_page_changes_nothing(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as app:
        client = await signed_in(app)
        async with Raw(app.url, cookie(client)) as page:
            await page.connect()
            question = await page.ask("the first question")
            await page.hear(1.5)
            (thread,) = await threads(client)
            before = (await client.get(f"/project/thread/{thread}")).json()["steps"]
            assert (await client.post("/logout")).is_success
            await page.ask("after the sign-out")
            await page.event("edit_message", {"message": {"id": question, "output": "edited after the sign-out"}})
            await page.hear(1.5)
        await client.aclose()
        client = await signed_in(app)
        after = (await client.get(f"/project/thread/{thread}")).json()["steps"]
        assert [step["output"] for step in after] == [step["output"] for step in before]
        await client.aclose()


async def test_the_sessions_of_one_user_are_limited(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, **SIGN_IN) as app:
        ada, grace = await signed_in(app), await signed_in(app, "grace")
        kept = await opened(app, grace)
        for _ in range(52):
            pages = [Raw(app.url, cookie(ada)) for _ in range(10)]
            await asyncio.gather(*(page.__aenter__() for page in pages))
            assert all(each.startswith("40") for each in await asyncio.gather(*(page.connect() for page in pages)))
            await asyncio.gather(*(page.__aexit__() for page in pages))
        assert app.metric("kaito_chat_sessions") <= 501
        assert (await kept.ask("count to 3")).answer == "1 2 3"
        await kept.close()
        for client in (ada, grace):
            await client.aclose()


async def test_the_searches_of_one_user_are_serialized(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as app:
        ada, grace = await signed_in(app), await signed_in(app, "grace")
        body = {"pagination": {"first": 20}, "filter": {"search": "hello"}}
        answers = await asyncio.gather(*(ada.post("/project/threads", json=body) for _ in range(40)))
        assert {answer.status_code for answer in answers} <= {200, 429}
        assert sum(answer.status_code == 200 for answer in answers) >= 5
        assert await threads(grace) == []
        assert (await ada.post("/project/threads", json=body)).status_code == 200
        for client in (ada, grace):
            await client.aclose()


async def test_a_deeply_nested_stored_question_is_bounded_when_shown(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as app:
        client = await signed_in(app)
        async with Raw(app.url, cookie(client)) as page:
            await page.connect()
            await page.ask("> " * 1500 + "x")
            await page.hear(1.5)
        (thread,) = await threads(client)
        steps = (await client.get(f"/project/thread/{thread}")).json()["steps"]
        (question,) = (step["output"] for step in steps if step["type"] == "user_message")
        assert question == "> " * 50 + "\\" + "> " * 1450 + "x"
        renamed = await client.put("/project/thread", json={"threadId": thread, "name": "\0 "})
        assert renamed.status_code == 422
        await client.aclose()


async def test_settings_that_are_not_numbers_are_not_kept(folder: Path, scripted: Running) -> None:
    with chat(scripted.url, folder, database_url=f"sqlite:///{folder}/history.db", **SIGN_IN) as app:
        client = await signed_in(app)
        async with Raw(app.url, cookie(client)) as page:
            await page.connect()
            await page.socket.send_str('42["chat_settings_change",{"temperature":NaN,"top_p":Infinity}]')
            await page.ask("hello")
            await page.hear(1.5)
        (thread,) = await threads(client)
        async with Raw(app.url, cookie(client)) as back:
            await back.socket.send_str("40" + json.dumps({"sessionId": back.session_id, "threadId": thread}))
            await back.event("connection_successful")
            for _ in range(6):
                assert "NaN" not in (await back.socket.receive()).data
        await client.aclose()


@pytest.mark.parametrize("body", ["1\r\na\r\n0\r\n", "1;"], ids=["trailers", "extensions"])
def test_trailers_and_chunk_extensions_are_bounded(app: Running, body: str) -> None:
    host, port = app.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall((head + body).encode())
        connection.settimeout(3)
        try:
            for number in range(2000):
                connection.sendall(f"X-{number}: {'y' * 1000}\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        except ConnectionError:
            pass  # the server closed the connection during the upload
