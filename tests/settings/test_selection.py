"""Selection of environment files by name and by variables."""

from pathlib import Path

import pytest

from aks_kaito.settings import SettingsError, prevents_destroy, selected
from support.stand_ins import DEV


def folder_with(folder: Path, **texts: str) -> Path:
    """Write environment files; underscores stand for hyphens."""
    for name, text in texts.items():
        (folder / f"{name.replace('_', '-')}.toml").write_text(text, encoding="utf-8")
    return folder


def problems(folder: Path, **variables: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        selected(folder, variables)
    return str(refused.value).splitlines()


@pytest.mark.parametrize("name", ["", " ", ".", "..", "../dev", "/dev", "dev.toml", "Dev", "dev\n", "dév", "ﬁ", "dev/"])
def test_only_the_name_of_a_file_selects(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    folder_with(tmp_path, dev=DEV)
    folder_with(inside, dev=DEV, prod=DEV)
    (line,) = problems(inside, AKS_KAITO_ENV=name)
    assert line.endswith(": must be one of: dev, prod")
    assert "AKS_KAITO_ENV = " in line


@pytest.mark.parametrize("name", ["A", "a", "a_b", "1a", "-a", "a-", "a.b", "ä", "a" * 17])
def test_the_name_of_a_file_is_a_name(tmp_path: Path, name: str) -> None:
    (tmp_path / f"{name}.toml").write_text(DEV, encoding="utf-8")
    found = "\n".join(problems(tmp_path, AKS_KAITO_ENV=name))
    assert "a file's name must be 2-16 lower-case letters, digits and '-', starting with a letter" in found


def test_names_that_differ_by_hyphens_are_refused_with_one_prefix(tmp_path: Path) -> None:
    folder_with(tmp_path, a_b=DEV, ab=DEV, abc=DEV)
    registry = "both would have the registry crkaitoab6f10b7"
    assert [registry in line for line in problems(tmp_path)] == [True, True]
    for name in ("ab", "a-b"):
        (line,) = problems(tmp_path, AKS_KAITO_ENV=name)
        assert registry in line
    assert [each.name for each in selected(tmp_path, {"AKS_KAITO_ENV": "abc"})] == ["abc"]


@pytest.mark.parametrize(
    "text",
    [
        DEV.replace('prefix = "kaito"', 'prefix = "other"'),
        f'subscription_id = "11111111-2222-3333-4444-555555555555"\n{DEV}',
    ],
    ids=["prefix", "subscription"],
)
def test_names_that_differ_by_hyphens_are_accepted_where_their_registries_differ(tmp_path: Path, text: str) -> None:
    folder_with(tmp_path, a_b=DEV, ab=text)
    assert len({each.names.registry for each in selected(tmp_path, {})}) == 2


def test_a_broken_file_of_another_environment_stops_nobody(tmp_path: Path) -> None:
    folder_with(tmp_path, a_b="prefix = 3", ab=DEV)
    assert [each.name for each in selected(tmp_path, {"AKS_KAITO_ENV": "ab"})] == ["ab"]


def test_the_prefix_counts_without_its_case(tmp_path: Path) -> None:
    folder_with(tmp_path, a_b=DEV.replace('prefix = "kaito"', 'prefix = "Kaito"'), ab=DEV)
    assert len(problems(tmp_path)) == 2


def test_protection_is_lifted_by_one_word_only(tmp_path: Path) -> None:
    assert prevents_destroy(tmp_path, {})
    assert prevents_destroy(tmp_path, {"AKS_KAITO_PREVENT_DESTROY": "true"})
    assert not prevents_destroy(tmp_path, {"AKS_KAITO_PREVENT_DESTROY": "false"})
    for value in ("", "False", "0", "no", "true "):
        with pytest.raises(SettingsError, match=r"AKS_KAITO_PREVENT_DESTROY = .*: must be true or false"):
            prevents_destroy(tmp_path, {"AKS_KAITO_PREVENT_DESTROY": value})
