"""Detection of the backend at an endpoint, from what the server answers."""

import httpx

from kaito_chat.backends.choices import entries_of, served_by
from kaito_chat.backends.error_responses import http_error, not_api_error
from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.backends.http import Endpoint
from kaito_chat.backends.interface import Backend
from kaito_chat.backends.legacy import Legacy, has_route, speaks_legacy
from kaito_chat.backends.openai import OpenAI
from kaito_chat.backends.rag import RAGEngine, is_rag
from kaito_chat.settings import ModelSettings

# By `owned_by` in the server's list of models.
RUNTIMES = {"vllm": "vllm", "kaito": "transformers"}


async def detect(endpoint: Endpoint, settings: ModelSettings) -> Backend:
    """Return the backend: OpenAI-compatible if the server lists models, another one if the server has its routes.

    Raises:
        BackendError: None is recognized yet: the server may still be starting.
    """
    response = await endpoint.request("GET", "/v1/models")
    if error := not_api_error(response):
        raise error
    if response.is_success:
        served_by(response, settings.model)
        entries = entries_of(response)
        owner = str(entries[0].get("owned_by", "")) if entries else ""
        return OpenAI(endpoint, RUNTIMES.get(owner, "openai"), settings.model)
    if response.status_code != httpx.codes.NOT_FOUND:
        raise http_error(response)
    if await is_rag(endpoint):
        return RAGEngine(endpoint, settings.model, settings.index_name)
    if await speaks_legacy(endpoint):
        return Legacy(endpoint, settings.max_model_len_tokens)
    if settings.model and await has_route(endpoint, "/v1/chat/completions"):
        return OpenAI(endpoint, "openai", settings.model)
    raise BackendError(Kind.NOT_READY, "the server answers, but serves no model yet")
