import os
from pathlib import Path

import pytest

from kaito_chat.settings import Settings, SettingsError, read

MODEL = "http://workspace-phi-4-mini-instruct"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("KAITO_CHAT_"):
            monkeypatch.delenv(name)


def put(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("route", ["", "/", "/v1", "/v1/", "/chat", "/v1/chat/completions"])
def test_the_address_may_name_a_route(monkeypatch: pytest.MonkeyPatch, route: str) -> None:
    put(monkeypatch, KAITO_CHAT_ENDPOINT_URL=MODEL + route)
    assert read().settings.configured_models[0].endpoint_url == MODEL


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({}, "set KAITO_CHAT_ENDPOINT_URL to the model server's address, or KAITO_CHAT_MODELS"),
        ({"KAITO_CHAT_ENDPOINT_URL": "workspace"}, "KAITO_CHAT_ENDPOINT_URL='workspace': must be an http"),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_TOP_P": "2"}, "KAITO_CHAT_TOP_P='2': Input should be less"),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_TEMPRATURE": "2"}, "did you mean KAITO_CHAT_TEMPERATURE?"),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "TOP_P": "2"}, "TOP_P='2': Input should be less"),
        ({"KAITO_CHAT_MODELS": "[{"}, "KAITO_CHAT_MODELS: must be JSON"),
        ({"KAITO_CHAT_MODELS": '[{"endpoint_url": "http://a", "nam": "x"}]'}, "KAITO_CHAT_MODELS: 0.nam"),
        ({"KAITO_CHAT_MODELS": '[{"endpoint_url": "http://a"}, {"endpoint_url": "http://b"}]'}, "a unique name"),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_BACKEND": "azure_openai"}, "the name of the deployment"),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_SIGN_IN": "entra"}, "needs KAITO_CHAT_AUTH_SECRET"),
        (
            {"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_DATABASE_URL": "sqlite:///x"},
            "a conversation belongs to a user",
        ),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_DATABASE_URL": "mysql://u:topsecret@x/y"}, "postgresql:// or"),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_AUTH_SECRET": "topsecret"}, "openssl rand -hex 32"),
        ({"KAITO_CHAT_ENDPOINT_URL": MODEL, "KAITO_CHAT_PASSWORD_USERS": "topsecret"}, "a JSON object of names"),
        (
            {"KAITO_CHAT_MODELS": '[{"endpoint_url": "http://a", "api_key_variable": "NO_SUCH_KEY"}]'},
            "api_key_variable names NO_SUCH_KEY",
        ),
    ],
)
def test_an_error_names_the_variable_and_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    put(monkeypatch, **variables)
    with pytest.raises(SettingsError) as raised:
        read()
    assert message in str(raised.value)
    assert "topsecret" not in str(raised.value)


def test_the_variables_of_a_service_named_kaito_chat_are_not_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, KAITO_CHAT_ENDPOINT_URL=MODEL, KAITO_CHAT_PORT="tcp://10.0.0.1:80")
    put(monkeypatch, KAITO_CHAT_SERVICE_HOST="10.0.0.1", KAITO_CHAT_PORT_80_TCP_ADDR="10.0.0.1")
    assert read().settings.listen_port == 8000


def test_the_samples_configmap_works_with_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        monkeypatch,
        TEMPERATURE="0.3",
        AZURE_OPENAI_TYPE="azure",
        AZURE_OPENAI_BASE="https://unused.openai.azure.com/",
        AZURE_OPENAI_MODEL="gpt-4",
        AZURE_OPENAI_SYSTEM_MESSAGE="Be brief.",
        USE_LOCAL_LLM="True",
        AI_ENDPOINT="http://workspace-falcon-7b-instruct:80/chat",
        MAX_RETRIES="3",
        TIMEOUT="20",
        DEBUG="t",
        TOP_K="10.0",
    )
    settings, warnings = read()
    assert settings.configured_models[0].endpoint_url == "http://workspace-falcon-7b-instruct:80"
    assert settings.backend == "auto"
    assert (settings.temperature, settings.top_k, settings.max_retries, settings.debug) == (0.3, 10, 3, True)
    assert settings.first_token_timeout_seconds == 20
    assert "TEMPERATURE is deprecated: use KAITO_CHAT_TEMPERATURE" in warnings
    assert "USE_LOCAL_LLM is deprecated and has no effect" in warnings


def test_the_samples_azure_openai_works(monkeypatch: pytest.MonkeyPatch) -> None:
    put(
        monkeypatch,
        AZURE_OPENAI_BASE="https://x.openai.azure.com/",
        AZURE_OPENAI_DEPLOYMENT="gpt",
        AZURE_OPENAI_KEY="not-a-secret",
    )
    settings = read().settings
    assert (settings.backend, settings.configured_models[0].model) == ("azure_openai", "gpt")


def test_a_variable_goes_before_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, KAITO_CHAT_ENDPOINT_URL=MODEL, KAITO_CHAT_TEMPERATURE="0.1", TEMPERATURE="0.9")
    put(monkeypatch, AZURE_OPENAI_BASE="https://x.openai.azure.com/", AZURE_OPENAI_DEPLOYMENT="gpt")
    settings = read().settings
    assert (settings.temperature, settings.backend, settings.configured_models[0].endpoint_url) == (0.1, "auto", MODEL)


def test_a_system_prompt_that_is_set_to_nothing_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, KAITO_CHAT_ENDPOINT_URL=MODEL, KAITO_CHAT_MODEL="")
    assert read().settings.system_prompt == "You are a helpful assistant."
    put(monkeypatch, KAITO_CHAT_SYSTEM_PROMPT="", AZURE_OPENAI_SYSTEM_MESSAGE="Be brief.")
    settings = read().settings
    assert (settings.system_prompt, settings.model) == ("", None)


def test_an_index_belongs_to_the_one_model(monkeypatch: pytest.MonkeyPatch) -> None:
    put(monkeypatch, KAITO_CHAT_ENDPOINT_URL=MODEL, KAITO_CHAT_INDEX_NAME="handbook", KAITO_CHAT_BACKEND="rag")
    assert read().settings.configured_models[0].index_name == "handbook"


@pytest.mark.parametrize("content", [None, "", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_file_of_certificates_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content, encoding="utf-8")
    put(monkeypatch, KAITO_CHAT_ENDPOINT_URL=MODEL, KAITO_CHAT_CA_FILE=str(file))
    with pytest.raises(SettingsError, match=r"KAITO_CHAT_CA_FILE.*is not a file of certificates"):
        read()


def test_one_model_names_its_inference_set() -> None:
    (model,) = Settings(endpoint_url=MODEL, inference_set_name="phi").configured_models
    assert (model.inference_set_name, model.workspace_name) == ("phi", None)
    with pytest.raises(ValueError, match="inference_set_name"):
        Settings(endpoint_url=MODEL, inference_set_name="phi/scale")
