"""Finds out what answers at an address, without guessing."""

import httpx

from kaito_chat.backends.answers import json_of, refusal
from kaito_chat.backends.base import Backend
from kaito_chat.backends.http import Server
from kaito_chat.backends.legacy import Legacy, speaks_legacy
from kaito_chat.backends.openai import OpenAI, served_by
from kaito_chat.trouble import BackendError, Kind

# By what a server says that it is owned by, in its list of models.
RUNTIMES = {"vllm": "vllm", "kaito": "transformers"}


async def detect(server: Server, model: str | None, window_tokens: int | None) -> Backend:
    """The backend for the server: OpenAI-compatible if it lists models, legacy if it says that it is.

    Raises:
        BackendError: It is neither, yet: it may still be starting.
    """
    response = await server.request("GET", "/v1/models")
    if response.is_success:
        served_by(response, model)
        entries = json_of(response)["data"]
        owner = str(entries[0].get("owned_by", "")) if entries else ""
        return OpenAI(server, RUNTIMES.get(owner, "openai"), model)
    if response.status_code != httpx.codes.NOT_FOUND:
        raise refusal(response)
    if await speaks_legacy(server):
        return Legacy(server, window_tokens)
    raise BackendError(Kind.NOT_READY, "the server answers, but serves no model yet")
