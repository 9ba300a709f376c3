"""The Job that signs in to a registry: the exchange of tokens, and the Secret."""

import asyncio
import base64
import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from kaito_chat import registry_login
from kaito_chat.kubernetes.api_server import ApiServer
from kaito_chat.registry_login import LoginError, docker_config, registry_token, store

REGISTRY = "contoso.azurecr.io"


def exchange(answer: httpx.Response) -> tuple[str, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer

    token = asyncio.run(registry_token(REGISTRY, "tenant", "entra", httpx.MockTransport(respond)))
    return token, asked


def test_the_registry_exchanges_the_token() -> None:
    exchanged, (request,) = exchange(httpx.Response(200, json={"refresh_token": "refresh"}))
    assert exchanged == "refresh"
    assert str(request.url) == "https://contoso.azurecr.io/oauth2/exchange"
    assert parse_qs(request.content.decode()) == {
        "grant_type": ["access_token"],
        "service": [REGISTRY],
        "tenant": ["tenant"],
        "access_token": ["entra"],
    }


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, json={"errors": []}),
        httpx.Response(200, text="no JSON"),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={}),
        httpx.Response(200, json={"refresh_token": None}),
        httpx.Response(200, json={"refresh_token": ""}),
        httpx.Response(200, json={"refresh_token": {"a": "b"}}),
        httpx.Response(307, headers={"location": "http://example.org/"}),
    ],
)
def test_an_answer_without_a_token_is_an_error(answer: httpx.Response) -> None:
    with pytest.raises(LoginError, match=r"contoso\.azurecr\.io answered"):
        exchange(answer)


def test_container_tools_read_the_configuration() -> None:
    auth = json.loads(docker_config(REGISTRY, "refresh"))["auths"][REGISTRY]["auth"]
    assert base64.b64decode(auth).decode() == "00000000-0000-0000-0000-000000000000:refresh"


@pytest.mark.parametrize("status", [200, 403])
def test_only_the_key_of_the_secret_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    (tmp_path / "namespace").write_text("chats", encoding="utf-8")
    asked: list[tuple[Any, ...]] = []

    async def request(_self: ApiServer, *what: Any) -> httpx.Response:
        asked.append(what)
        return httpx.Response(status)

    monkeypatch.setattr(ApiServer, "request", request)
    server = ApiServer("http://127.0.0.1:1", tmp_path)
    if status == 200:
        asyncio.run(store(server, "mine", "{}"))
    else:
        with pytest.raises(LoginError, match="403 to the change of the Secret mine"):
            asyncio.run(store(server, "mine", "{}"))
    body = {"data": {".dockerconfigjson": "e30="}}
    assert asked == [("PATCH", "/api/v1/namespaces/chats/secrets/mine", body, "application/merge-patch+json")]


def test_a_failure_ends_with_its_reason_and_no_token(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["registry_login", "--registry", REGISTRY, "--secret", "mine", "--seconds", "0"])
    assert registry_login.main() == 1
    assert "the Secret mine has no new token: " in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--registry", "a/b"], ["--secret", "../other"]])
def test_names_are_checked(monkeypatch: pytest.MonkeyPatch, options: list[str]) -> None:
    given = {"--registry": REGISTRY, "--secret": "mine"} | dict([options])
    monkeypatch.setattr(sys, "argv", ["registry_login", *(part for pair in given.items() for part in pair)])
    with pytest.raises(SystemExit) as caught:
        registry_login.main()
    assert caught.value.code == 2
