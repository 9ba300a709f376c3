"""Several servers of one model in the process of a test; each can refuse connections, hang, and come back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import httpx

from kaito_chat.backends import Message, Text, Timeouts, connect
from kaito_chat.models.asking import Asking, Question
from kaito_chat.models.readiness import Model
from kaito_chat.models.replica import Replica
from kaito_chat.settings import ModelSettings, Settings
from support.chat.backends import SAMPLING
from support.chat.fakes.kaito import VLLM, Answer
from support.chat.in_process import COMPLETIONS, HELLO

TIMEOUTS = Timeouts(connect=0.25, first_token=1, token=1, answer=20)
Server = Callable[[httpx.Request], Answer]


class Servers:
    """The servers, by host name.

    Attributes:
        fakes: The fake of each server.
        dead: The hosts that refuse connections.
        hanging: The hosts that accept requests and do not answer.
        silent: The hosts that answer all requests but questions.
        questions: The host of each question, in order.
        timeouts: Of requests.
    """

    def __init__(self, *hosts: str) -> None:
        self.fakes: dict[str, Server] = {host: VLLM() for host in hosts}
        self.dead: set[str] = set()
        self.hanging: set[str] = set()
        self.silent: set[str] = set()
        self.questions: list[str] = []
        self.timeouts = TIMEOUTS

    async def __call__(self, request: httpx.Request) -> Answer:
        host = request.url.host
        asked = request.url.path == COMPLETIONS and b'"max_tokens": 1,' not in request.content
        if asked:
            self.questions.append(host)
        if host in self.dead:
            raise httpx.ConnectError("refused", request=request)
        if host in self.hanging or (host in self.silent and request.url.path == COMPLETIONS):
            await asyncio.sleep(60)
        return self.fakes[host](request)

    def model(self, **settings: object) -> Model:
        """Return a model with all servers, before its first check."""
        first, *others = (f"http://{host}" for host in self.fakes)
        given: dict[str, Any] = {"name": "phi", "endpoint_url": first, "replica_urls": others, **settings}
        known = ModelSettings.model_validate(given)
        client = httpx.AsyncClient(transport=httpx.MockTransport(self))
        return Model(known, [connect(each, client, self.timeouts) for each in known.servers], 0.02)


def asking(model: Model, conversation: str = "", **settings: object) -> Asking:
    """Return a question of a conversation; it does not wait for its model."""
    given: dict[str, Any] = {"endpoint_url": "http://x", "coalesce_milliseconds": 0, "max_retries": 0, **settings}
    question = Question([Message("user", "Hello?")], SAMPLING, conversation=conversation)
    return Asking(Settings(**given), model, lambda: question)


async def answer_of(asked: Asking) -> str:
    """Return the text of an answer."""
    text = ""
    async with aclosing(asked.answer()) as batches:
        async for batch in batches:
            text += "".join(piece.text for piece in batch if isinstance(piece, Text))
    return text


def replica(model: Model, host: str) -> Replica:
    """Return a server of a model."""
    return next(each for each in model.replicas if each.name == host)


def states(model: Model) -> dict[str, str]:
    """Return the state of each server."""
    return {each.name: str(each.state) for each in model.replicas}


@asynccontextmanager
async def checked(servers: Servers, **settings: object) -> AsyncIterator[Model]:
    """Return a model whose servers are checked all the time."""
    model = servers.model(**settings)
    await model.check()
    running = asyncio.create_task(model.run())
    try:
        yield model
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def home(model: Model, servers: Servers, conversation: str) -> str:
    """Return the host that answers a conversation."""
    assert await answer_of(asking(model, conversation)) == HELLO
    return servers.questions[-1]
