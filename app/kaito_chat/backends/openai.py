"""OpenAI-compatible servers: vLLM, KAITO's newer transformers runtime, Azure OpenAI, and the others.

See: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any

import httpx

from kaito_chat.backends import sse
from kaito_chat.backends.answers import json_of, refusal
from kaito_chat.backends.base import Event, Finish, Limits, Reasoning, Sampling, Served, Text, Turn, Usage
from kaito_chat.backends.http import Server
from kaito_chat.trouble import BackendError, Kind

DONE = b"[DONE]"
# What each server is asked for beyond OpenAI's own fields; a field that it then refuses is not sent again.
EXTRA = {"vllm": ("top_k", "stream_options"), "openai": ("stream_options",), "transformers": ()}


class OpenAI:
    """A server with `/v1/models` and `/v1/chat/completions`.

    Args:
        server: Where it is.
        name: `vllm`, `transformers` or `openai`, by what it says of itself.
        model: The id to ask for; the first one that the server names when left out.
    """

    limits = Limits()

    def __init__(self, server: Server, name: str = "openai", model: str | None = None) -> None:
        self.name = name
        self._server = server
        self._model = model
        self._refused: set[str] = set()

    async def describe(self) -> Served:
        """The configured model, or the first that the server names, with its window where the server says it."""
        response = await self._server.request("GET", "/v1/models")
        if response.status_code == httpx.codes.NOT_FOUND and self._model:
            return Served(self._model)
        return served_by(response, self._model)

    async def stream(self, served: Served, turns: Sequence[Turn], sampling: Sampling) -> AsyncGenerator[Event]:
        """Ask for a completion; a field that the server does not know is left out, once and for all."""
        while True:
            body = self._body(served, turns, sampling)
            try:
                async with aclosing(self._attempt(body)) as events:
                    async for event in events:
                        yield event
            except BackendError as error:
                if error.parameter is None or error.parameter not in body:
                    raise
                self._refused.add(error.parameter)
            else:
                return

    async def count_tokens(self, served: Served, turns: Sequence[Turn]) -> int | None:
        """Only vLLM counts for us."""
        if self.name != "vllm":
            return None
        try:
            body = {"model": served.model, "messages": [turn._asdict() for turn in turns]}
            found = json_of(await self._server.request("POST", "/tokenize", body))
        except BackendError:
            return None
        count = found.get("count") if isinstance(found, dict) else None
        return count if isinstance(count, int) else None

    def _path(self) -> str:
        return "/v1/chat/completions"

    def _body(self, served: Served, turns: Sequence[Turn], sampling: Sampling) -> dict[str, Any]:
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
        body = {key: value for key, value in fields.items() if key not in self._refused}
        if "max_tokens" in self._refused and "max_completion_tokens" not in self._refused:
            body["max_completion_tokens"] = sampling.max_tokens
        if served.model:
            body["model"] = served.model
        return body | {"messages": [turn._asdict() for turn in turns], "stream": True}

    async def _attempt(self, body: dict[str, Any]) -> AsyncGenerator[Event]:
        finished = False
        async with (
            self._server.stream(self._path(), body) as pieces,
            aclosing(sse.data(pieces.chunks)) as data,
        ):
            async for item in data:
                if item == DONE:
                    return
                for event in events_of(item):
                    if isinstance(event, Text | Reasoning):
                        pieces.progress()
                    finished = finished or isinstance(event, Finish)
                    yield event
        if not finished:  # [DONE] is not sent by every server, a reason to finish is
            raise BackendError(Kind.CUT_OFF, "the stream ended without a reason to finish")


def served_by(response: httpx.Response, wanted: str | None) -> Served:
    """What an answer to `/v1/models` says.

    Raises:
        BackendError: It names no model.
    """
    if response.is_error:
        raise refusal(response)
    body = json_of(response)
    entries = body.get("data") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BackendError(Kind.GARBLED, "/v1/models does not answer with a list of models")
    if not entries and not wanted:
        raise BackendError(Kind.NOT_READY, "no model is loaded")
    named = next((entry for entry in entries if entry.get("id") == wanted), entries[0] if entries else {})
    window = named.get("max_model_len")
    return Served(wanted or str(named.get("id", "")), window if isinstance(window, int) and window > 0 else None)


def events_of(item: bytes) -> list[Event]:
    """The events in one piece of a streamed completion.

    Raises:
        BackendError: It is not JSON, or it is an error.
    """
    try:
        piece = json.loads(item)
    except (ValueError, RecursionError):
        raise BackendError(Kind.CUT_OFF, "a piece of the stream is not JSON") from None
    if not isinstance(piece, dict):
        raise BackendError(Kind.CUT_OFF, "a piece of the stream is not an object")
    if piece.get("error"):
        error = piece["error"]
        words = error.get("message") if isinstance(error, dict) else error
        raise BackendError(Kind.CUT_OFF, str(words)[:300])
    choices = piece.get("choices")
    choice = _object(choices[0]) if isinstance(choices, list) and choices else {}
    delta, usage = _object(choice.get("delta")), _object(piece.get("usage"))
    events: list[Event] = []
    if thought := delta.get("reasoning") or delta.get("reasoning_content"):
        events.append(Reasoning(str(thought)))
    if text := delta.get("content"):
        events.append(Text(str(text)))
    if usage:
        events.append(Usage(_number(usage.get("prompt_tokens")), _number(usage.get("completion_tokens"))))
    if reason := choice.get("finish_reason"):
        events.append(Finish(str(reason)))
    return events


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
