"""Former names of keys: a warning with the new name, and no file with both."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import load
from aks_kaito.settings.deprecated import RENAMED, Renamed, current
from support.environment_files import changed, problems, written
from support.project import ROOT, TODAY

# Keys that a later release might rename.
MADE_UP = (
    Renamed("cluster.tier", "cluster.sku_tier", "0.3.0", "0.5.0"),
    Renamed("models.*.size", "models.*.instance_type", "0.3.0", "0.5.0"),
    Renamed("chat_icon", "chat.icon", "0.3.0", "0.5.0"),
)
WORDS = "is deprecated since 0.3.0, and refused from 0.5.0 on: rename it to"


@pytest.fixture
def _renamed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aks_kaito.settings.deprecated.RENAMED", MADE_UP)


def said(path: Path) -> list[str]:
    return [each.partition(".toml: ")[2] for each in load(path, TODAY).warnings if "deprecated" in each]


@pytest.mark.usefixtures("_renamed")
def test_a_former_name_has_the_effect_of_the_new_one_and_a_warning(tmp_path: Path) -> None:
    text = changed("cluster", 'tier = "Standard"').replace('sku_tier = "Free"\n', "")
    path = written(tmp_path, text)
    assert load(path, TODAY).settings.cluster.sku_tier == "Standard"
    assert said(path) == [f'cluster.tier = "Standard": {WORDS} cluster.sku_tier']


@pytest.mark.usefixtures("_renamed")
def test_a_value_is_checked_under_the_new_name(tmp_path: Path) -> None:
    text = changed("cluster", 'tier = "Gold"').replace('sku_tier = "Free"\n', "")
    assert 'cluster.sku_tier = "Gold"' in problems(written(tmp_path, text))["cluster.sku_tier"]


@pytest.mark.usefixtures("_renamed")
def test_both_names_are_refused(tmp_path: Path) -> None:
    found = problems(written(tmp_path, changed("cluster", 'tier = "Standard"', 'sku_tier = "Free"')))
    assert found == {
        "cluster.tier": 'cluster.tier = "Standard": is the former name of cluster.sku_tier: set only the latter'
    }


@pytest.mark.parametrize(
    ("data", "wanted", "keys"),
    [
        ({}, {}, []),
        ({"cluster": "text"}, {"cluster": "text"}, []),
        ({"models": ["list"]}, {"models": ["list"]}, []),
        (
            {"models": {"a": {"size": 1}, "b": {"instance_type": 2}, "c": 3}},
            {"models": {"a": {"instance_type": 1}, "b": {"instance_type": 2}, "c": 3}},
            ["models.a.size"],
        ),
        ({"chat_icon": 1}, {"chat": {"icon": 1}}, ["chat_icon"]),
        ({"chat_icon": 1, "chat": {"x": 2}}, {"chat": {"x": 2, "icon": 1}}, ["chat_icon"]),
    ],
)
def test_values_move(data: dict[str, Any], wanted: dict[str, Any], keys: list[str]) -> None:
    before = repr(data)
    found = current(data, MADE_UP)
    assert (found.data, [each.key for each in found.warnings], found.problems) == (wanted, keys, [])
    assert repr(data) == before


def test_a_former_key_beside_something_else_is_refused() -> None:
    found = current({"chat_icon": 1, "chat": "text"}, MADE_UP)
    assert [each.key for each in found.problems] == ["chat_icon"]
    assert found.data == {"chat": "text"}


def test_the_page_lists_the_keys_of_environment_files() -> None:
    text = (ROOT / "docs" / "reference" / "deprecations.md").read_text(encoding="utf-8")
    for each in RENAMED:
        assert f"| environment file | `{each.old}` | `{each.new}` | {each.since} | {each.until} |" in text
    assert ("No key of environment files is deprecated." in text) == (not RENAMED)
