"""Model servers behind one small interface.

- `interface`: the protocol that each backend implements; `errors`: the one exception that they raise.
- `openai`, `azure_openai`, `legacy`, `rag`: the backends; `detect`: the choice of one by what the server answers.
- `http`: requests; `sse`: server-sent events; `responses`, `error_responses`, `room`: bodies of responses.
- `completions`, `choices`, `thinking`: from JSON to models and events; `prompt`: other forms of a conversation.
"""

import os
from typing import NamedTuple

import httpx
from azure.core.credentials_async import AsyncTokenCredential

from kaito_chat.backends.azure_openai import AzureOpenAI, entra_headers, key_headers
from kaito_chat.backends.detect import detect
from kaito_chat.backends.http import Headers, Patience, Server, no_headers, pool
from kaito_chat.backends.interface import (
    Backend,
    Choice,
    Event,
    Finish,
    Limits,
    Quirks,
    Reasoning,
    Reclassify,
    Sampling,
    Served,
    Text,
    Turn,
    Usage,
)
from kaito_chat.backends.legacy import Legacy
from kaito_chat.backends.openai import OpenAI
from kaito_chat.backends.rag import RAGEngine
from kaito_chat.settings import ModelSettings

__all__ = [
    "Backend",
    "Choice",
    "Connection",
    "Event",
    "Finish",
    "Limits",
    "Patience",
    "Quirks",
    "Reasoning",
    "Reclassify",
    "Sampling",
    "Served",
    "Server",
    "Text",
    "Turn",
    "Usage",
    "connect",
    "pool",
]


class Connection(NamedTuple):
    """How to reach one model: its settings, and its server over the shared pool."""

    settings: ModelSettings
    server: Server

    async def backend(self) -> Backend:
        """The backend that the settings name, or that answers.

        Raises:
            BackendError: The settings name none, and none answers yet.
        """
        model = self.settings
        if model.backend == "azure_openai":
            return AzureOpenAI(self.server, model.model or "", model.api_version)
        if model.backend == "openai":
            return OpenAI(self.server, "openai", model.model)
        if model.backend == "legacy":
            return Legacy(self.server, model.max_model_len_tokens)
        if model.backend == "rag":
            return RAGEngine(self.server, model.model, model.index_name)
        return await detect(self.server, model)


def connect(
    model: ModelSettings,
    client: httpx.AsyncClient,
    patience: Patience,
    *,
    api_key: str | None = None,
    credential: AsyncTokenCredential | None = None,
) -> Connection:
    """A connection to one model's server.

    Args:
        model: Which.
        client: The shared pool.
        patience: Timeouts.
        api_key: The key; read from the variable that the settings name when left out.
        credential: For Azure OpenAI without a key.
    """
    key = (api_key or os.environ.get(model.api_key_variable or "", "")).strip()  # files often end with a newline
    headers: Headers = no_headers
    if model.backend == "azure_openai":
        if key:
            headers = key_headers(key)
        elif credential:
            headers = entra_headers(credential)
    elif key:
        bearer = {"authorization": f"Bearer {key}"}

        async def headers() -> dict[str, str]:
            return bearer

    return Connection(model, Server(client, model.endpoint_url, patience, headers))
