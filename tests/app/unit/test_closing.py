"""A cancelled question ends its request at the model server at once, in each state."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

import httpx
import pytest

from kaito_chat.backends import Message, Timeouts, connect, pool
from kaito_chat.models.asking import Asking
from kaito_chat.models.readiness import Model
from kaito_chat.settings import ModelSettings, Settings
from support.chat.backends import QUICK, SAMPLING, asking_of
from support.chat.fakes import faults
from support.chat.waiting import until

PATIENT = Timeouts(connect=5, first_token=60, token=60, answer=60)
NUMBERS = itertools.count()
MORE = {
    "hang-after-refused-role": [[faults.error(400, "System role not supported")], [faults.SSE, faults.HANG]],
    "hang-after-less-room": [[faults.error(400, faults.LESS_ROOM)], [faults.SSE, faults.HANG]],
    "hang-after-busy": [[faults.error(429, "no", extra="retry-after: 0\r\n")], [faults.SSE, faults.HANG]],
    "hang-in-thinking": [[faults.SSE, faults.piece("<think>Hm <"), faults.HANG]],
}
HANGING = ["hang-before-headers", "hang-after-headers", "hang-mid-stream", "hang-in-json", "endless-comments", *MORE]


@pytest.fixture
async def faulty(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[faults.Server, str]]:
    monkeypatch.setattr(faults, "FAULTS", faults.FAULTS | MORE)
    server = faults.Server()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        yield server, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    await asyncio.sleep(0)


@asynccontextmanager
async def asking(url: str, fault: str, timeouts: Timeouts = PATIENT) -> AsyncIterator[tuple[Asking, str]]:
    async with pool(5, 10) as client:
        settings = ModelSettings(endpoint_url=url)
        model = Model(settings, [connect(settings, client, timeouts)], 1)
        await model.check()
        number = f"q{next(NUMBERS)}"
        messages = [Message("system", "Be brief."), Message("user", f"fault: {fault} {number}")]
        application = Settings(endpoint_url=url, coalesce_milliseconds=10)
        yield asking_of(application, model, messages, SAMPLING), number


async def read(question: Asking) -> None:
    async with contextlib.aclosing(question.answer()) as batches:
        async for _ in batches:
            pass


@pytest.mark.parametrize("fault", HANGING)
async def test_a_cancelled_question_ends_at_the_server_at_once(faulty: tuple[faults.Server, str], fault: str) -> None:
    server, url = faulty
    async with asking(url, fault) as (question, number):
        task = asyncio.create_task(read(question))
        last = len(faults.FAULTS[fault])
        await until(lambda: server.attempts[number] == last and server.open == 1)
        task.cancel()
        await asyncio.wait((task,), timeout=1)
        assert task.cancelled()
        await until(lambda: server.open == 0, 1)
        assert server.attempts[number] == last, "it is not asked again"


async def test_an_answer_that_is_not_read_on_ends_at_the_server(faulty: tuple[faults.Server, str]) -> None:
    server, url = faulty
    async with asking(url, "hang-mid-stream") as (question, _):
        batches = question.answer()
        await anext(batches)
        assert server.open == 1
        await batches.aclose()
        await until(lambda: server.open == 0, 1)


async def test_a_question_that_waits_for_its_next_attempt_makes_none_when_it_is_cancelled(
    faulty: tuple[faults.Server, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = faulty
    sleeping = asyncio.Event()
    sleep = asyncio.sleep

    def watched(seconds: float) -> Awaitable[None]:
        if seconds > 0.1:
            sleeping.set()
            return sleep(60)
        return sleep(seconds)

    monkeypatch.setattr("kaito_chat.models.asking.asyncio.sleep", watched)
    async with asking(url, "busy-for-ever") as (question, number):
        task = asyncio.create_task(read(question))
        async with asyncio.timeout(5):
            await sleeping.wait()
        task.cancel()
        await asyncio.wait((task,), timeout=1)
        assert task.cancelled()
        assert server.attempts[number] == 1
        assert server.open == 0


@pytest.mark.parametrize("fault", ["hang-before-headers", "hang-mid-stream", "hang-in-json"])
async def test_a_question_that_takes_too_long_ends_at_the_server(faulty: tuple[faults.Server, str], fault: str) -> None:
    server, url = faulty
    timeouts = Timeouts(connect=QUICK.connect, first_token=0.3, token=0.3, answer=1)
    async with asking(url, fault, timeouts) as (question, _):
        with contextlib.suppress(Exception):
            await read(question)
        await until(lambda: server.open == 0, 1)


async def test_a_ragengines_answer_ends_with_its_question() -> None:
    closed = asyncio.Event()
    asked = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if head.startswith(b"GET"):
            names = faults.plain(200, '["x"]') if b"/indexes" in head else faults.plain(404, "{}")
            writer.write(names.encode())
            await writer.drain()
        else:
            asked.set()
            while await reader.read(65536):
                pass
            closed.set()
        writer.close()

    listening = await asyncio.start_server(hang, "127.0.0.1", 0)
    async with listening:
        url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        async with asking(url, "none") as (question, _):
            task = asyncio.create_task(read(question))
            async with asyncio.timeout(5):
                await asked.wait()
                task.cancel()
                await asyncio.wait((task,))
                await closed.wait()


async def test_no_connection_stays_after_the_pool_is_closed(faulty: tuple[faults.Server, str]) -> None:
    server, url = faulty
    async with asking(url, "hang-mid-stream") as (question, _):
        task = asyncio.create_task(read(question))
        await until(lambda: server.open == 1)
        task.cancel()
        await asyncio.wait((task,))
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/open")).json()["open"] == 0
