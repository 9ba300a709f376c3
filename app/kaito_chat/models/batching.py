"""Batches of a stream: the events that arrived together, or while the page was busy."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def batched(events: AsyncGenerator[T]) -> AsyncGenerator[list[T]]:
    """Yield the events that arrived since the last batch; the connection collects tokens (`backends.http`).

    An exception of `events` is raised after the events before it. Closing this closes `events`, within the task that
    reads them.
    """
    waiting: list[T] = []
    arrived = asyncio.Event()

    async def read() -> None:
        try:
            async with aclosing(events):
                async for event in events:
                    waiting.append(event)
                    arrived.set()
        finally:
            arrived.set()

    reader = asyncio.create_task(read())
    # Its exception is raised below, or the consumer is gone; asyncio need not log it.
    reader.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
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
