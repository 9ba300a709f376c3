"""Finds out what answers at an address, without guessing."""

import httpx

from kaito_chat.backends.choices import entries_of, served_by
from kaito_chat.backends.error_responses import refusal, stranger
from kaito_chat.backends.http import Server
from kaito_chat.backends.interface import Backend
from kaito_chat.backends.legacy import Legacy, has_route, speaks_legacy
from kaito_chat.backends.openai import OpenAI
from kaito_chat.backends.rag import RAGEngine, is_rag
from kaito_chat.settings import ModelSettings
from kaito_chat.trouble import BackendError, Kind

# By what a server says that it is owned by, in its list of models.
RUNTIMES = {"vllm": "vllm", "kaito": "transformers"}


async def detect(server: Server, model: ModelSettings) -> Backend:
    """The backend for the server: OpenAI-compatible if it lists models, another one if it says that it is.

    Raises:
        BackendError: It is none, yet: it may still be starting.
    """
    response = await server.request("GET", "/v1/models")
    if strange := stranger(response):
        raise strange
    if response.is_success:
        served_by(response, model.model)
        entries = entries_of(response)
        owner = str(entries[0].get("owned_by", "")) if entries else ""
        return OpenAI(server, RUNTIMES.get(owner, "openai"), model.model)
    if response.status_code != httpx.codes.NOT_FOUND:
        raise refusal(response)
    if await is_rag(server):
        return RAGEngine(server, model.model, model.index_name)
    if await speaks_legacy(server):
        return Legacy(server, model.max_model_len_tokens)
    if model.model and await has_route(server, "/v1/chat/completions"):
        return OpenAI(server, "openai", model.model)
    raise BackendError(Kind.NOT_READY, "the server answers, but serves no model yet")
