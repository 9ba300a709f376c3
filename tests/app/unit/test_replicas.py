"""Questions to a model with several servers that die, hang, fail and return."""

import asyncio
import re
from collections.abc import Callable

import pytest

from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.models.states import State
from kaito_chat.telemetry import metrics
from kaito_chat.texts import texts_for
from support.chat.fakes.kaito import VLLM, Answer, broken, delta, finish, sse
from support.chat.in_process import HELLO, Hanging
from support.chat.replicas import Servers, answer_of, asking, checked, home, replica, states
from support.chat.waiting import until

ENGLISH = texts_for("en-US")


@pytest.fixture
def servers() -> Servers:
    return Servers("a", "b", "c")


FAILURES: dict[str, Callable[[], Answer]] = {
    "unavailable": lambda: Answer(503, text="no"),
    "broken": broken,
    "busy": lambda: Answer(429, text="busy"),
    "busy-for-long": lambda: Answer(429, headers={"retry-after": "300"}, text="busy"),
    "login-page": lambda: Answer(200, html="<html>Sign in</html>"),
    "unauthorized": lambda: Answer(401, text="no"),
    "garbled": lambda: Answer(200, json={"choices": []}),
    "not-json": lambda: Answer(200, text="data: {oops\n\n", headers={"content-type": "text/event-stream"}),
    "cut": lambda: sse(delta(role="assistant", content=""), done=False),
    "aborted": lambda: sse(delta(role="assistant", content=""), finish("abort")),
}


@pytest.mark.parametrize("kind", FAILURES)
async def test_a_question_that_fails_before_the_first_token_is_answered_elsewhere(servers: Servers, kind: str) -> None:
    async with checked(servers) as model:
        first = await home(model, servers, "talk")
        failing = servers.fakes[first]
        assert isinstance(failing, VLLM)
        failing.refusals = [FAILURES[kind]()]
        assert await answer_of(asking(model, "talk")) == HELLO
        assert servers.questions[:2] == [first, first]
        assert len(servers.questions) == 3, "one question to the server that fails, one to another"
        assert servers.questions[2] != first
        await until(lambda: replica(model, first).settled, 5)
        assert model.state is State.READY


async def test_a_dead_server_loses_no_question_and_returns(servers: Servers) -> None:
    async with checked(servers) as model:
        first = await home(model, servers, "talk")
        servers.dead.add(first)
        assert await answer_of(asking(model, "talk")) == HELLO
        await until(lambda: states(model)[first] == "gone", 5)
        assert model.state is State.READY
        assert ENGLISH.status(model) == "ready, 2 of 3 servers"
        before = len(servers.questions)
        for number in range(9):
            await answer_of(asking(model, f"new {number}"))
        assert first not in servers.questions[before:], "it is asked nothing until a check succeeds"
        servers.dead.clear()
        await until(lambda: set(states(model).values()) == {"ready"}, 5)
        assert ENGLISH.status(model) == "ready"
        for number in range(9):
            await answer_of(asking(model, f"newer {number}"))
        assert first in servers.questions[-9:]


async def test_a_question_waits_while_all_servers_are_dead(servers: Servers) -> None:
    async with checked(servers) as model:
        servers.dead |= {"a", "b", "c"}
        question = asking(model)
        waits = asyncio.Event()

        async def until_ready() -> None:
            while not model.ready:
                waits.set()
                await model.changed(1)

        question._until_ready = until_ready  # noqa: SLF001 - as chat.turn gives it
        answering = asyncio.create_task(answer_of(question))
        await asyncio.wait_for(waits.wait(), 5)
        assert model.state is State.GONE
        servers.dead -= {"b"}
        assert await asyncio.wait_for(answering, 5) == HELLO
        assert servers.questions[-1] == "b"


async def test_a_question_that_breaks_servers_is_asked_twice_only(servers: Servers) -> None:
    async with checked(servers) as model:
        for fake in servers.fakes.values():
            assert isinstance(fake, VLLM)
            fake.refusals = [broken()]
        with pytest.raises(BackendError) as raised:
            await answer_of(asking(model))
        assert raised.value.kind is Kind.FAILED
        assert len(servers.questions) == 2


async def test_a_refused_question_is_asked_once(servers: Servers) -> None:
    async with checked(servers) as model:
        for fake in servers.fakes.values():
            assert isinstance(fake, VLLM)
            fake.refusals = [VLLM.error(400, "roles must alternate", "BadRequestError")]
        with pytest.raises(BackendError, match="roles must alternate"):
            await answer_of(asking(model))
        assert len(servers.questions) == 1
        assert all(each.settled for each in model.replicas)


async def test_a_stream_that_dies_in_the_middle_is_not_asked_again_and_continues_elsewhere(servers: Servers) -> None:
    async with checked(servers) as model:
        first = await home(model, servers, "talk")
        failing = servers.fakes[first]
        assert isinstance(failing, VLLM)
        failing.refusals = [sse(delta(content="Half"), done=False)]
        question = asking(model, "talk")
        with pytest.raises(BackendError) as raised:
            await answer_of(question)
        assert raised.value.kind is Kind.CUT_OFF
        assert question.progress.answer == "Half"
        assert servers.questions == [first, first]
        await until(lambda: replica(model, first).settled, 5)
        second = await home(model, servers, "talk")
        assert second != first, "although the first one works again"
        assert await home(model, servers, "talk") == second


async def test_one_of_several_that_was_never_ready_does_not_hide_the_others(servers: Servers) -> None:
    servers.dead |= {"a", "b"}
    async with checked(servers) as model:
        assert states(model) == {"a": "warming_up", "b": "warming_up", "c": "ready"}
        assert ENGLISH.status(model) == "ready, 1 of 3 servers"
        assert await home(model, servers, "talk") == "c"


async def test_a_chosen_adapter_is_asked_where_it_is_served(servers: Servers) -> None:
    class Tuned(VLLM):
        def get_v1_models(self, _: object) -> Answer:
            entries = [{"id": self.model, "owned_by": "vllm"}, {"id": "tuned", "parent": self.model}]
            return Answer(200, json={"object": "list", "data": entries})

    servers.fakes["b"] = Tuned()
    async with checked(servers) as model:
        for number in range(6):
            chosen = model.pick(str(number), "tuned")
            assert chosen
            assert chosen.name == "b"
            assert chosen.served("tuned").id == "tuned"  # type: ignore[union-attr]


async def test_stopping_an_answer_is_no_failure_of_its_server(servers: Servers) -> None:
    async with checked(servers) as model:
        first = await home(model, servers, "talk")
        hanging = Hanging(delta(content="Half"))
        failing = servers.fakes[first]
        assert isinstance(failing, VLLM)
        failing.refusals = [hanging.answer()]
        question = asking(model, "talk")
        answering = asyncio.create_task(answer_of(question))
        await until(lambda: question.progress.answer == "Half", 5)
        assert replica(model, first).running == 1
        answering.cancel()
        await asyncio.wait((answering,))
        assert hanging.closed
        assert replica(model, first).running == 0
        assert replica(model, first).settled
        assert await home(model, servers, "talk") == first


def gauges(name: str) -> dict[str, float]:
    """Return the values of a gauge of the model's servers."""
    found = re.findall(rf'{name}{{model="phi",replica="(\w)"}} (\S+)', metrics.exposition().decode())
    return {host: float(value) for host, value in found}


async def test_metrics_tell_the_state_and_the_running_answers_of_each_server(servers: Servers) -> None:
    async with checked(servers) as model:
        assert gauges("kaito_chat_replica_ready") == {"a": 1, "b": 1, "c": 1}
        assert gauges("kaito_chat_replica_active_streams") == {"a": 0, "b": 0, "c": 0}
        servers.dead.add("b")
        replica(model, "b").check_now.set()
        await until(lambda: gauges("kaito_chat_replica_ready") == {"a": 1, "b": 0, "c": 1}, 5)
        with replica(model, "a").answering("phi"), replica(model, "a").answering("phi"):
            assert gauges("kaito_chat_replica_active_streams") == {"a": 2, "b": 0, "c": 0}


async def test_questions_of_many_conversations_are_spread(servers: Servers) -> None:
    async with checked(servers) as model:
        await asyncio.gather(*(answer_of(asking(model, str(number))) for number in range(90)))
    counts = [servers.questions.count(host) for host in "abc"]
    assert sum(counts) == 90
    assert max(counts) - min(counts) <= 6


async def test_the_name_of_a_server_holds_no_credentials() -> None:
    model = Servers("a", "b").model(replica_urls=["http://user:secret@b:8080/path"])
    assert [each.name for each in model.replicas] == ["a", "b:8080/path"]
