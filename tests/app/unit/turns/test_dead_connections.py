"""Connections that turn out to be dead while an answer is sent, and pages that close before it begins."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import socketio
from engineio.async_socket import AsyncSocket

from support.chat.fakes.kaito import VLLM, delta
from support.chat.in_process import Hanging, Open, asked


class Waiting(Hanging):
    """A stream that goes on when it is told to."""

    def __init__(self, *pieces: object) -> None:
        super().__init__(*pieces)
        self.waits, self.go_on = asyncio.Event(), asyncio.Event()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in super().__aiter__():
            yield piece
            self.waits.set()
            await self.go_on.wait()


async def connection(server: socketio.AsyncServer) -> tuple[AsyncSocket, str]:
    """Return a connection of Engine.IO's, and its id in Socket.IO."""
    socket = AsyncSocket(server.eio, "connection")
    server.eio.sockets[socket.sid] = socket
    sid = await server.manager.pre_connect(socket.sid, "/")
    await server.manager.connect(sid, "/")
    return socket, sid


@pytest.mark.parametrize(("goodbye", "grace"), [(True, 60), (False, 0)], ids=["closed", "lost"])
async def test_an_answer_ends_that_finds_its_page_gone(page: Open, grace: float, *, goodbye: bool) -> None:
    server, stream = VLLM(), Waiting(delta(content="Half"), delta(content=" more"))
    server.refusals = [stream.answer()]
    chat = await page(server, disconnect_grace_seconds=grace)
    sockets = socketio.AsyncServer(async_mode="asgi")
    chat.sockets._server = sockets  # noqa: SLF001
    sockets.handlers["/"] = chat.sockets.handlers()
    socket, sid = await connection(sockets)
    assert await chat.sockets.connect(sid, {}, {"sessionId": chat.session.id})
    await chat.sockets.shown(sid)
    asking = asyncio.create_task(chat.ask())
    async with asyncio.timeout(5):
        await stream.waits.wait()
    chat.session.to_clear = goodbye
    socket.last_ping = time.time() - sockets.eio.ping_timeout - 1
    stream.go_on.set()
    await asyncio.wait((asking,), timeout=3)
    assert asking.done()
    assert stream.closed
    assert socket.closed
    assert chat.services.turns == set()


async def test_a_question_is_not_answered_whose_page_closes_while_it_waits_for_the_history(
    page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, checks, go_on = VLLM(), asyncio.Event(), asyncio.Event()

    class SlowTokens:
        async def holder(self, _token: str) -> object:
            checks.set()
            await go_on.wait()
            return object()

    chat = await page(server)
    monkeypatch.setattr(chat.services, "tokens", SlowTokens())
    asking = asyncio.create_task(chat.ask())
    async with asyncio.timeout(5):
        await checks.wait()
    chat.session.to_clear = True
    await chat.leave()
    go_on.set()
    await asking
    assert asked(server) == []
