"""Socket.IO connections of a client that is not the page."""

import uuid
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import httpx
import socketio

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running

SOME_ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


@asynccontextmanager
async def connected(url: str, **auth: object) -> Any:
    """Yield a connection with any `auth`."""
    async with aiohttp.ClientSession() as http:
        client = socketio.AsyncClient(reconnection=False, http_session=http)
        opening = {"sessionId": str(uuid.uuid4()), "threadId": "", "clientType": "webapp", "userEnv": "{}"} | auth
        await client.connect(url, auth=opening, transports=["websocket"], socketio_path="/ws/socket.io")
        try:
            yield client
        finally:
            await client.disconnect()


async def alive(running: Running) -> None:
    """Check that the application still answers a question."""
    assert httpx.get(running.url + "/public/kaito-chat.css").status_code == 200
    assert httpx.get(running.management + "/readyz").status_code == 200
    page = Page(running.url)
    await page.open()
    assert (await page.ask("count to 3")).answer == "1 2 3"
    await page.close()
