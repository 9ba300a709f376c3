"""The running application in front of three scripted servers of one model that die, hang and return."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest

from kaito_chat.chainlit_client import Page
from support.chat.processes import Running, chat, engine, free_port, get
from support.chat.waiting import until

PEOPLE = 9
COUNT = 120
NUMBERS = " ".join(str(number) for number in range(1, COUNT + 1))


class Engines:
    """Three servers, each at a port of its own."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.ports = [free_port() for _ in range(3)]
        self.running: list[Running] = []
        self._folder, self._stack = folder, stack
        for place in range(3):
            self.start(place)

    def start(self, place: int) -> None:
        folder = self._folder / f"engine-{place}-{time.monotonic_ns()}"
        folder.mkdir()
        self.running[place : place + 1] = [self._stack.enter_context(engine(folder, self.ports[place], 10))]

    def kill(self, place: int) -> None:
        self.running[place].process.kill()
        self.running[place].process.wait(10)

    def models(self) -> str:
        first, *others = (f"http://127.0.0.1:{port}" for port in self.ports)
        return json.dumps([{"name": "phi", "endpoint_url": first, "replica_urls": others}])


@contextmanager
def serving(folder: Path, **settings: str) -> Iterator[tuple[Engines, Running]]:
    with ExitStack() as stack:
        engines = Engines(folder, stack)
        app = stack.enter_context(chat("", folder, models=engines.models(), **settings))
        deadline = time.monotonic() + 20
        while ready(app) != 3:
            assert time.monotonic() < deadline, app.text()
            time.sleep(0.1)
        yield engines, app


def ready(app: Running) -> int:
    replicas = get(app.url + "/status").json()["models"][0]["replicas"]
    return sum(each["state"] == "ready" for each in replicas)


def per_server(app: Running, name: str) -> dict[str, float]:
    """Return the values of a gauge by server."""
    lines = [line for line in app.metrics().splitlines() if line.startswith(name + "{")]
    return {line.split('replica="')[1].split('"')[0]: float(line.split()[-1]) for line in lines}


@asynccontextmanager
async def pages(app: Running) -> AsyncIterator[list[Page]]:
    opened = [Page(app.url) for _ in range(PEOPLE)]
    for page in opened:
        await page.open()
    yield opened
    for page in opened:
        await page.close()


async def press(app: Running, page: Page, name: str) -> None:
    """Press the newest button of a name, and wait for the end of the turn."""
    action = next(each for each in reversed(page.actions) if each["name"] == name)
    page._begin()  # noqa: SLF001 - as a question does
    async with httpx.AsyncClient() as client:
        body = {"sessionId": page.session_id, "action": action}
        (await client.post(f"{app.url}/project/action", json=body, timeout=60)).raise_for_status()
    await page.end_of_turn()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engines, Running]]:
    quick = {"connect_timeout_seconds": "0.5", "first_token_timeout_seconds": "60"}
    with serving(tmp_path_factory.mktemp("replicas"), **quick) as both:
        yield both


async def test_a_server_that_dies_in_the_middle_of_answers_loses_none(served: tuple[Engines, Running]) -> None:
    engines, app = served
    async with pages(app) as opened:
        asking = [asyncio.create_task(page.ask(f"count to {COUNT}")) for page in opened]
        await asyncio.gather(*(page.first_text() for page in opened))
        running = per_server(app, "kaito_chat_replica_active_streams")
        assert sum(running.values()) == PEOPLE
        assert set(running.values()) == {PEOPLE / 3}, "the answers are spread evenly"
        engines.kill(0)
        heard = await asyncio.gather(*asking)
        cut = [page for page, each in zip(opened, heard, strict=True) if each.notice == "cut_off"]
        assert len(cut) == PEOPLE / 3
        assert all("continue" in page.heard.actions for page in cut)
        whole = [each for each in heard if each.notice is None]
        assert [each.answer for each in whole] == [NUMBERS] * (PEOPLE - PEOPLE // 3)
        for page in cut:
            await press(app, page, "continue")
            assert page.heard.answer
            assert page.heard.notice is None
        heard = await asyncio.gather(*(page.ask("and now?") for page in opened if page not in cut))
        assert all("answer 2." in (each.answer or "") for each in heard)
    status = get(app.url + "/status").json()["models"][0]
    assert (status["state"], status["text"]) == ("ready", "ready, 2 of 3 servers")
    assert list(per_server(app, "kaito_chat_replica_ready").values()) == [0, 1, 1]
    await asyncio.to_thread(engines.start, 0)
    await until(lambda: ready(app) == 3)


async def test_questions_that_arrive_while_a_server_is_dead_are_all_answered(served: tuple[Engines, Running]) -> None:
    engines, app = served
    async with pages(app) as opened:
        engines.kill(1)
        heard = await asyncio.gather(*(page.ask("hello") for page in opened))
        assert all("answer 1." in (each.answer or "") for each in heard)
        assert {each.notice for each in heard} == {None}
    await asyncio.to_thread(engines.start, 1)
    await until(lambda: ready(app) == 3)


async def test_a_server_that_hangs_is_taken_out_in_bounded_time_and_returns(served: tuple[Engines, Running]) -> None:
    engines, app = served
    stopped = engines.running[2].process
    async with pages(app) as opened:
        stopped.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            heard = await asyncio.gather(*(page.ask("hello") for page in opened))
            assert time.monotonic() - began < 30, "long before the time to the first token is over"
            assert all("answer 1." in (each.answer or "") for each in heard)
            assert {each.notice for each in heard} == {None}
            assert list(per_server(app, "kaito_chat_replica_ready").values()) == [1, 1, 0]
        finally:
            stopped.send_signal(signal.SIGCONT)
        await until(lambda: ready(app) == 3)
        heard = await asyncio.gather(*(page.ask("again") for page in opened))
        assert all("answer 2." in (each.answer or "") for each in heard)


async def test_a_model_without_a_server_waits_for_the_first_that_returns(served: tuple[Engines, Running]) -> None:
    engines, app = served
    async with pages(app) as opened:
        for place in range(3):
            engines.kill(place)
        asking = [asyncio.create_task(page.ask("hello", 60)) for page in opened]
        await until(lambda: get(app.url + "/status").json()["models"][0]["state"] == "gone")
        await asyncio.to_thread(engines.start, 1)
        heard = await asyncio.gather(*asking)
        assert all("answer 1." in (each.answer or "") for each in heard), [(each.answer, each.notice) for each in heard]
    for place in (0, 2):
        await asyncio.to_thread(engines.start, place)
    await until(lambda: ready(app) == 3)
