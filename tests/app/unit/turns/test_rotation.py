"""Changed secrets of a running process that others receive: model servers, Entra ID, the database."""

import logging
from importlib import import_module

import httpx
import pytest
from pydantic import SecretStr

from kaito_chat.backends import ApiKey, Timeouts, connect
from kaito_chat.settings import ModelSettings
from support.chat.fakes.kaito import VLLM
from support.chat.in_process import SECRET, Open, chainlit

ENTRA = {
    "sign_in": "entra",
    "auth_secret": SECRET,
    "public_url": "https://chat.example.com",
    "entra_tenant_id": "x",
    "entra_client_id": "x",
    "entra_client_secret": "x",
    "database_url": "postgresql://u:p@h/d",
}


@pytest.mark.parametrize("backend", ["openai", "azure_openai"])
async def test_requests_carry_the_changed_key(backend: str) -> None:
    key = ApiKey("old-key\n")
    model = ModelSettings(endpoint_url="http://model", backend=backend, model="m")
    asked: list[httpx.Request] = []

    def server(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={})

    async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
        endpoint = connect(model, client, Timeouts(), api_key=key)
        await endpoint.request("GET", "/v1/models")
        key.value = "new-key\n"
        await endpoint.request("GET", "/v1/models")
    header = {"openai": "authorization", "azure_openai": "api-key"}[backend]
    assert [request.headers[header].removeprefix("Bearer ") for request in asked] == ["old-key", "new-key"]


def heard(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the messages of the rotation."""
    return [record.message for record in caplog.records if record.name == "kaito_chat.chat.rotation"]


async def test_entra_id_gets_the_changed_secret_and_another_database_needs_a_restart(
    page: Open, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "kaito_chat.chat.rotation")
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
        monkeypatch.setenv(f"OAUTH_AZURE_AD_{name}", "x")
    chat = await page(VLLM(), **ENTRA)
    settings = chat.services.settings
    rotation = import_module("kaito_chat.chat.rotation").Rotation(chat.services)
    rotation.apply(settings)
    assert heard(caplog) == []
    changed = {"entra_client_secret": "changed", "api_key": "k3y", "database_url": "postgresql://u:p@other/d"}
    rotation.apply(settings.model_copy(update={name: SecretStr(value) for name, value in changed.items()}))
    (entra,) = [each for each in chainlit("oauth_providers").providers if each.id == "azure-ad"]
    assert (entra.client_secret, chat.services.api_key.value) == ("changed", "k3y")
    assert heard(caplog) == [
        "secrets have changed",
        "KAITO_CHAT_DATABASE_URL names another database or user: restart the pods to use it",
    ]
    entra.client_secret = None
