"""OpenAI-compatible servers: vLLM, KAITO's newer transformers runtime, Azure OpenAI, and others.

See: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

import httpx

from kaito_chat.backends import sse
from kaito_chat.backends.choices import served_by
from kaito_chat.backends.completions import events_of, whole
from kaito_chat.backends.errors import BackendError, Cause, Kind
from kaito_chat.backends.http import Endpoint, read_all
from kaito_chat.backends.interface import (
    Capabilities,
    Event,
    Message,
    Quirks,
    Reasoning,
    Request,
    Sampling,
    ServedModel,
    Text,
)
from kaito_chat.backends.prompt import STOP, folded, prompt_of
from kaito_chat.backends.response_stream import ResponseStream
from kaito_chat.backends.responses import json_of, object_of
from kaito_chat.backends.thinking import ThinkingSplitter

DONE = b"[DONE]"
# Request fields beyond OpenAI's own, by server; a field that a server then refuses is not sent again.
EXTRA = {"vllm": ("top_k", "stream_options"), "openai": ("stream_options",), "transformers": ()}
# A bare 500 may have many causes: how often other forms of a request are tried for it.
SUSPECT_AGAIN_SECONDS = 60
NO_ROUTE = (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)


class OpenAI:
    """A server with `/v1/models` and `/v1/chat/completions`.

    Args:
        endpoint: Its address.
        name: `vllm`, `transformers` or `openai`.
        model_id: The id to send; the first one that the server lists when left out.
    """

    capabilities = Capabilities()

    def __init__(self, endpoint: Endpoint, name: str = "openai", model_id: str | None = None) -> None:
        self.name = name
        self._endpoint = endpoint
        self._model_id = model_id
        self._quirks: defaultdict[str, Quirks] = defaultdict(Quirks)
        self._suspected: float | None = None

    def quirks(self, model_id: str) -> Quirks:
        """Return the requirements of a model learned so far."""
        return self._quirks[model_id]

    async def describe(self) -> ServedModel:
        """Return the configured model, or the first one that the server lists."""
        response = await self._endpoint.request("GET", "/v1/models")
        if response.status_code == httpx.codes.NOT_FOUND and self._model_id:
            return ServedModel(self._model_id)
        return served_by(response, self._model_id)

    def request(self, served: ServedModel, messages: Sequence[Message], sampling: Sampling) -> Request:
        """Return the request for a question, in the form that the model is known to accept."""
        quirks = self._quirks[served.id]
        return self._written(Request(served, messages, sampling, quirks.no_system_role, quirks.no_chat_template))

    def adapt(self, request: Request, error: BackendError) -> Request | None:
        """Return a refused request in another form, and remember why it was refused."""
        quirks, messages = self._quirks[request.served.id], request.body.get("messages", ())
        can_fold = bool(messages) and messages[0]["role"] == "system"
        if error.parameter in request.body:
            quirks.refused.add(str(error.parameter))
            return self._written(request)
        if can_fold and error.cause is Cause.NO_SYSTEM_ROLE:
            quirks.no_system_role = True
            return self._written(replace(request, folded=True))
        if can_fold and error.cause is Cause.UNSAID and self._may_suspect():
            return self._written(replace(request, folded=True, suspected=True))
        if messages and error.cause is Cause.NO_CHAT_TEMPLATE:
            quirks.no_chat_template = True
            return self._written(replace(request, plain=True))
        return None

    async def stream(self, request: Request) -> AsyncGenerator[list[Event]]:
        """Send a completion request, and yield the answer as it arrives."""
        begun = False
        quirks = self._quirks[request.served.id]
        try:
            async with aclosing(self._events(request, quirks)) as batches:
                async for events in batches:
                    if not begun:
                        begun = True
                        quirks.no_system_role = quirks.no_system_role or request.suspected
                    yield events
        except BackendError as error:
            if request.plain and error.status in NO_ROUTE and error.parameter not in request.body:
                detail = f"no chat template, and no /v1/completions: {error.detail}"
                raise BackendError(Kind.NO_CHAT, detail) from error
            if request.suspected and not begun:
                error.detail += "; the same without a system role: the model may have no chat template"
            raise

    async def count_tokens(self, served: ServedModel, messages: Sequence[Message]) -> int | None:
        """Return vLLM's count; other servers have no such route."""
        if self.name != "vllm":
            return None
        quirks = self._quirks[served.id]
        body: dict[str, Any] = {"model": served.id}
        if quirks.no_chat_template:
            body["prompt"] = prompt_of(messages)
        else:
            body["messages"] = [each._asdict() for each in (folded(messages) if quirks.no_system_role else messages)]
        try:
            found = json_of(await self._endpoint.request("POST", "/tokenize", body))
        except BackendError:
            return None
        count = object_of(found).get("count")
        return count if isinstance(count, int) else None

    def _may_suspect(self) -> bool:
        """Return whether a 500 without a reason is worth another form: rarely, and never for vLLM, which has one."""
        now, last = time.monotonic(), self._suspected
        if self.name == "vllm" or (last is not None and now - last < SUSPECT_AGAIN_SECONDS):
            return False
        self._suspected = now
        return True

    def _written(self, request: Request) -> Request:
        return replace(request, body=self._body(request))

    def _path(self, *, plain: bool) -> str:
        return "/v1/completions" if plain else "/v1/chat/completions"

    def _body(self, request: Request) -> dict[str, Any]:
        served, sampling = request.served, request.sampling
        extra = EXTRA.get(self.name, EXTRA["openai"])
        fields: dict[str, Any] = {
            "max_tokens": sampling.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
        }
        if sampling.top_k is not None and "top_k" in extra:
            fields["top_k"] = sampling.top_k
        if "stream_options" in extra:
            fields["stream_options"] = {"include_usage": True}
        if request.plain:
            fields["stop"] = list(STOP)
        refused = self._quirks[served.id].refused
        body = {key: value for key, value in fields.items() if key not in refused}
        if "max_tokens" in refused and "max_completion_tokens" not in refused and not request.plain:
            body["max_completion_tokens"] = sampling.max_tokens
        if served.id:
            body["model"] = served.id
        if request.plain:
            return body | {"prompt": prompt_of(request.messages), "stream": True}
        messages = folded(request.messages) if request.folded else request.messages
        return body | {"messages": [each._asdict() for each in messages], "stream": True}

    async def _events(self, request: Request, quirks: Quirks) -> AsyncGenerator[list[Event]]:
        splitter = ThinkingSplitter(quirks, strip=request.plain)
        async with self._endpoint.stream(self._path(plain=request.plain), request.body) as response:
            if response.whole:
                if events := splitter.split(whole(await read_all(response.chunks))):
                    yield events
                return
            async with aclosing(_streamed(response, splitter)) as parts:
                async for events in parts:
                    yield events
        if events := splitter.end():
            yield events


async def _streamed(response: ResponseStream, splitter: ThinkingSplitter) -> AsyncGenerator[list[Event]]:
    """Yield the events of a stream, up to its end or its first error."""
    async with aclosing(sse.data(response.chunks)) as data:
        async for items in data:
            part = _Part(splitter, begun=response.begun)
            done = part.read(items)
            if part.begun:
                response.progress()
            if part.events:
                yield part.events
            if part.error:
                raise part.error
            if done:
                return
    splitter.must_be_finished()  # not every server sends [DONE], but each sends a finish reason


class _Part:
    """The part of a stream that arrived together.

    Attributes:
        events: Its events; those before an error count.
        begun: Whether it holds text or reasoning.
        error: The error that ends it.
    """

    def __init__(self, splitter: ThinkingSplitter, *, begun: bool) -> None:
        self.events: list[Event] = []
        self.begun = False
        self.error: BackendError | None = None
        self._splitter = splitter
        self._was_begun = begun

    def read(self, items: list[bytes]) -> bool:
        """Read the data of events, and return whether the stream is at its end."""
        try:
            for item in items:
                if item == DONE:
                    return True
                events = self._splitter.split(events_of(item, begun=self.begun or self._was_begun))
                self.begun = self.begun or any(isinstance(event, Text | Reasoning) for event in events)
                self.events += events
        except BackendError as error:
            self.error = error
        return False
