"""Talks to a fake server over a fake transport, as the application does to a genuine one over its pool."""

from collections.abc import Callable
from contextlib import aclosing

import httpx

from kaito_chat.backends import Connection, Event, Patience, Sampling, Text, Turn, connect
from kaito_chat.settings import ModelSettings

SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=100)
QUESTION = [Turn("system", "Be brief."), Turn("user", "Hello?")]
QUICK = Patience(connect=1, first_token=1, token=1, answer=1)


def connection(fake: Callable[[httpx.Request], httpx.Response], **settings: object) -> Connection:
    client = httpx.AsyncClient(transport=httpx.MockTransport(fake))
    model = ModelSettings.model_validate({"endpoint_url": "http://model", **settings})
    return connect(model, client, QUICK)


async def ask(
    fake: Callable[[httpx.Request], httpx.Response],
    sampling: Sampling = SAMPLING,
    turns: list[Turn] = QUESTION,
    **settings: object,
) -> list[Event]:
    backend = await connection(fake, **settings).backend()
    served = await backend.describe()
    async with aclosing(backend.stream(served, turns, sampling)) as events:
        return [event async for event in events]


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))
