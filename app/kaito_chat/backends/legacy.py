"""KAITO's transformers runtime before 0.9: one prompt in, one text out.

See: https://github.com/kaito-project/kaito/blob/v0.6.0/presets/workspace/inference/text-generation/inference_api.py
"""

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import httpx

from kaito_chat.backends.error_responses import refusal
from kaito_chat.backends.http import Server
from kaito_chat.backends.interface import Event, Finish, Limits, Quirks, Sampling, Served, Text, Turn
from kaito_chat.backends.prompt import prompt_of
from kaito_chat.backends.responses import json_of
from kaito_chat.trouble import BackendError, Kind

# For the sequence tokens that a tokenizer adds by itself.
SPECIAL_TOKENS = 8
# What the runtime says of itself where; vLLM has /health too, with an empty body.
SIGNS = (("/health", "Healthy"), ("/healthz", "Healthy"), ("/", "Server is running"))
UNAVAILABLE = (502, 503, 504)


def max_length_of(prompt: str, max_tokens: int, window_tokens: int | None) -> int:
    """`max_length` for a prompt: the runtime counts the prompt in it, and breaks if it falls below the prompt.

    No tokenizer makes more tokens than there are bytes, and we cannot ask this runtime how many it makes: so the
    prompt counts with its bytes. The answer may hence become longer than `max_tokens`, but never fails for it.
    """
    longest = len(prompt.encode(errors="replace")) + SPECIAL_TOKENS
    if window_tokens is None or longest >= window_tokens:
        return longest + max_tokens
    return min(longest + max_tokens, window_tokens)


class Legacy:
    """A server with `POST /chat`. It does not stream, and does not say what it serves.

    Args:
        server: Where it is.
        window_tokens: The model's window, if configured.
    """

    name = "legacy"
    limits = Limits(streaming=False, default_window_tokens=2048)

    def __init__(self, server: Server, window_tokens: int | None = None) -> None:
        self._server = server
        self._window_tokens = window_tokens
        self._quirks = Quirks()

    def quirks(self, model: str) -> Quirks:
        """Nothing is to be learned of one unnamed model."""
        del model
        return self._quirks

    async def describe(self) -> Served:
        """An unnamed model, if the server says that it runs."""
        if await speaks_legacy(self._server):
            return Served("")
        raise BackendError(Kind.NOT_READY, "the legacy runtime does not say that it is healthy")

    async def stream(self, served: Served, turns: Sequence[Turn], sampling: Sampling) -> AsyncGenerator[Event]:
        """Ask for the whole text, which then comes in one piece."""
        del served
        prompt = prompt_of(turns)
        response = await self._server.ask("/chat", self._body(prompt, sampling))
        body = json_of(response)
        if not isinstance(body, dict) or not isinstance(body.get("Result"), str):
            raise BackendError(Kind.GARBLED, "/chat does not answer with a Result")
        text: str = body["Result"]
        yield Text(text.removeprefix(prompt))
        yield Finish("stop")

    async def count_tokens(self, served: Served, turns: Sequence[Turn]) -> int | None:
        """Not offered."""
        del served, turns
        return None

    def _body(self, prompt: str, sampling: Sampling) -> dict[str, Any]:
        how: dict[str, Any] = {"max_length": max_length_of(prompt, sampling.max_tokens, self._window_tokens)}
        if sampling.temperature > 0:
            how |= {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p}
            if sampling.top_k is not None:
                how["top_k"] = sampling.top_k
        else:  # a temperature of 0 breaks it
            how["do_sample"] = False
        return {"prompt": prompt, "return_full_text": False, "generate_kwargs": how}


async def speaks_legacy(server: Server) -> bool:
    """Whether a server that has no `/v1/models` is the legacy runtime.

    While KAITO downloads a model, its wrapper answers 404 to everything but `/metrics`, so a 404 alone proves
    nothing: `GET /chat` has to be known as a route (405), or the server has to say that it runs.

    Raises:
        BackendError: It answers with a server error.
    """
    if await has_route(server, "/chat"):
        return True
    for path, words in SIGNS:
        response = await server.request("GET", path)
        if response.status_code in UNAVAILABLE:
            raise refusal(response)
        if response.is_success and words in response.text:
            return True
    return False


async def has_route(server: Server, path: str) -> bool:
    """Whether a path that takes only POST is known."""
    return (await server.request("GET", path)).status_code == httpx.codes.METHOD_NOT_ALLOWED
