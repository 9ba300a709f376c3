"""Each translation is complete, and language negotiation agrees with Chainlit's page."""

import re
from pathlib import Path
from string import Formatter

import pytest

from kaito_chat.backends.errors import BackendError, Kind
from kaito_chat.kubernetes.failures import Failure
from kaito_chat.models.states import State
from kaito_chat.page import translations
from kaito_chat.texts import DEFAULT, codes, negotiate, texts_for
from kaito_chat.texts.catalog import load
from support.project import ROOT

ENGLISH = load(DEFAULT)
CHAINLITS = sorted(path.stem for path in translations.chainlits().glob("*.json"))
APP = ROOT / "app" / "kaito_chat"


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_there_is_a_file_for_each_language_of_chainlits_page() -> None:
    assert list(codes()) == CHAINLITS


@pytest.mark.parametrize("code", CHAINLITS)
def test_a_language_has_all_texts_with_the_same_placeholders(code: str) -> None:
    texts = load(code)
    assert texts.keys() == ENGLISH.keys()
    assert {key: placeholders(text) for key, text in texts.items()} == {
        key: placeholders(text) for key, text in ENGLISH.items()
    }
    assert all(text.strip() for text in texts.values())
    bold = {key: text.count("**") for key, text in ENGLISH.items()}
    assert {key: text.count("**") for key, text in texts.items()} == bold


@pytest.mark.parametrize("code", [code for code in CHAINLITS if code != DEFAULT])
def test_a_language_is_translated(code: str) -> None:
    same = [key for key, text in load(code).items() if text == ENGLISH[key] and len(text) > 25]
    assert same == []


def test_every_text_is_used() -> None:
    files = [*APP.rglob("*.py"), *APP.rglob("*.js")]
    source = "\n".join(path.read_text(encoding="utf-8") for path in files)
    used = set(re.findall(r"[\"\'`]([a-z_]+(?:\.[a-z_]+)?)[\"\'`]", source))
    used |= {f"error.{kind}" for kind in Kind} | {f"state.{state}" for state in State}
    for prefix, names in (("step", ("node", "server", "ready")), ("action", ("continue", "again", "regenerate"))):
        used |= {f"{prefix}.{name}{end}" for name in names for end in ("", "_tip")}
    used |= {f"failure.{each}" for each in Failure} | {"notice.base_model", "notice.not_listed"}
    assert ENGLISH.keys() - used == set()


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("de-DE", "de-DE"),
        ("de-AT,de;q=0.9,en;q=0.8", "de-DE"),
        ("de", "de-DE"),
        ("DE-de", "de-DE"),
        ("pt-BR", "pt-PT"),
        ("es-MX", "es"),
        ("zh", "zh-CN"),
        ("zh-TW", "zh-TW"),
        ("en-GB", "en-US"),
        ("en;q=0.1, fr;q=0.9", "fr-FR"),
        ("xx-YY, de", "en-US"),
        ("", "en-US"),
        ("*", "en-US"),
        (";;;,q=1,\x00", "en-US"),
        ("de;q=.", "en-US"),
        ("a" * 10_000, "en-US"),
    ],
)
def test_the_preferred_language_is_used(accepted: str, code: str) -> None:
    assert negotiate(accepted) == code


@pytest.mark.parametrize("language", [None, "", "../../etc/passwd", "xx", "en-US"])
def test_without_a_known_language_texts_are_english(language: str | None) -> None:
    assert texts_for(language).say("state.ready") == "ready"


def test_each_error_has_a_text() -> None:
    for kind in Kind:
        assert texts_for("de").error(BackendError(kind)).startswith("**")


def test_an_error_names_its_reference_and_how_long_to_wait() -> None:
    text = texts_for("en-US").error(BackendError(Kind.BUSY, retry_after_seconds=7.4), "ab12")
    assert "wait 7 s" in text
    assert text.endswith("Reference ab12: the operator finds it in the log.")


def test_a_servers_message_is_plain_text_on_one_line() -> None:
    error = BackendError(Kind.REFUSED, "a *b*\n\n# <c>")
    error.said = error.detail
    assert texts_for("en-US").error(error).endswith("\n\n> a \\*b\\* \\# \\<c\\>")


def test_the_page_finds_our_texts_in_its_translations_and_asks_for_a_user_name(tmp_path: Path) -> None:
    translations.write(tmp_path)
    found = {path.stem for path in tmp_path.glob("*.json")}
    assert found == {*CHAINLITS, *(code.split("-")[0] for code in CHAINLITS)}
    for path in tmp_path.glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert "example.com" not in text
        assert '"page.offline"' in text
