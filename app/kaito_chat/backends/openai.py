"""OpenAI-compatible servers: vLLM, KAITO's newer transformers runtime, Azure OpenAI, and the others.

See: https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html
"""

import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import httpx

from kaito_chat.backends import sse
from kaito_chat.backends.choices import served_by
from kaito_chat.backends.completions import events_of, whole
from kaito_chat.backends.http import Server, gather
from kaito_chat.backends.interface import Event, Limits, Quirks, Reasoning, Sampling, Served, Text, Turn
from kaito_chat.backends.prompt import STOP, folded, prompt_of
from kaito_chat.backends.responses import json_of, object_of
from kaito_chat.backends.thinking import ToldApart
from kaito_chat.trouble import BackendError, Cause, Kind

DONE = b"[DONE]"
# What each server is asked for beyond OpenAI's own fields; a field that it then refuses is not sent again.
EXTRA = {"vllm": ("top_k", "stream_options"), "openai": ("stream_options",), "transformers": ()}
# A bare 500 may have many causes: how often the other forms of a question are tried for it.
SUSPECT_AGAIN_SECONDS = 60
NO_ROUTE = (httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED)


@dataclass
class Form:
    """How one question is asked: refusals change it until the server takes it.

    Attributes:
        fold: The system prompt stands in the first question.
        plain: The conversation is one text to be continued.
        suspected: It was folded on suspicion, and not because the server said why it refused.
    """

    fold: bool
    plain: bool
    suspected: bool = False


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
        self._quirks: defaultdict[str, Quirks] = defaultdict(Quirks)
        self._suspected: float | None = None

    def quirks(self, model: str) -> Quirks:
        """The requirements of a model learned so far."""
        return self._quirks[model]

    async def describe(self) -> Served:
        """The configured model, or the first that the server names, with its window where the server says it."""
        response = await self._server.request("GET", "/v1/models")
        if response.status_code == httpx.codes.NOT_FOUND and self._model:
            return Served(self._model)
        return served_by(response, self._model)

    async def stream(self, served: Served, turns: Sequence[Turn], sampling: Sampling) -> AsyncGenerator[Event]:
        """Ask for a completion; what the server refuses about the form of a question is changed, and remembered."""
        quirks = self._quirks[served.model]
        form = Form(quirks.no_system_role, quirks.no_chat_template)
        while True:
            body = self._body(served, turns, sampling, form)
            try:
                async with aclosing(self._attempt(body, quirks, plain=form.plain)) as events:
                    async for event in events:
                        if form.suspected:
                            quirks.no_system_role, form.suspected = True, False
                        yield event
            except BackendError as error:
                self._change(form, quirks, error, body)
            else:
                return

    def _change(self, form: Form, quirks: Quirks, error: BackendError, body: dict[str, Any]) -> None:
        """Put a refused question into another form.

        Raises:
            BackendError: There is no other form, or it is not the form that the server refuses.
        """
        messages = body.get("messages", ())
        can_fold = bool(messages) and messages[0]["role"] == "system"
        if error.parameter in body:
            quirks.refused.add(str(error.parameter))
        elif can_fold and error.cause is Cause.NO_SYSTEM_ROLE:
            form.fold = quirks.no_system_role = True
        elif can_fold and error.cause is Cause.UNSAID and self._may_suspect():
            form.fold = form.suspected = True
        elif messages and error.cause is Cause.NO_CHAT_TEMPLATE:
            form.plain = quirks.no_chat_template = True
        elif form.plain and error.status in NO_ROUTE:
            raise BackendError(Kind.NO_CHAT, f"no chat template, and no /v1/completions: {error.detail}") from error
        else:
            if form.suspected:
                error.detail += "; the same without a system role: the model may have no chat template"
            raise error

    def _may_suspect(self) -> bool:
        """Whether a bare 500 is worth another form: vLLM gives reasons, and a server breaks for other reasons too."""
        now, last = time.monotonic(), self._suspected
        if self.name == "vllm" or (last is not None and now - last < SUSPECT_AGAIN_SECONDS):
            return False
        self._suspected = now
        return True

    async def count_tokens(self, served: Served, turns: Sequence[Turn]) -> int | None:
        """Only vLLM counts for us."""
        if self.name != "vllm":
            return None
        quirks = self._quirks[served.model]
        body: dict[str, Any] = {"model": served.model}
        if quirks.no_chat_template:
            body["prompt"] = prompt_of(turns)
        else:
            body["messages"] = [turn._asdict() for turn in (folded(turns) if quirks.no_system_role else turns)]
        try:
            found = json_of(await self._server.request("POST", "/tokenize", body))
        except BackendError:
            return None
        count = object_of(found).get("count")
        return count if isinstance(count, int) else None

    def _path(self, *, plain: bool) -> str:
        return "/v1/completions" if plain else "/v1/chat/completions"

    def _body(self, served: Served, turns: Sequence[Turn], sampling: Sampling, form: Form) -> dict[str, Any]:
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
        if form.plain:
            fields["stop"] = list(STOP)
        refused = self._quirks[served.model].refused
        body = {key: value for key, value in fields.items() if key not in refused}
        if "max_tokens" in refused and "max_completion_tokens" not in refused and not form.plain:
            body["max_completion_tokens"] = sampling.max_tokens
        if served.model:
            body["model"] = served.model
        if form.plain:
            return body | {"prompt": prompt_of(turns), "stream": True}
        messages = folded(turns) if form.fold else turns
        return body | {"messages": [turn._asdict() for turn in messages], "stream": True}

    async def _attempt(self, body: dict[str, Any], quirks: Quirks, *, plain: bool) -> AsyncGenerator[Event]:
        told = ToldApart(quirks, strip=plain)
        async with self._server.stream(self._path(plain=plain), body) as pieces:
            if pieces.whole:
                for event in told.tell(whole(await gather(pieces.chunks))):
                    yield event
                return
            async with aclosing(sse.data(pieces.chunks)) as data:
                async for item in data:
                    if item == DONE:
                        break
                    for event in told.tell(events_of(item, begun=pieces.begun)):
                        if isinstance(event, Text | Reasoning):
                            pieces.progress()
                        yield event
                else:
                    told.must_be_finished()  # [DONE] is not sent by every server, a reason to finish is
        for event in told.end():
            yield event
