"""Backends, models and questions in front of a fake server, over httpx's mock transport."""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import httpx

from kaito_chat.backends import (
    Backend,
    Endpoint,
    Event,
    Message,
    Sampling,
    ServedModel,
    Text,
    Timeouts,
    backend_at,
    connect,
)
from kaito_chat.backends.errors import BackendError
from kaito_chat.models.asking import Asking, Question
from kaito_chat.models.readiness import Model
from kaito_chat.settings import ModelSettings, Settings

SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=100)
QUESTION = [Message("system", "Be brief."), Message("user", "Hello?")]
QUICK = Timeouts(connect=1, first_token=1, token=1, answer=1)
Server = Callable[[httpx.Request], httpx.Response]


def endpoint(server: Server) -> Endpoint:
    """Return the endpoint of a fake server."""
    return connect(model_settings(), httpx.AsyncClient(transport=httpx.MockTransport(server)), QUICK)


def model_settings(**settings: object) -> ModelSettings:
    return ModelSettings.model_validate({"endpoint_url": "http://model", **settings})


async def backend_of(server: Server, **settings: object) -> Backend:
    """Return the backend of a fake server."""
    return await backend_at(endpoint(server), model_settings(**settings))


def model_of(server: Server, **settings: object) -> Model:
    """Return the model of a fake server, before its first check."""
    return Model(model_settings(**settings), [endpoint(server)], 0.01)


async def watching(server: Server, **settings: object) -> Model:
    """Return the model of a fake server, after its first check."""
    model = model_of(server, **settings)
    await model.check()
    return model


def asking_of(
    settings: Settings, model: Model, messages: Sequence[Message], sampling: Sampling = SAMPLING, **more: Any
) -> Asking:
    """Return a question that does not wait for its model."""
    return Asking(settings, model, lambda: Question(messages, sampling, **more))


async def backend_at_url(url: str, client: httpx.AsyncClient, timeouts: Timeouts = QUICK) -> Backend:
    """Return the backend at a URL."""
    settings = ModelSettings(endpoint_url=url)
    return await backend_at(connect(settings, client, timeouts), settings)


async def events_of(
    backend: Backend, served: ServedModel, messages: Sequence[Message], sampling: Sampling = SAMPLING
) -> list[Event]:
    """Return the events of an answer; a refused question is sent again in each form that the backend has."""
    request = backend.request(served, messages, sampling)
    while True:
        try:
            async with aclosing(backend.stream(request)) as batches:
                return [event async for events in batches for event in events]
        except BackendError as error:
            adapted = backend.adapt(request, error)
            if adapted is None:
                raise
            request = adapted


async def ask(
    server: Server, sampling: Sampling = SAMPLING, messages: Sequence[Message] = QUESTION, **settings: object
) -> list[Event]:
    """Return the events of an answer of a fake server."""
    backend = await backend_of(server, **settings)
    return await events_of(backend, await backend.describe(), messages, sampling)


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))
