"""Settings of a model: icons, replicas, schedules, and the users who may wake it."""

import json
import os
from typing import Any

import pytest

from kaito_chat.page.security import Sources, policy
from kaito_chat.settings import Settings, SettingsError, read

SIGNED_IN = {
    "KAITO_CHAT_SIGN_IN": "password",
    "KAITO_CHAT_PASSWORD_USERS": '{"ada": "not-a-secret"}',
    "KAITO_CHAT_AUTH_SECRET": "0123456789abcdef0123456789abcdef",
}


def given(monkeypatch: pytest.MonkeyPatch, *models: dict[str, Any], **variables: str) -> Settings:
    for name in list(os.environ):
        if name.startswith("KAITO_CHAT_"):
            monkeypatch.delenv(name)
    entries = [{"name": f"m{number}", "endpoint_url": f"http://m{number}"} | each for number, each in enumerate(models)]
    for name, value in {
        "KAITO_CHAT_MODELS": json.dumps(entries or [{"endpoint_url": "http://m"}]),
        **variables,
    }.items():
        monkeypatch.setenv(name, value)
    return read().settings


@pytest.mark.parametrize(
    ("icon", "used"),
    [
        ("public/phi.svg", "/public/phi.svg"),
        ("/public/icons/phi-4.svg", "/public/icons/phi-4.svg"),
        (
            "https://cdn.example.com:8443/a_b/phi%204.svg?v=2&w=64",
            "https://cdn.example.com:8443/a_b/phi%204.svg?v=2&w=64",
        ),
    ],
)
def test_an_icon_is_an_https_address_or_a_path_below_public(
    monkeypatch: pytest.MonkeyPatch, icon: str, used: str
) -> None:
    settings = given(monkeypatch, {"icon": icon, "starters": [{"label": "a", "message": "b", "icon": icon}]})
    (model,) = settings.configured_models
    assert model.icon == used
    assert model.starters
    assert model.starters[0].icon == used


@pytest.mark.parametrize(
    "icon",
    [
        "http://example.com/x.svg",
        "javascript:alert(1)",
        "data:image/svg+xml,x",
        "/public/../secret",
        "/public//x",
        "/etc/passwd",
        "public",
        "x.svg",
        "https://example.com/x.svg; script-src *",
        "https://example.com/x.svg script-src",
        "https://u:p@example.com/x.svg",
        "https://*/x.svg",
        "",
    ],
)
@pytest.mark.parametrize("key", ["icon", "starters.0.icon"])
def test_any_other_icon_is_refused(monkeypatch: pytest.MonkeyPatch, icon: str, key: str) -> None:
    model = {"icon": icon} if key == "icon" else {"starters": [{"label": "a", "message": "b", "icon": icon}]}
    with pytest.raises(SettingsError) as raised:
        given(monkeypatch, model)
    message = "must be an https:// address or a path below /public, such as /public/icon.svg"
    assert str(raised.value) == f"KAITO_CHAT_MODELS: 0.{key}: {message}"


def test_the_pages_policy_admits_the_icons_of_other_servers_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    remote: dict[str, Any] = {"label": "a", "message": "b", "icon": "https://b.example.com/b.svg"}
    models: list[dict[str, Any]] = [
        {"icon": "https://a.example.com/a.svg?v=1", "starters": [remote]},
        {"icon": "/public/icon.svg"},
    ]
    settings = given(monkeypatch, *models)
    assert settings.icon_sources == ["https://a.example.com/a.svg", "https://b.example.com/b.svg"]
    directives = policy(sources=Sources(images=" ".join(settings.icon_sources))).split("; ")
    assert "img-src 'self' data: blob: https://a.example.com/a.svg https://b.example.com/b.svg" in directives
    assert "img-src 'self' data: blob:" in policy().split("; ")


def test_a_model_has_a_server_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    urls = ["http://m0-2/v1", "http://m0-3/"]
    (model,) = given(monkeypatch, {"replica_urls": urls, "api_key_variable": "PATH"}).configured_models
    assert model.urls == ("http://m0", "http://m0-2", "http://m0-3")
    assert [(each.endpoint_url, each.replica_urls, each.api_key_variable) for each in model.servers] == [
        (url, (), "PATH") for url in model.urls
    ]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"replica_urls": ["m0-2"]}, "0.replica_urls: must be an http:// or https:// address"),
        ({"replica_urls": ["http://m0/v1"]}, "replica_urls: http://m0 is named twice"),
        ({"replica_urls": ["http://b", "http://b/"]}, "replica_urls: http://b is named twice"),
        ({"inference_set_name": "../secrets"}, "0.inference_set_name: String should match pattern"),
        ({"schedule": {"wakes": "0 8 * *"}}, "0.schedule.wakes: '0 8 * *' has 4 fields instead of 5"),
        ({"schedule": {"wakes": "0 8 * * *", "replicas": 0}}, "0.schedule.replicas: Input should be greater than"),
        ({"schedule": {"time_zone": "UTC"}}, "0.schedule.wakes: Field required"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key(
    monkeypatch: pytest.MonkeyPatch, model: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        given(monkeypatch, model)
    assert str(raised.value).startswith("KAITO_CHAT_MODELS: 0")
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"KAITO_CHAT_WAKE_ALLOWED": "signed_in"}, "KAITO_CHAT_WAKE_ALLOWED=signed_in needs KAITO_CHAT_SIGN_IN"),
        ({"KAITO_CHAT_WAKE_ALLOWED": "everybody"}, "KAITO_CHAT_WAKE_ALLOWED='everybody': Input should be 'nobody'"),
        (SIGNED_IN | {"KAITO_CHAT_WAKE_ALLOWED": "listed"}, "or KAITO_CHAT_WAKE_GROUPS, need each other"),
        (SIGNED_IN | {"KAITO_CHAT_WAKE_USERS": '["ada"]'}, "or KAITO_CHAT_WAKE_GROUPS, need each other"),
        (
            SIGNED_IN
            | {
                "KAITO_CHAT_WAKE_ALLOWED": "listed",
                "KAITO_CHAT_WAKE_GROUPS": '["11111111-2222-3333-4444-555555555555"]',
            },
            "KAITO_CHAT_WAKE_GROUPS needs KAITO_CHAT_SIGN_IN=entra",
        ),
        (
            SIGNED_IN | {"KAITO_CHAT_WAKE_GROUPS": '["admins"]'},
            "KAITO_CHAT_WAKE_GROUPS: 0: Input should be a valid UUID",
        ),
    ],
)
def test_contradictions_about_waking_are_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        given(monkeypatch, **variables)
    assert message in str(raised.value)
