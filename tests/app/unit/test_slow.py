"""Connections that send nothing, or a byte from time to time, are closed."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import httpx
import pytest
import socketio
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from kaito_chat.page import gate, http_head
from kaito_chat.sockets import packets

Serve = Callable[[ASGIApp], Awaitable[int]]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    running = []

    async def start(app: ASGIApp) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=http_head.BoundedHead, lifespan="off", log_level="critical")
        server = uvicorn.Server(config)
        running.append((server, asyncio.create_task(server.serve([listener]))))
        while not server.started:
            await asyncio.sleep(0.01)
        return int(listener.getsockname()[1])

    yield start
    for server, task in running:
        server.should_exit = server.force_exit = True
        await asyncio.wait_for(task, 5)


async def closes(port: int, sent: bytes, seconds: float = 2) -> bytes:
    """Send bytes, then nothing, and return the response until the connection is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    answer = await asyncio.wait_for(reader.read(), seconds)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "sent", [b"", b"G", b"GET / HTTP/1.1\r\nhost: x\r\n", b"GET / HTTP/1.1\r\nhost: x\r\n\r\nGET /"], ids=range(4)
)
async def test_incomplete_headers_close_the_connection(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(http_head, "HEAD_SECONDS", 0.3)
    assert (await closes(await serve(echo), sent)).count(b"200 OK") == sent.count(b"\r\n\r\n")


async def test_an_incomplete_body_is_answered(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BODY_SECONDS", 0.3)
    port = await serve(gate.Gate(echo))
    begun = b"POST /login HTTP/1.1\r\nhost: x\r\ncontent-length: 20\r\n\r\nab"
    assert b" 408 " in await closes(port, begun)
    async with httpx.AsyncClient() as client:
        assert (await client.post(f"http://127.0.0.1:{port}/login", content=b"ab")).content == b"ab"


async def test_a_response_may_take_longer_than_the_headers(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_head, "HEAD_SECONDS", 0.2)

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.6)
        await echo(scope, receive, send)

    async with httpx.AsyncClient() as client:
        answer = await client.post(f"http://127.0.0.1:{await serve(slow)}/", content=b"ab")
    assert answer.content == b"ab"


async def test_a_socket_without_a_connect_packet_is_closed(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packets, "OPENING_SECONDS", 0.3)
    server = socketio.AsyncServer(async_mode="asgi")
    server.on("connect", lambda _sid, _environ, _auth: None)
    packets.guard(server, ["stop"], [])
    address = f"http://127.0.0.1:{await serve(socketio.ASGIApp(server))}/socket.io/?EIO=4&transport=websocket"
    async with aiohttp.ClientSession() as http, http.ws_connect(address) as silent, http.ws_connect(address) as page:
        await page.send_str("40{}")
        heard: list[Any] = []
        async with asyncio.timeout(3):
            heard.extend([message.data async for message in silent])
        assert len(heard) <= 2, "the opening, and perhaps that it is over"
        assert (await page.receive()).data.startswith("0")
        assert (await page.receive()).data.startswith("40")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await page.receive()
        assert not page.closed
