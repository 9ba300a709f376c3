"""KAITO's transformers runtime before 0.9: one prompt in, one text out.

See: https://github.com/kaito-project/kaito/blob/v0.6.0/presets/workspace/inference/text-generation/inference_api.py
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx

from kaito_chat.backends.error_responses import http_error
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.http import Endpoint
from kaito_chat.backends.interface import (
    Capabilities,
    Event,
    Finish,
    Message,
    Quirks,
    Request,
    Sampling,
    ServedModel,
    Text,
)
from kaito_chat.backends.prompt import prompt_of
from kaito_chat.backends.responses import json_of

# Room for the special tokens that a tokenizer adds.
SPECIAL_TOKENS = 8
# Texts by which the runtime is recognized, by path; vLLM has /health too, with an empty body.
SIGNS = (("/health", "Healthy"), ("/healthz", "Healthy"), ("/", "Server is running"))
UNAVAILABLE = (502, 503, 504)


def max_length_of(prompt: str, max_tokens: int, window_tokens: int | None) -> int:
    """Return `max_length` for a prompt: it includes the prompt, and the runtime fails if it is shorter than that.

    No tokenizer makes more tokens than there are bytes, and this runtime does not count tokens for us: so each byte of
    the prompt counts. The answer may become longer than `max_tokens`, but the request never fails for it.
    """
    longest = len(prompt.encode(errors="replace")) + SPECIAL_TOKENS
    if window_tokens is None or longest >= window_tokens:
        return longest + max_tokens
    return min(longest + max_tokens, window_tokens)


class Legacy:
    """A server with `POST /chat`. It does not stream, and does not list its model.

    Args:
        endpoint: Its address.
        window_tokens: The model's context window, if configured.
    """

    name = "legacy"
    capabilities = Capabilities(streaming=False, default_window_tokens=2048)

    def __init__(self, endpoint: Endpoint, window_tokens: int | None = None) -> None:
        self._endpoint = endpoint
        self._window_tokens = window_tokens
        self._quirks = Quirks()

    def quirks(self, model_id: str) -> Quirks:
        """Return empty requirements: no refusal teaches any."""
        del model_id
        return self._quirks

    async def describe(self) -> ServedModel:
        """Return an unnamed model, if the server reports that it runs."""
        if await speaks_legacy(self._endpoint):
            return ServedModel("")
        raise BackendError(Kind.NOT_READY, "the legacy runtime does not say that it is healthy")

    def request(self, served: ServedModel, messages: Sequence[Message], sampling: Sampling) -> Request:
        """Return the request for a question."""
        return Request(served, messages, sampling, body=self._body(prompt_of(messages), sampling))

    def adapt(self, request: Request, error: BackendError) -> Request | None:
        """Return `None`: there is one form."""
        del request, error
        return None

    async def stream(self, request: Request) -> AsyncGenerator[list[Event]]:
        """Send a request; the answer comes in one piece."""
        response = await self._endpoint.ask("/chat", request.body)
        body = json_of(response)
        if not isinstance(body, dict) or not isinstance(body.get("Result"), str):
            raise BackendError(Kind.GARBLED, "/chat does not answer with a Result")
        text: str = body["Result"]
        yield [Text(text.removeprefix(request.body["prompt"])), Finish("stop")]

    async def count_tokens(self, served: ServedModel, messages: Sequence[Message]) -> int | None:
        """Return `None`: there is no such route."""
        del served, messages
        return None

    def _body(self, prompt: str, sampling: Sampling) -> dict[str, Any]:
        how: dict[str, Any] = {"max_length": max_length_of(prompt, sampling.max_tokens, self._window_tokens)}
        if sampling.temperature > 0:
            how |= {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p}
            if sampling.top_k is not None:
                how["top_k"] = sampling.top_k
        else:  # the runtime fails on a temperature of 0
            how["do_sample"] = False
        return {"prompt": prompt, "return_full_text": False, "generate_kwargs": how}


async def speaks_legacy(endpoint: Endpoint) -> bool:
    """Return whether a server without `/v1/models` is the legacy runtime.

    While KAITO downloads a model, its wrapper answers 404 to everything but `/metrics`, so a 404 alone proves nothing:
    `GET /chat` has to be a known route (405), or the server has to report that it runs.

    Raises:
        BackendError: It answers with a server error.
    """
    if await has_route(endpoint, "/chat"):
        return True
    for path, words in SIGNS:
        response = await endpoint.request("GET", path)
        if response.status_code in UNAVAILABLE:
            raise http_error(response)
        if response.is_success and words in response.text:
            return True
    return False


async def has_route(endpoint: Endpoint, path: str) -> bool:
    """Return whether the server knows a path that accepts only POST."""
    return (await endpoint.request("GET", path)).status_code == httpx.codes.METHOD_NOT_ALLOWED
