"""Figures of many conversations over three servers: how many questions stay, how the load is spread, what is lost."""

import asyncio
import json
from collections import Counter, defaultdict
from contextlib import suppress
from itertools import pairwise

import httpx

from kaito_chat.backends import Message, Timeouts
from kaito_chat.models.asking import Question
from kaito_chat.models.readiness import Model
from support.chat.backends import SAMPLING
from support.chat.fakes.kaito import Answer
from support.chat.in_process import COMPLETIONS, HELLO
from support.chat.replicas import Servers, answer_of, asking, states

CONVERSATIONS, QUESTIONS = 60, 6


class Timed(Servers):
    """Servers that take some milliseconds for an answer, and record who answered which conversation.

    Attributes:
        seconds: The time of each server.
        answered: The hosts that answered each conversation, in order.
    """

    def __init__(self, *hosts: str) -> None:
        super().__init__(*hosts)
        self.seconds = dict.fromkeys(hosts, 0.01)
        self.timeouts = Timeouts(connect=5, first_token=30, token=30, answer=60)
        self.answered: defaultdict[str, list[str]] = defaultdict(list)

    async def __call__(self, request: httpx.Request) -> Answer:
        response = await super().__call__(request)
        if request.url.path == COMPLETIONS:
            await asyncio.sleep(self.seconds[request.url.host])
            asked = json.loads(request.content)["messages"][0]["content"]
            if asked.endswith("talks"):  # not of a check
                self.answered[asked].append(request.url.host)
        return response


async def talk(model: Model, name: str, pause_seconds: float) -> list[str]:
    """Ask the questions of a conversation, and return the answers."""
    answers = []
    for _ in range(QUESTIONS):
        question = asking(model)
        question._ask = lambda: Question([Message("user", name)], SAMPLING, conversation=name)  # noqa: SLF001
        answers.append(await answer_of(question))
        await asyncio.sleep(pause_seconds)
    return answers


async def all_talk(servers: Timed, events: "list[tuple[float, str, str]]" = []) -> tuple[list[str], Model]:  # noqa: B006
    """Let all conversations talk, while servers die and return, and return all answers."""
    model = servers.model()
    await model.check()
    checking = asyncio.create_task(model.run())

    async def happen() -> None:
        for seconds, act, host in events:
            await asyncio.sleep(seconds)
            (servers.dead.add if act == "dies" else servers.dead.discard)(host)

    happening = asyncio.create_task(happen())
    talks = [talk(model, f"{number} talks", 0.01) for number in range(CONVERSATIONS)]
    answers = [answer for each in await asyncio.gather(*talks) for answer in each]
    await happening
    await model.check()
    checking.cancel()
    with suppress(asyncio.CancelledError):
        await checking
    return answers, model


def share_that_stayed(servers: Timed) -> float:
    pairs = [pair for hosts in servers.answered.values() for pair in pairwise(hosts)]
    return sum(before == after for before, after in pairs) / len(pairs)


def counts(servers: Timed) -> Counter[str]:
    return Counter(host for hosts in servers.answered.values() for host in hosts)


async def test_nine_of_ten_questions_find_their_conversation_and_the_load_is_even() -> None:
    servers = Timed("a", "b", "c")
    answers, _ = await all_talk(servers)
    assert answers == [HELLO] * CONVERSATIONS * QUESTIONS
    assert share_that_stayed(servers) > 0.9
    assert max(counts(servers).values()) < 1.15 * CONVERSATIONS * QUESTIONS / 3


async def test_no_question_is_lost_or_answered_twice_while_servers_die_and_return() -> None:
    servers = Timed("a", "b", "c")
    events = [(0.03, "dies", "a"), (0.05, "dies", "b"), (0.05, "returns", "a"), (0.05, "returns", "b")]
    answers, model = await all_talk(servers, events)
    assert answers == [HELLO] * CONVERSATIONS * QUESTIONS
    assert sum(counts(servers).values()) == CONVERSATIONS * QUESTIONS, "each question was answered once"
    assert set(states(model).values()) == {"ready"}


async def test_a_slow_server_gets_fewer_questions_than_the_others() -> None:
    servers = Timed("a", "b", "c")
    servers.seconds["c"] = 0.3
    answers, _ = await all_talk(servers)
    assert answers == [HELLO] * CONVERSATIONS * QUESTIONS
    found = counts(servers)
    assert found["c"] < 0.8 * min(found["a"], found["b"])
