"""Azure OpenAI: the OpenAI protocol below a deployment's path, with a key or an Entra ID token.

See: https://learn.microsoft.com/azure/ai-services/openai/reference
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from kaito_chat.backends.http import Endpoint, Headers
from kaito_chat.backends.interface import Capabilities, ServedModel
from kaito_chat.backends.openai import OpenAI

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

SCOPE = "https://cognitiveservices.azure.com/.default"


class AzureOpenAI(OpenAI):
    """A deployment of Azure OpenAI."""

    capabilities = Capabilities(default_window_tokens=128_000)

    def __init__(self, endpoint: Endpoint, deployment: str, api_version: str) -> None:
        super().__init__(endpoint, "azure_openai", deployment)
        self._deployment = deployment
        self._api_version = api_version

    async def describe(self) -> ServedModel:
        """Return the deployment, as configured: Azure's list of models does not name it."""
        return ServedModel(self._deployment)

    def _path(self, *, plain: bool) -> str:
        del plain
        return f"/openai/deployments/{quote(self._deployment)}/chat/completions?api-version={quote(self._api_version)}"


def key_headers(key: Callable[[], str]) -> Headers:
    """Return headers with a key, which may change."""

    async def headers() -> Mapping[str, str]:
        return {"api-key": key()}

    return headers


def entra_headers(credential: "AsyncTokenCredential") -> Headers:
    """Return headers with an Entra ID token; the credential caches its token and renews it in time."""

    async def headers() -> Mapping[str, str]:
        token = await credential.get_token(SCOPE)
        return {"authorization": f"Bearer {token.token}"}

    return headers
