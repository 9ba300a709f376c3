"""The environment files of the last release load, and make the resources that are deployed from them."""

import json
from datetime import date
from pathlib import Path

import pytest

from aks_kaito.settings import Environment, load
from support.environment_files import changed, problems
from support.inventory import addresses
from support.project import ROOT
from support.stacks import synthesized

LAST = ROOT / "tests" / "settings" / "releases" / "0.1.0"
FILES = sorted(LAST.glob("*.toml"))
DAY = date(2026, 11, 28)
# The one refusal that upgrade.md describes, and the line with which a public chat stays as it was.
PUBLIC = {"prod", "sample"}
REFUSAL = "publishes the chat to everyone without sign-in"
KEPT = "public_without_sign_in = true"
# Resources that an upgrade takes away; CHANGELOG.md says why. The administrator is only forgotten.
GONE = {
    "dev": {"platform": {"azurerm_role_assignment.chat-reads-secrets"}},
    "prod": {
        "platform": {
            "azurerm_role_assignment.chat-reads-secrets",
            "azurerm_postgresql_flexible_server_active_directory_administrator.postgresql_administrator_1BB32092",
        }
    },
    "sample": {"platform": {"azurerm_role_assignment.chat-reads-secrets"}},
}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def upgraded(file: Path, folder: Path) -> Environment:
    """Return the environment of a file after the steps of upgrade.md."""
    text = file.read_text(encoding="utf-8")
    path = folder / file.name
    path.write_text(changed("chat", KEPT, text=text) if file.stem in PUBLIC else text, encoding="utf-8")
    return load(path, DAY)


def test_the_files_are_kept() -> None:
    assert [path.stem for path in FILES] == ["dev", "prod", "sample"]


def test_a_file_loads_or_names_the_one_key_that_an_upgrade_needs(file: Path) -> None:
    if file.stem not in PUBLIC:
        assert load(file, DAY).name == file.stem
        return
    found = problems(file, DAY)
    assert list(found) == ["ingress.hostname"]
    assert REFUSAL in found["ingress.hostname"]
    page = (ROOT / "docs" / "how-to" / "upgrade.md").read_text(encoding="utf-8")
    assert "A host name without sign-in is refused." in page
    assert "`chat.public_without_sign_in = true`" in page


def test_no_key_is_deprecated_without_a_warning(file: Path, tmp_path: Path) -> None:
    assert not [each for each in upgraded(file, tmp_path).warnings if "is not a key" in each]


@pytest.mark.parametrize("part", ["platform", "workloads"])
def test_deployed_resources_keep_their_addresses(file: Path, part: str, tmp_path: Path) -> None:
    before = json.loads((LAST / "addresses.json").read_text(encoding="utf-8"))[file.stem][part]
    document = synthesized(upgraded(file, tmp_path), part)
    after = addresses(document)
    assert set(before) - set(after) == GONE[file.stem].get(part, set())
    forgotten = {each["from"] for each in document.get("removed", [])}
    for address in set(before) - set(after):
        assert (address in forgotten) == ("administrator" in address)
