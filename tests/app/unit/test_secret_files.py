"""Secret settings from mounted files."""

import json
import os
from pathlib import Path

import pytest

from kaito_chat.settings import Settings, SettingsError, read

FIRST, SECOND = "first-secret-of-thirty-two-letters", "second-secret-of-thirty-two-letter"


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory of mounted secrets, and variables as at the start of a pod."""
    for name in list(os.environ):
        if name.startswith("KAITO_CHAT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("KAITO_CHAT_ENDPOINT_URL", "http://model")
    monkeypatch.setenv("KAITO_CHAT_SECRETS_DIRS", json.dumps([str(tmp_path)]))
    return tmp_path


def secrets() -> dict[str, str | None]:
    settings = read().settings
    values = {name: getattr(settings, name) for name in Settings.secret_names()}
    return {name: value.get_secret_value() for name, value in values.items() if value}


def test_every_secret_setting_may_be_a_file(mounted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "api_key": "k3y",
        "password_users": '{"ada": "x"}',
        "auth_secret": FIRST,
        "auth_secret_previous": SECOND,
        "entra_client_secret": "s",
        "database_url": "postgresql://u:p@h/d",
    }
    for name, value in given.items():
        (mounted / f"KAITO_CHAT_{name.upper()}").write_text(value, encoding="utf-8")
    (mounted / "KAITO_CHAT_SIGN_IN").write_text("entra", encoding="utf-8")  # not a secret
    monkeypatch.setenv("KAITO_CHAT_SIGN_IN", "password")
    assert secrets() == given
    assert set(given) == set(Settings.secret_names())


def test_a_file_takes_precedence_over_the_variable_and_the_last_directory_counts(
    mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAITO_CHAT_API_KEY", "of the start")
    assert secrets() == {"api_key": "of the start"}
    for name in ("one", "two"):
        (mounted / name).mkdir()
        (mounted / name / "KAITO_CHAT_API_KEY").write_text(name, encoding="utf-8")
    monkeypatch.setenv("KAITO_CHAT_SECRETS_DIRS", json.dumps([str(mounted / name) for name in ("one", "two", "three")]))
    assert secrets() == {"api_key": "two"}


def test_the_version_before_the_newest_is_the_former_secret(mounted: Path) -> None:
    (mounted / "KAITO_CHAT_AUTH_SECRET").write_text(SECOND, encoding="utf-8")
    versions = mounted / "KAITO_CHAT_AUTH_SECRET_VERSIONS"
    versions.mkdir()
    (versions / "0").write_text(SECOND, encoding="utf-8")
    assert secrets() == {"auth_secret": SECOND}
    (versions / "1").write_text(FIRST, encoding="utf-8")
    assert secrets() == {"auth_secret": SECOND, "auth_secret_previous": FIRST}


def test_a_former_secret_that_was_deleted_is_not_taken_from_the_variable(
    mounted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAITO_CHAT_AUTH_SECRET", SECOND)
    monkeypatch.setenv("KAITO_CHAT_AUTH_SECRET_PREVIOUS", FIRST)
    assert secrets() == {"auth_secret": SECOND, "auth_secret_previous": FIRST}
    (mounted / "KAITO_CHAT_AUTH_SECRET").write_text(SECOND, encoding="utf-8")
    assert secrets() == {"auth_secret": SECOND}


@pytest.mark.usefixtures("mounted")
@pytest.mark.parametrize("text", ["", " ", "/mnt", "{", '{"a": 1}', "[1]"])
def test_a_malformed_list_of_directories_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("KAITO_CHAT_SECRETS_DIRS", text)
    if not text:
        assert read().settings.secrets_dirs == ()
        return
    with pytest.raises(SettingsError, match="KAITO_CHAT_SECRETS_DIRS"):
        read()


def test_a_bad_file_is_refused_without_its_content(mounted: Path) -> None:
    (mounted / "KAITO_CHAT_AUTH_SECRET").write_text("topsecret", encoding="utf-8")
    with pytest.raises(SettingsError, match="KAITO_CHAT_AUTH_SECRET: must have at least 32") as raised:
        read()
    assert "topsecret" not in str(raised.value)


def test_a_file_that_cannot_be_read_as_text_is_ignored(mounted: Path) -> None:
    (mounted / "KAITO_CHAT_API_KEY").write_bytes(b"\xff\xfe")
    (mounted / "KAITO_CHAT_DATABASE_URL").mkdir()
    assert secrets() == {}
