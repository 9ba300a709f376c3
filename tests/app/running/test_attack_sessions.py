"""Malformed ids of sessions and threads: no session is opened, and no file is touched."""

import asyncio
import uuid
from pathlib import Path

import aiohttp
import httpx
import pytest
import socketio

from support.chat.processes import Running
from support.chat.sockets import SOME_ID, alive, connected

MALFORMED_IDS = [
    "",
    "..",
    ".",
    "x",
    "../../etc",
    SOME_ID.upper(),
    "{" + SOME_ID + "}",
    SOME_ID.replace("-", ""),
    f"urn:uuid:{SOME_ID}",
    f"{SOME_ID}\n",
    f"{SOME_ID}/..",
    f" {SOME_ID}",
    SOME_ID.replace("-", "\u2010"),
    "\u0660" * 8 + "-0000-4000-8000-000000000000",
    None,
    7,
    ["x"],
    {"x": 1},
    True,
    "x" * 100_000,
]


@pytest.mark.parametrize("session_id", MALFORMED_IDS, ids=repr)
async def test_a_session_id_that_is_no_uuid_opens_no_session(app: Running, session_id: object) -> None:
    before = app.metrics()
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with connected(app.url, sessionId=session_id):
            pass
    line = next(line for line in before.splitlines() if line.startswith("kaito_chat_sessions "))
    assert line in app.metrics()


@pytest.mark.parametrize("place", ["absolute", "parent"])
async def test_a_folder_outlives_a_session_that_is_named_after_it(app: Running, folder: Path, place: str) -> None:
    (folder / "file").write_text("kept", encoding="utf-8")
    name = str(folder) if place == "absolute" else ".."
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with connected(app.url, sessionId=name) as client:
            await client.emit("clear_session")
    await asyncio.sleep(0.2)
    assert (folder / "file").read_text(encoding="utf-8") == "kept"
    await alive(app)


@pytest.mark.parametrize("thread_id", [each for each in MALFORMED_IDS if each not in ("", None)], ids=repr)
async def test_a_thread_id_that_is_no_uuid_opens_no_session(app: Running, thread_id: object) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        async with connected(app.url, threadId=thread_id):
            pass


@pytest.mark.parametrize("auth", [None, [], "x", 7, {}])
async def test_an_opening_of_another_shape_opens_no_session(app: Running, auth: object) -> None:
    async with aiohttp.ClientSession() as http:
        client = socketio.AsyncClient(reconnection=False, http_session=http)
        with pytest.raises(socketio.exceptions.ConnectionError):
            await client.connect(app.url, auth=auth, transports=["websocket"], socketio_path="/ws/socket.io")
        await client.disconnect()


@pytest.mark.parametrize("session_id", ["/srv/x", "..", "x", SOME_ID])
@pytest.mark.parametrize("method", ["POST", "GET"])
def test_there_are_no_routes_for_files(app: Running, folder: Path, session_id: str, method: str) -> None:
    at = str(folder / "made") if session_id.startswith("/") else session_id
    files = {"file": ("x.txt", b"x", "text/plain")} if method == "POST" else None
    path = "/project/file" if method == "POST" else f"/project/file/{uuid.uuid4()}"
    answer = httpx.request(method, app.url + path, params={"session_id": at}, files=files)
    assert answer.status_code == 404
    assert not (folder / "made").exists()
