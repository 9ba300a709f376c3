"""Batches of a stream: the events that arrived together, or while the page was busy."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")
# Iterations of the event loop in which a request on an open connection is written: those of the reader's task, and of
# the task by which aiohttp writes a body.
SENDING = 2


async def batched(
    parts: AsyncGenerator[list[T]], meanwhile: Callable[[], Awaitable[None]] | None = None
) -> AsyncGenerator[list[T]]:
    """Yield the events that arrived since the last batch; the connection collects tokens (`backends.http`).

    An exception of `parts` is raised after the events before it. Closing this closes `parts`, within the task that
    reads them.

    Args:
        parts: The stream, which sends a request when it is first read.
        meanwhile: Work for the time before the first batch; it begins when the request is sent.
    """
    waiting: list[T] = []
    arrived = asyncio.Event()

    async def read() -> None:
        try:
            async with aclosing(parts):
                async for events in parts:
                    waiting.extend(events)
                    arrived.set()
        finally:
            arrived.set()

    reader = asyncio.create_task(read())
    # Its exception is raised below, or the consumer is gone; asyncio need not log it.
    reader.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        if meanwhile:
            for _ in range(SENDING):
                await asyncio.sleep(0)
            await meanwhile()
        while not reader.done() or waiting:
            await arrived.wait()
            arrived.clear()
            if waiting:
                batch = waiting[:]
                waiting.clear()
                yield batch
        await reader
    finally:
        if not reader.done():
            reader.cancel()
            await asyncio.wait((reader,))
