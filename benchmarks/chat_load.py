"""Steady streams and bursts of questions: on pages of the chat application, and without an application.

The pages speak Chainlit's protocol at little cost, so that they and the endpoint can share a core.
"""

import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from chat_peers.streams import FIRST_SECONDS, TOKENS, TOKENS_PER_SECOND, WORD

ANSWER_SECONDS = FIRST_SECONDS + TOKENS / TOKENS_PER_SECOND
QUESTION = "tell me something"
BODY = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}


@dataclass
class Load:
    """A measurement.

    Attributes:
        first: Seconds from each question to its first text.
        characters: The number of characters that arrived within the window.
        window_seconds: How long they were counted.
        cpu_seconds: The CPU time of the application within the window.
    """

    first: list[float] = field(default_factory=list)
    characters: int = 0
    window_seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def p95(self) -> float:
        """The 95th percentile of the time to the first text, in seconds."""
        return statistics.quantiles(self.first, n=20)[-1]

    @property
    def rate(self) -> float:
        """Characters per second."""
        return self.characters / self.window_seconds


class Asker(Protocol):
    """Asks one question after another, and reports each piece of text."""

    async def open(self) -> None:
        """Connect."""

    async def ask(self, heard: Callable[[int], None]) -> float:
        """Ask a question until the end of its answer, and return the seconds to the first text.

        Args:
            heard: Is called with the number of characters of each piece.
        """

    async def close(self) -> None:
        """Disconnect."""


class Direct:
    """Asks the endpoint itself."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def open(self) -> None:
        """Connect, and keep the connection."""
        async with self._client.get(self._url + "/v1/models") as response:
            await response.read()

    async def ask(self, heard: Callable[[int], None]) -> float:
        """Ask, and count the tokens by their frames."""
        began, first = time.monotonic(), 0.0
        async with self._client.post(self._url + "/v1/chat/completions", json=BODY) as response:
            async for content in response.content.iter_any():
                first = first or time.monotonic() - began
                heard(content.count(b'"content"') * len(WORD))
        return first

    async def close(self) -> None:
        """Disconnect."""
        await self._client.close()


class LightPage:
    """An open page that reads no more of a packet than it must."""

    def __init__(self, url: str) -> None:
        self._url = url.replace("http", "ws", 1) + "/ws/socket.io/?EIO=4&transport=websocket"
        self._client = aiohttp.ClientSession()
        self._socket: aiohttp.ClientWebSocketResponse

    async def open(self) -> None:
        """Connect, as a browser does when it opens the page."""
        self._socket = await self._client.ws_connect(self._url, max_msg_size=0)
        auth = {"sessionId": str(uuid.uuid4()), "clientType": "webapp", "userEnv": "{}", "chatProfile": ""}
        await self._socket.send_str("40" + json.dumps(auth))
        await self._until('40{"sid"')
        await self._socket.send_str('42["connection_successful"]')
        await self._until('42["task_end"')

    async def ask(self, heard: Callable[[int], None]) -> float:
        """Ask, and count the characters of the answer's packets."""
        created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        message: dict[str, object] = {
            "id": str(uuid.uuid4()),
            "name": "user",
            "type": "user_message",
            "output": QUESTION,
        }
        message |= {"threadId": "", "createdAt": created, "metadata": {}}
        began, first = time.monotonic(), 0.0
        packet = json.dumps(["client_message", {"message": message, "fileReferences": []}])
        await self._socket.send_str("42" + packet)
        started = False
        while True:
            packet = await self._packet()
            if packet.startswith(('42["stream_token"', '42["stream_start"')):
                if characters := packet.count(WORD) * len(WORD):
                    first = first or time.monotonic() - began
                    heard(characters)
            elif packet.startswith('42["task_start"'):
                started = True
            elif started and packet.startswith('42["task_end"'):
                return first

    async def vanish(self) -> None:
        """Break the connection, as a laptop that is closed."""
        await self._client.close()

    async def close(self) -> None:
        """Close the page."""
        await self._socket.send_str('42["clear_session"]')
        await asyncio.sleep(0.05)
        await self._socket.close()
        await self._client.close()

    async def _until(self, prefix: str) -> None:
        while not (await self._packet()).startswith(prefix):
            pass

    async def _packet(self) -> str:
        while True:
            received: str = await self._socket.receive_str()
            if received != "2":
                return received
            await self._socket.send_str("3")


async def _opened(make: Callable[[], Asker], people: int) -> list[Asker]:
    askers = [make() for _ in range(people)]
    for asker in askers:
        await asker.open()
    return askers


async def steady(make: Callable[[], Asker], people: int, seconds: float, cpu: Callable[[], float]) -> Load:
    """Keep a number of streams running: their questions begin one after the other, within one answer's time.

    Counted are the seconds after all of them have begun.
    """
    askers = await _opened(make, people)
    load, loop = Load(), asyncio.get_running_loop()
    opens = loop.time() + ANSWER_SECONDS + 1
    closes = opens + seconds

    def heard(characters: int) -> None:
        if opens <= loop.time() < closes:
            load.characters += characters

    async def one(asker: Asker, place: int) -> None:
        await asyncio.sleep(place * ANSWER_SECONDS / people)
        while (began := loop.time()) < closes:
            first = await asker.ask(heard)
            if opens <= began < closes:
                load.first.append(first)

    async def spent() -> float:
        await asyncio.sleep(opens - loop.time())
        before = cpu()
        await asyncio.sleep(seconds)
        return cpu() - before

    measured = asyncio.create_task(spent())
    await asyncio.gather(*(one(asker, place) for place, asker in enumerate(askers)))
    load.cpu_seconds, load.window_seconds = await measured, seconds
    await _all(askers, lambda asker: asker.close())
    return load


async def burst(make: Callable[[], Asker], people: int, cpu: Callable[[], float]) -> Load:
    """Ask on all pages at the same time, and wait for all answers."""
    askers = await _opened(make, people)
    load, before, began = Load(), cpu(), time.monotonic()

    def heard(characters: int) -> None:
        load.characters += characters

    load.first = list(await asyncio.gather(*(asker.ask(heard) for asker in askers)))
    load.window_seconds, load.cpu_seconds = time.monotonic() - began, cpu() - before
    await _all(askers, lambda asker: asker.close())
    return load


async def _all(askers: list[Asker], act: Callable[[Asker], Awaitable[None]]) -> None:
    for start in range(0, len(askers), 50):
        await asyncio.gather(*(act(asker) for asker in askers[start : start + 50]))
