"""Tags: Azure's rules, and the tags of every resource."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aks_kaito.settings import load
from aks_kaito.settings.tags import tags_of
from support.environment_files import changed, edited, problems, written
from support.project import TODAY

PRIVATE = {"network": ["private_endpoints_enabled = true"], "registry": ['sku = "Premium"']}
RECORDS = {
    "chat": ['sign_in = "entra"', 'entra_client_id = "5c1d6a0e-7b52-4f0c-9a3d-2f6b8e1c4d70"'],
    "ingress": [
        'hostname = "chat.contoso.com"',
        'dns_zone_name = "contoso.com"',
        'dns_zone_resource_group_name = "dns"',
    ],
}
DATABASE = {"postgresql": ["enabled = true"]}
GRAFANA = {"monitoring": ["grafana_public_network_access_enabled = false"]}


def many(count: int) -> list[str]:
    """Return lines of a table with this many tags."""
    return [f'tag{number} = "x"' for number in range(count)]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (['Owner = "a"', 'owner = "b"'], "'Owner' and 'owner'"),
        (['microsoftTeam = "x"'], "must not start with microsoft"),
        (['AzureThing = "x"'], "which Azure reserves; not 'AzureThing'"),
        (['"Windows-host" = "x"'], "which Azure reserves"),
        (['"a?b" = "x"'], "without <>%&"),
        (['" " = "x"'], "not only spaces"),
        ([f'{"n" * 129} = "x"'], "1-128 characters"),
        ([f'name = "{"v" * 257}"'], "at most 256 characters"),
        (many(50), "at most 50 tags with the tag environment; there are 51"),
    ],
)
def test_tags_that_azure_refuses_are_refused(lines: list[str], words: str, tmp_path: Path) -> None:
    assert words in problems(written(tmp_path, changed("tags", *lines)))["tags"]


@pytest.mark.parametrize("lines", [many(49), [*many(49), 'Environment = "x"'], [f'{"n" * 128} = "{"v" * 256}"'], []])
def test_tags_that_azure_accepts_are_accepted(lines: list[str], tmp_path: Path) -> None:
    assert load(written(tmp_path, changed("tags", *lines)), TODAY)


@pytest.mark.parametrize("reason", [PRIVATE, RECORDS, DATABASE, GRAFANA])
def test_dns_takes_fewer_tags(reason: dict[str, list[str]], tmp_path: Path) -> None:
    assert load(written(tmp_path, edited({**reason, "tags": many(14)})), TODAY)
    found = problems(written(tmp_path, edited({**reason, "tags": many(15)})))
    assert "at most 15 tags with the tag environment" in found["tags"]
    assert "there are 16" in found["tags"]


@pytest.mark.parametrize("name", ["Cost Center", "1st", "größe", "a:b", "#one"])
def test_dns_takes_simple_names_of_tags_only(name: str, tmp_path: Path) -> None:
    tags = {"tags": [f'"{name}" = "x"']}
    assert load(written(tmp_path, edited(tags)), TODAY)
    found = problems(written(tmp_path, edited({**PRIVATE, **tags})))
    assert "no digit first" in found[f"tags.{name}"]


@pytest.mark.parametrize("name", ["environment", "Environment", "ENVIRONMENT"])
def test_the_users_tag_environment_wins(name: str, tmp_path: Path) -> None:
    loaded = load(written(tmp_path, changed("tags", f'{name} = "theirs"')), TODAY)
    assert loaded.tags == {name: "theirs"}


def test_every_resource_has_the_environments_name(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, changed("tags", 'owner = "a"')), TODAY)
    assert loaded.tags == {"owner": "a", "environment": "dev"}


@given(st.dictionaries(st.text(string.ascii_letters, min_size=1, max_size=12), st.text(max_size=5)))
def test_tags_of_a_resource_keep_the_users_and_differ_in_more_than_case(tags: dict[str, str]) -> None:
    merged = tags_of("dev", tags)
    assert tags.items() <= merged.items()
    ours = set(merged) - set(tags)
    assert ours <= {"environment"}
    assert not {name.lower() for name in ours} & {name.lower() for name in tags}


@pytest.mark.parametrize(
    ("ignored", "words"),
    [
        ('["CostCenter", "costcenter"]', "'CostCenter' and 'costcenter'"),
        ('[""]', "must be names of tags"),
        ('["owner"]', "must not name a tag that this file sets"),
        ('["Environment"]', "or the tag environment"),
    ],
)
def test_ignored_tags_are_checked(ignored: str, words: str, tmp_path: Path) -> None:
    text = edited({"": [f"tags_ignored = {ignored}"], "tags": ['Owner = "x"']})
    assert words in problems(written(tmp_path, text))["tags_ignored"]
