import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaito_chat.backends import sse
from kaito_chat.backends.errors import BackendError
from kaito_chat.models.batching import batched


async def in_pieces(content: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    edges = sorted({0, len(content), *(cut % (len(content) + 1) for cut in cuts)})
    for start, end in pairwise(edges):
        yield content[start:end]


def read(content: bytes, cuts: list[int]) -> list[bytes]:
    async def collect() -> list[bytes]:
        return [item async for items in sse.data(in_pieces(content, cuts)) for item in items]

    return asyncio.run(collect())


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), max_size=5),
    st.lists(st.integers(0, 500)),
    st.sampled_from(["\n", "\r\n"]),
)
def test_events_are_the_same_however_their_bytes_are_cut(words: list[str], cuts: list[int], end: str) -> None:
    content = "".join(f": comment{end}data: {word}{end}{end}" for word in words).encode()
    assert read(content, cuts) == [word.encode().strip() for word in words]


def test_a_last_line_without_an_end_counts() -> None:
    assert read(b"data: a\n\ndata: b", [3]) == [b"a", b"b"]


def test_a_line_that_does_not_end_is_refused() -> None:
    with pytest.raises(BackendError, match="a line of more than"):
        read(b"data: " + b"x" * 3_000_000, list(range(0, 3_000_000, 65_536)))


async def test_what_arrives_while_a_batch_is_shown_is_one_batch() -> None:
    async def quick() -> AsyncGenerator[list[int]]:
        for number in range(30):
            await asyncio.sleep(0.002)
            yield [number]

    batches: list[list[int]] = []
    async for batch in batched(quick()):
        batches.append(batch)
        await asyncio.sleep(0.02)
    assert [piece for batch in batches for piece in batch] == list(range(30))
    assert batches[0] == [0]
    assert len(batches) < 15


async def test_what_arrived_is_handed_on_before_an_error_is_raised() -> None:
    async def failing() -> AsyncGenerator[list[int]]:
        yield [1]
        yield [2, 3]
        raise ValueError("cut")

    seen: list[int] = []
    with pytest.raises(ValueError, match="cut"):  # noqa: PT012
        async for batch in batched(failing()):
            seen += batch
    assert seen == [1, 2, 3]


async def test_closing_ends_the_stream_in_the_task_that_reads_it() -> None:
    closed: list[bool] = []
    tasks: set[object] = set()

    async def endless() -> AsyncGenerator[list[int]]:
        tasks.add(asyncio.current_task())
        try:
            while True:
                await asyncio.sleep(0.01)
                yield [1]
        finally:
            tasks.add(asyncio.current_task())
            closed.append(True)

    before = asyncio.all_tasks()
    batches = batched(endless())
    await anext(batches)
    await batches.aclose()
    assert closed == [True]
    assert len(tasks) == 1
    assert asyncio.all_tasks() == before
