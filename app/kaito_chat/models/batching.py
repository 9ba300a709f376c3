"""Batching of stream events: the first event at once, then one batch per interval."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

T = TypeVar("T")


async def gathered(events: AsyncGenerator[T], seconds: float) -> AsyncGenerator[list[T]]:
    """Yield events in batches, never later than `seconds` after they arrived.

    Sending each token to a page separately costs more CPU than it is worth to the reader. Exceptions of `events` are
    raised after the events before them. Closing this generator closes `events`, in the task that reads it.
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
    # Its exception is raised below or of no interest; retrieve it, so that asyncio does not log it.
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
