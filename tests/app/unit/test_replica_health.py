"""Servers of one model that hang: they are taken out, and return when they answer."""

import asyncio

import pytest

from kaito_chat.backends import Timeouts
from kaito_chat.models.states import State
from support.chat.fakes.kaito import VLLM, Answer, Legacy06
from support.chat.in_process import HELLO
from support.chat.replicas import Servers, answer_of, asking, checked, home, replica, states
from support.chat.waiting import until


@pytest.fixture
def servers() -> Servers:
    return Servers("a", "b", "c")


async def test_a_hanging_server_is_taken_out_and_its_question_moves(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaito_chat.models.replica.DOUBT_SECONDS", 0.05)
    async with checked(servers) as model:
        first = await home(model, servers, "talk")
        for each in model.replicas:
            each.endpoint.timeouts = Timeouts(connect=0.25, first_token=60, token=60, answer=60)
        servers.hanging.add(first)
        began = asyncio.get_running_loop().time()
        assert await answer_of(asking(model, "talk")) == HELLO
        assert asyncio.get_running_loop().time() - began < 10, "bounded by two checks, not by the time to first token"
        assert servers.questions[1] == first
        assert servers.questions[2] != first
        assert states(model)[first] == "gone"
        servers.hanging.clear()
        await until(lambda: states(model)[first] == "ready", 5)


async def test_a_server_whose_engine_hangs_returns_only_when_it_answers(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kaito_chat.models.replica.ANSWER_SECONDS", 0.1)
    async with checked(servers) as model:
        first = await home(model, servers, "talk")
        servers.silent.add(first)
        assert await answer_of(asking(model, "talk")) == HELLO, "after the time to the first token"
        await until(lambda: states(model)[first] == "gone", 5)
        await asyncio.sleep(0.3)
        assert states(model)[first] == "gone", "its list of models answers, its engine does not"
        servers.silent.clear()
        await until(lambda: states(model)[first] == "ready", 5)


async def test_a_server_that_says_that_its_engine_is_dead_is_taken_out(servers: Servers) -> None:
    class Dead(VLLM):
        def get_health(self, _: object) -> Answer:
            return Answer(503)

    async with checked(servers) as model:
        servers.fakes["b"] = Dead()
        replica(model, "b").check_now.set()
        await until(lambda: states(model)["b"] == "gone", 5)
        assert model.state is State.READY


async def test_the_last_server_is_not_taken_out_for_being_slow(servers: Servers) -> None:
    async with checked(servers) as model:
        servers.hanging |= {"a", "b", "c"}
        for each in model.replicas:
            each.check_now.set()
        await until(lambda: list(states(model).values()).count("gone") == 2, 5)
        await asyncio.sleep(0.5)
        assert model.ready
        servers.hanging.clear()
        await until(lambda: set(states(model).values()) == {"ready"}, 5)


async def test_a_single_server_that_is_slow_once_is_polled_as_before() -> None:
    alone = Servers("a")
    model = alone.model()
    await model.check()
    alone.hanging.add("a")
    await model.check()
    assert model.ready
    assert model.replicas[0].settled


async def test_a_server_that_does_not_stream_keeps_its_question_while_it_misses_checks() -> None:
    servers = Servers("a", "b")
    servers.fakes = {"a": Legacy06(), "b": Legacy06()}
    model = servers.model()
    await model.check()
    busy = replica(model, "a")
    with busy.answering("phi"):
        servers.hanging.add("a")
        for _ in range(3):
            await busy.check()
        assert busy.ready
    for _ in range(2):
        await busy.check()
    assert not busy.ready


async def test_checks_at_the_same_time_are_one_miss(servers: Servers) -> None:
    model = servers.model()
    await model.check()
    servers.hanging.add("a")
    await asyncio.gather(*(model.check() for _ in range(5)))
    assert replica(model, "a").ready
    await model.check()
    assert not replica(model, "a").ready
