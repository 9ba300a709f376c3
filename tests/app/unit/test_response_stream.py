import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from kaito_chat.backends.response_stream import CONTENT, ResponseStream

SLOW = 5.0


class Body:
    """A response whose chunks collect while nobody reads them, as aiohttp's do."""

    def __init__(self, *, reports_its_end: bool = True) -> None:
        self.headers: dict[str, str] = {}
        self.extensions: dict[str, Any] = {CONTENT: self} if reports_its_end else {}
        self._buffer = b""
        self._arrived = asyncio.Event()
        self._over = False
        self._callbacks: list[Callable[[], None]] = []

    def on_eof(self, callback: Callable[[], None]) -> None:
        self._callbacks.append(callback)

    def feed(self, content: bytes) -> None:
        self._buffer += content
        self._arrived.set()

    def end(self) -> None:
        self._over = True
        self._arrived.set()
        for callback in self._callbacks:
            callback()

    async def aiter_bytes(self) -> AsyncIterator[bytes]:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            if self._buffer:
                content, self._buffer = self._buffer, b""
                if self._over:
                    self._arrived.set()
                yield content
            elif self._over:
                return


async def read(body: Body, pause: float, found: list[tuple[float, bytes]]) -> None:
    """Read all of a body, of which every chunk is a token."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with asyncio.timeout(20) as deadline:
        stream = ResponseStream(body, deadline, 20, pause)  # type: ignore[arg-type]
        async for chunk in stream.chunks:
            stream.progress()
            found.append((loop.time() - began, chunk))


async def fed(body: Body, count: int, seconds: float) -> None:
    for number in range(count):
        body.feed(bytes([number]))
        await asyncio.sleep(seconds)
    body.end()


async def test_the_first_token_is_read_at_once_and_the_next_ones_in_steps() -> None:
    body, found = Body(), list[tuple[float, bytes]]()
    await asyncio.gather(read(body, 0.1, found), fed(body, 30, 0.01))
    assert found[0][1] == b"\0"
    assert found[0][0] < 0.05
    assert b"".join(chunk for _, chunk in found) == bytes(range(30))
    assert len(found) < 10


async def test_without_a_pause_every_chunk_is_read_as_it_arrives() -> None:
    body, found = Body(), list[tuple[float, bytes]]()
    await asyncio.gather(read(body, 0, found), fed(body, 30, 0.01))
    assert [chunk for _, chunk in found] == [bytes([number]) for number in range(30)]


async def test_the_end_of_the_answer_ends_a_pause() -> None:
    body, found = Body(), list[tuple[float, bytes]]()
    reading = asyncio.create_task(read(body, SLOW, found))
    await asyncio.sleep(0)
    body.feed(b"first")
    await asyncio.sleep(0.05)
    body.feed(b"last")
    await asyncio.sleep(0.05)
    assert [chunk for _, chunk in found] == [b"first"]
    body.end()
    await asyncio.wait_for(reading, SLOW / 2)
    assert [chunk for _, chunk in found] == [b"first", b"last"]


async def test_an_answer_that_has_ended_is_read_without_a_pause() -> None:
    body, found = Body(), list[tuple[float, bytes]]()
    reading = asyncio.create_task(read(body, SLOW, found))
    await asyncio.sleep(0)
    body.feed(b"all")
    body.end()
    await asyncio.wait_for(reading, SLOW / 2)
    assert [chunk for _, chunk in found] == [b"all"]


async def test_a_body_that_does_not_report_its_end_is_read_after_the_pause() -> None:
    body, found = Body(reports_its_end=False), list[tuple[float, bytes]]()
    await asyncio.wait_for(asyncio.gather(read(body, 0.02, found), fed(body, 3, 0.001)), 2)
    assert b"".join(chunk for _, chunk in found) == b"\0\1\2"


async def test_a_reader_that_is_cancelled_in_a_pause_leaves_no_timer() -> None:
    body, found = Body(), list[tuple[float, bytes]]()
    reading = asyncio.create_task(read(body, 0.05, found))
    await asyncio.sleep(0)
    body.feed(b"first")
    await asyncio.sleep(0.01)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await asyncio.sleep(0.1)
    body.end()  # the callback finds nothing to wake up
