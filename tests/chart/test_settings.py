"""The settings of a release are the application's own, and arrive unchanged."""

import json
import re
from typing import Any

import pytest

from support.project import ROOT
from support.rendering import CASES, PUBLISHED, RenderError, at, case, data, one, render

SETTINGS_PAGE = ROOT / "docs" / "reference" / "chat-settings.md"
SECRET = {
    "KAITO_CHAT_API_KEY",
    "KAITO_CHAT_PASSWORD_USERS",
    "KAITO_CHAT_AUTH_SECRET",
    "KAITO_CHAT_AUTH_SECRET_PREVIOUS",
    "KAITO_CHAT_ENTRA_CLIENT_SECRET",
}
# Set by the chart, or constant in a pod.
SET_BY_THE_CHART = {
    "KAITO_CHAT_MODELS",
    "KAITO_CHAT_ENDPOINT_URL",
    "KAITO_CHAT_API_VERSION",
    "KAITO_CHAT_WORKSPACE_NAME",
    "KAITO_CHAT_INFERENCE_SET_NAME",
    "KAITO_CHAT_WORKSPACE_NAMESPACE",
    "KAITO_CHAT_WORKSPACE_API_VERSION",
    "KAITO_CHAT_KUBERNETES_API_URL",
    "KAITO_CHAT_SERVICE_ACCOUNT_DIR",
    "KAITO_CHAT_DRAIN_SECONDS",
    "KAITO_CHAT_HOST",
    "KAITO_CHAT_LISTEN_PORT",
    "KAITO_CHAT_MANAGEMENT_PORT",
    "KAITO_CHAT_CA_FILE",
    "KAITO_CHAT_DATA_DIR",
    "KAITO_CHAT_SECRETS_DIRS",
}


def app_settings() -> set[str]:
    """Return all variables that the application reads, from their generated page."""
    table = SETTINGS_PAGE.read_text(encoding="utf-8").split("\n## ", 1)[0]
    return set(re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE))


def schema_settings() -> dict[str, Any]:
    """Return the schema of chat.settings."""
    schema = json.loads((ROOT / "charts" / "kaito-chat" / "values.schema.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = schema["properties"]["chat"]["properties"]["settings"]["properties"]
    return found


def test_settings_are_exactly_the_applications() -> None:
    assert app_settings() - SECRET - SET_BY_THE_CHART == set(schema_settings())
    assert app_settings() >= SECRET | SET_BY_THE_CHART


@pytest.mark.parametrize("name", CASES)
def test_the_configmap_has_settings_of_the_application_only(name: str) -> None:
    objects = render(case(name))
    config = next(
        each
        for each in objects
        if each["kind"] == "ConfigMap" and "data" in each and "KAITO_CHAT_DRAIN_SECONDS" in each["data"]
    )
    assert set(config["data"]) <= app_settings() - SECRET
    environment = one(objects, "Deployment", config["metadata"]["name"])["spec"]["template"]["spec"]["containers"][0][
        "env"
    ]
    ours = {each["name"] for each in environment if not each["name"].startswith("MODEL_API_KEY_")}
    always = {"KAITO_CHAT_LISTEN_PORT", "KAITO_CHAT_MANAGEMENT_PORT", "KAITO_CHAT_HOST", "KAITO_CHAT_DATA_DIR"}
    added = {"everything": {"KAITO_CHAT_CA_FILE", "KAITO_CHAT_SECRETS_DIRS"}}
    assert ours == always | added.get(name, set())


def test_several_models_are_the_applications_list() -> None:
    models = json.loads(one(render(case("everything")), "ConfigMap", "everything")["data"]["KAITO_CHAT_MODELS"])
    table = SETTINGS_PAGE.read_text(encoding="utf-8").split("## Several models", 1)[1].split("\n## ", 1)[0]
    known = set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE))
    shown = [model["name"] for model in models]
    assert shown == ["Qwen 3", "gpt-4o", "Another team's", "Another release's", "Documents"]
    assert all(set(model) <= known for model in models)
    assert models[1]["api_key_variable"] == "MODEL_API_KEY_0"
    assert (models[4]["backend"], models[4]["index_name"]) == ("rag", "handbook")


def test_values_arrive_as_text() -> None:
    settings = {
        "KAITO_CHAT_TEMPERATURE": 0.25,
        "KAITO_CHAT_MAX_ANSWER_CHARACTERS": 2_000_000,
        "KAITO_CHAT_SHOW_USAGE": False,
        "KAITO_CHAT_SYSTEM_PROMPT": 'Say "yes": no\nmore # than: {that}',
        "KAITO_CHAT_STARTERS": [{"label": "Ä", "message": "<b>&\n"}],
    }
    found = data(at("chat.settings", settings))
    assert found["KAITO_CHAT_TEMPERATURE"] == "0.25"
    assert found["KAITO_CHAT_MAX_ANSWER_CHARACTERS"] == "2000000"
    assert found["KAITO_CHAT_SHOW_USAGE"] == "false"
    assert found["KAITO_CHAT_SYSTEM_PROMPT"] == settings["KAITO_CHAT_SYSTEM_PROMPT"]
    assert json.loads(found["KAITO_CHAT_STARTERS"]) == settings["KAITO_CHAT_STARTERS"]


def test_a_release_cannot_contradict_its_own_objects() -> None:
    with pytest.raises(
        RenderError, match=r"KAITO_CHAT_PUBLIC_URL is https://other\.example\.com.*https://chat\.example\.com"
    ):
        data(PUBLISHED["nginx"], at("chat.settings", {"KAITO_CHAT_PUBLIC_URL": "https://other.example.com"}))
    same = at("chat.settings", {"KAITO_CHAT_PUBLIC_URL": "https://chat.example.com/"})
    assert data(PUBLISHED["nginx"], same)["KAITO_CHAT_PUBLIC_URL"] == "https://chat.example.com"
