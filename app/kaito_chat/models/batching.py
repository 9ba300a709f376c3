"""Hands on what arrives in fewer pieces: the first at once, then what gathered in an interval."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def gathered(events: AsyncGenerator[T], seconds: float) -> AsyncGenerator[list[T]]:
    """Yield events in batches, never later than `seconds` after they arrived.

    Sending each token to a page by itself costs more than generating it did; people read no faster for it.
    What `events` raises is raised after what arrived before has been handed on. Closing this closes `events`,
    within the task that reads them.
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
    # What it raises is raised below, or nobody is left to be told: asyncio need not log it.
    reader.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        while not reader.done() or waiting:
            await arrived.wait()
            arrived.clear()
            if waiting:
                batch = waiting[:]
                waiting.clear()
                yield batch
            if not reader.done() and seconds:
                await asyncio.wait((reader,), timeout=seconds)
                if reader.done() or waiting:
                    arrived.set()
        await reader
    finally:
        if not reader.done():
            reader.cancel()
            await asyncio.wait((reader,))
