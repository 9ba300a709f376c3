import asyncio
import logging
from collections.abc import AsyncGenerator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaito_chat.models.batching import batched


async def broken_after(count: int) -> AsyncGenerator[list[int]]:
    for number in range(count):
        yield [number]
    raise ValueError("cut")


@given(st.lists(st.integers(0, 2), max_size=8), st.booleans())
def test_nothing_is_lost_nor_reordered_at_any_pace(pauses: list[int], broken: bool) -> None:  # noqa: C901, FBT001
    async def pieces() -> AsyncGenerator[list[int]]:
        for number, pause in enumerate(pauses):
            for _ in range(pause):
                await asyncio.sleep(0)
            yield [number]
        if broken:
            raise ValueError("cut")

    async def collect() -> list[list[int]]:
        batches: list[list[int]] = []
        try:
            async for batch in batched(pieces()):
                batches.append(batch)  # noqa: PERF401 - what came before the error counts
        except ValueError:
            assert broken
        else:
            assert not broken
        return batches

    batches = asyncio.run(collect())
    assert all(batches)
    assert [number for batch in batches for number in batch] == list(range(len(pauses)))


async def test_a_stream_that_broke_after_its_reader_left_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    batches = batched(broken_after(1))
    with caplog.at_level(logging.ERROR):
        assert await anext(batches) == [0]
        await asyncio.sleep(0.02)
        await batches.aclose()
        del batches
        await asyncio.sleep(0)
    assert not caplog.records


async def test_cancelling_the_reader_of_a_batch_closes_the_stream() -> None:
    closed = asyncio.Event()

    async def silent() -> AsyncGenerator[list[int]]:
        try:
            await asyncio.sleep(60)
            yield [1]
        finally:
            closed.set()

    async def wait() -> None:
        async for _ in batched(silent()):
            pass

    waiting = asyncio.create_task(wait())
    await asyncio.sleep(0.01)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert closed.is_set()


async def test_an_empty_stream_has_no_batches() -> None:
    async def nothing() -> AsyncGenerator[list[int]]:
        empty: list[list[int]] = []
        for numbers in empty:
            yield numbers

    assert [batch async for batch in batched(nothing())] == []
