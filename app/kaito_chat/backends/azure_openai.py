"""Azure OpenAI: the OpenAI protocol under a deployment's path, with a key or an Entra ID token.

See: https://learn.microsoft.com/azure/ai-services/openai/reference
"""

from collections.abc import Mapping
from urllib.parse import quote

from azure.core.credentials_async import AsyncTokenCredential

from kaito_chat.backends.http import Headers, Server
from kaito_chat.backends.interface import Limits, Served
from kaito_chat.backends.openai import OpenAI

SCOPE = "https://cognitiveservices.azure.com/.default"


class AzureOpenAI(OpenAI):
    """A deployment of Azure OpenAI."""

    limits = Limits(default_window_tokens=128_000)

    def __init__(self, server: Server, deployment: str, api_version: str) -> None:
        super().__init__(server, "azure_openai", deployment)
        self._deployment = deployment
        self._api_version = api_version

    async def describe(self) -> Served:
        """The deployment, as configured: Azure's list of models says nothing of it."""
        return Served(self._deployment)

    def _path(self, *, plain: bool) -> str:
        del plain
        return f"/openai/deployments/{quote(self._deployment)}/chat/completions?api-version={quote(self._api_version)}"


def key_headers(key: str) -> Headers:
    """Authenticate with a key."""

    async def headers() -> Mapping[str, str]:
        return {"api-key": key}

    return headers


def entra_headers(credential: AsyncTokenCredential) -> Headers:
    """Authenticate with Entra ID; the credential caches its token and renews it in time."""

    async def headers() -> Mapping[str, str]:
        token = await credential.get_token(SCOPE)
        return {"authorization": f"Bearer {token.token}"}

    return headers
