"""From the settings of a model to its endpoint and backend."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

from kaito_chat.backends.azure_openai import AzureOpenAI, entra_headers, key_headers
from kaito_chat.backends.detect import detect
from kaito_chat.backends.http import Endpoint, Headers, Timeouts, no_headers
from kaito_chat.backends.interface import Backend
from kaito_chat.backends.legacy import Legacy
from kaito_chat.backends.openai import OpenAI
from kaito_chat.backends.rag import RAGEngine
from kaito_chat.settings import ModelSettings

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential


class ApiKey:
    """An API key that may change."""

    def __init__(self, value: str) -> None:
        self.value = value

    def __call__(self) -> str:
        """Return the key; files often end with a newline."""
        return self.value.strip()


def connect(
    settings: ModelSettings,
    client: httpx.AsyncClient,
    timeouts: Timeouts,
    *,
    api_key: ApiKey | None = None,
    credential: "AsyncTokenCredential | None" = None,
) -> Endpoint:
    """Return the endpoint of a model, with its credential.

    Args:
        settings: The model's.
        client: The shared pool.
        timeouts: Of requests.
        api_key: The key; read from the variable that the settings name when left out.
        credential: For Azure OpenAI without a key.
    """
    key = api_key or ApiKey(os.environ.get(settings.api_key_variable or "", ""))
    headers: Headers = no_headers
    if settings.backend == "azure_openai":
        if key():
            headers = key_headers(key)
        elif credential:
            headers = entra_headers(credential)
    elif key():
        headers = _bearer(key)
    return Endpoint(client, settings.endpoint_url, timeouts, headers)


def _bearer(key: Callable[[], str]) -> Headers:
    async def headers() -> dict[str, str]:
        return {"authorization": f"Bearer {key()}"}

    return headers


async def backend_at(endpoint: Endpoint, settings: ModelSettings) -> Backend:
    """Return the backend that the settings name, or the one that is detected at the endpoint.

    Raises:
        BackendError: The settings name none, and none answers yet.
    """
    if settings.backend == "azure_openai":
        return AzureOpenAI(endpoint, settings.model or "", settings.api_version)
    if settings.backend == "openai":
        return OpenAI(endpoint, "openai", settings.model)
    if settings.backend == "legacy":
        return Legacy(endpoint, settings.max_model_len_tokens)
    if settings.backend == "rag":
        return RAGEngine(endpoint, settings.model, settings.index_name)
    return await detect(endpoint, settings)
