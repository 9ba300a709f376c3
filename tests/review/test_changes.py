"""Differences between two synthesized outputs, and their reports."""

import subprocess
import sys
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from aks_kaito.review import changes, report
from aks_kaito.review.changes import ABSENT, Change, StackChanges
from aks_kaito.review.documents import Document, document
from support.needs import needs_path
from support.project import ROOT

SUBNET = "azurerm_subnet.system"


def stack(name: str = "kaito-dev-platform", **resources: dict[str, Any]) -> Document:
    """Return a stack of subnets, by name."""
    return document(name, {"resource": {"azurerm_subnet": resources}, "output": {"here": {"value": "1"}}})


def only(old: Document, new: Document) -> StackChanges:
    """Return the changes between two versions of a stack."""
    (found,) = changes.compare({old.name: old}, {new.name: new})
    return found


def keys(old: object, new: object) -> list[tuple[str, object, object]]:
    return list(changes.differences(old, new))


def test_equal_outputs_have_no_changes() -> None:
    one = stack(system={"name": "a"})
    assert changes.compare({one.name: one}, {one.name: stack(system={"name": "a"})}) == []


def test_addresses_come_go_and_change() -> None:
    found = only(stack(system={"name": "a"}, old={}), stack(system={"name": "b"}, new={}))
    assert (found.status, found.added, found.removed) == ("changed", ("azurerm_subnet.new",), ("azurerm_subnet.old",))
    assert [(change.key, change.old, change.new) for change in found.changed[SUBNET]] == [("name", "a", "b")]


def test_a_stack_comes_or_goes_whole() -> None:
    one = stack(system={"name": "a"})
    (came,) = changes.compare({}, {one.name: one})
    (went,) = changes.compare({one.name: one}, {})
    assert (came.status, came.added) == ("added", (SUBNET, "output.here"))
    assert (went.status, went.removed) == ("removed", (SUBNET, "output.here"))


def test_outputs_providers_and_data_sources_count_too() -> None:
    old = document("s", {"output": {"x": {"value": "1"}}, "provider": {"azurerm": [{"features": [{}]}]}})
    new = document("s", {"output": {"x": {"value": "2"}}, "provider": {"azurerm": [{"features": []}]}})
    assert set(only(old, new).changed) == {"output.x", "provider.azurerm"}


def test_the_cdks_own_notes_do_not_count() -> None:
    one = document(
        "s", {"//": {"version": "1"}, "resource": {"azurerm_subnet": {"a": {"//": {"path": "x"}, "name": "n"}}}}
    )
    two = document(
        "s", {"//": {"version": "2"}, "resource": {"azurerm_subnet": {"a": {"//": {"path": "y"}, "name": "n"}}}}
    )
    assert changes.compare({"s": one}, {"s": two}) == []


def test_nested_keys_are_dotted_and_a_missing_one_is_absent() -> None:
    assert keys({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "d": None}}) == [("a.c", 2, ABSENT), ("a.d", ABSENT, None)]


def test_blocks_are_matched_by_name_whatever_their_order() -> None:
    old = {"rule": [{"name": "in", "priority": 100}, {"name": "out", "priority": 200}]}
    new = {"rule": [{"name": "out", "priority": 200}, {"name": "in", "priority": 110}]}
    assert keys(old, new) == [("rule[in].priority", 100, 110)]


@pytest.mark.parametrize("names", [("same", "same"), (None, None), ("", "")])
def test_blocks_without_names_of_their_own_are_matched_by_position(names: tuple[str | None, ...]) -> None:
    old = {"rule": [{"name": name, "port": 1} for name in names]}
    new = {"rule": [{"name": names[0], "port": 1}, {"name": names[1], "port": 2}, {"port": 3}]}
    assert keys(old, new) == [("rule[1].port", 1, 2), ("rule[2]", ABSENT, {"port": 3})]


def test_a_list_of_plain_values_is_one_value() -> None:
    assert keys({"zones": ["1", "2"]}, {"zones": ["1"]}) == [("zones", ["1", "2"], ["1"])]


def test_true_and_one_differ() -> None:
    assert keys({"a": True}, {"a": 1}) == [("a", True, 1)]


def test_a_listed_key_is_a_likely_replacement_and_any_other_is_for_the_plan() -> None:
    found = only(stack(system={"name": "a", "tags": "x"}), stack(system={"name": "b", "tags": "y"}))
    name, tags = found.changed[SUBNET]
    assert name.replaced_by is not None
    assert name.replaced_by.startswith("https://registry.terraform.io/providers/hashicorp/azurerm/")
    assert tags.replaced_by is None
    assert found.replaced == (SUBNET,)


def test_a_listed_key_counts_in_a_block_too() -> None:
    assert changes.lies_within("os_disk[0].name", "os_disk.name")
    assert changes.lies_within("identity", "identity")
    assert changes.lies_within("identity[x].type.more", "identity.type")
    assert not changes.lies_within("os_disk[0].size", "os_disk.name")
    assert not changes.lies_within("names", "name")


def test_a_key_of_a_block_may_omit_the_blocks_around_it() -> None:
    assert changes.lies_within("linux_profile.ssh_key[0].key_data", "ssh_key.key_data")
    assert changes.lies_within("ssh_key.key_data", "ssh_key.key_data")
    assert not changes.lies_within("other_ssh_key.key_data", "ssh_key.key_data")
    # A name alone is an argument of the resource, not of any block.
    assert not changes.lies_within("identity.name", "name")


@pytest.mark.parametrize(
    ("old", "new", "replaces"), [("17", "16", True), ("9", "14", False), ("16", "17", False), (ABSENT, "14", False)]
)
def test_a_lower_version_replaces_a_database(old: object, new: object, replaces: bool) -> None:  # noqa: FBT001
    server = changes.replacing()["azurerm_postgresql_flexible_server"]
    assert server.replaces("version", old, new) is replaces


def test_an_ignored_key_replaces_nothing() -> None:
    lifecycle = {"ignore_changes": ["linux_profile[0].ssh_key"]}
    old, new = (
        document(
            "s",
            {
                "resource": {
                    "azurerm_kubernetes_cluster": {
                        "a": {
                            "lifecycle": lifecycle,
                            "linux_profile": {"ssh_key": {"key_data": key}, "admin_username": key},
                        }
                    }
                }
            },
        )
        for key in ("one", "two")
    )
    found = only(old, new).changed["azurerm_kubernetes_cluster.a"]
    assert {change.key: bool(change.replaced_by) for change in found} == {
        "linux_profile.ssh_key.key_data": False,
        "linux_profile.admin_username": True,
    }


def test_each_list_of_replacing_keys_has_its_page() -> None:
    for kind, found in changes.replacing().items():
        assert found.keys, kind
        assert found.source.rpartition("/")[2] == kind.removeprefix("azurerm_"), kind


def test_the_list_is_that_of_the_documentation() -> None:
    table = needs_path(ROOT.parent / "shared" / "azurerm" / "replaces.tsv", "the table of azurerm's documentation")
    command = [sys.executable, str(ROOT / "tools" / "replacements.py"), str(table)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    file = ROOT / "constructs" / "aks_kaito" / "review" / "replacements.toml"
    assert file.read_text(encoding="utf-8") == printed


def lines(*found: StackChanges) -> list[str]:
    return list(report.text(found, "main"))


CHANGED = StackChanges(
    name="kaito-dev-platform",
    status="changed",
    added=("azurerm_subnet.new",),
    removed=("azurerm_subnet.old",),
    changed={
        "azurerm_subnet.a": (Change("name", "x", "y", "https://page"),),
        "azurerm_subnet.b": (Change("tags.who", ABSENT, "me", None), Change("zones", ["1"], [], None)),
    },
)


def test_the_text_has_a_line_for_each_address_and_key() -> None:
    assert lines(CHANGED) == [
        "kaito-dev-platform: 1 added, 1 removed, 2 changed, 1 likely to be replaced †",
        "  + azurerm_subnet.new",
        "  - azurerm_subnet.old",
        "  ! azurerm_subnet.a  † likely replacement",
        '      name: "x" → "y"  († replaces, https://page)',
        "  ~ azurerm_subnet.b",
        '      tags.who: (absent) → "me"  (see plan)',
        '      zones: ["1"] → []  (see plan)',
    ]


def test_the_loss_of_data_is_reported() -> None:
    server, ip = "azurerm_postgresql_flexible_server.a", "azurerm_public_ip.b"
    removed = StackChanges("s", "changed", (), (server, SUBNET, ip), {})
    assert lines(removed) == [
        "s: 3 removed, 2 lost with what they hold †",
        f"  ! {server}  † loses its databases and backups",
        f"  - {SUBNET}",
        f"  ! {ip}  † loses its address",
    ]
    assert f"- its databases and backups of `{server}` in `s`" in list(report.markdown([removed], "main"))


def test_no_change_is_said() -> None:
    assert lines() == ["The synthesized Terraform is the same as that of main."]
    assert list(report.markdown([], "main"))[-1] == "No difference."


def test_the_markdown_names_replacements_first() -> None:
    text = "\n".join(report.markdown([CHANGED], "main"))
    assert text.index("Likely to be replaced") < text.index("<details>")
    assert "- `azurerm_subnet.a` in `kaito-dev-platform`" in text
    assert '| `azurerm_subnet.b` | `tags.who` | `(absent)` | `"me"` | see plan |' in text
    assert '| `azurerm_subnet.a` | `name` | `"x"` | `"y"` | **[† replaces](https://page)** |' in text
    assert "- `azurerm_subnet.new`" in text


def test_markdown_holds_any_value() -> None:
    hostile = Change("tags.k|`y`", "a|b `` c", "<b>\n@everyone", None)
    (row,) = [
        line
        for line in report.markdown([StackChanges("s", "changed", (), (), {"t.a": (hostile,)})], "main")
        if "t.a" in line
    ]
    assert row.count(" | ") == 4
    assert '``` "a\\|b `` c" ```' in row
    assert '`"<b>\\n@everyone"`' in row


def test_long_values_are_cut_where_they_begin_to_differ() -> None:
    change = Change("query", "a" * 500 + "old", "a" * 500 + "new", None)
    line = lines(StackChanges("s", "changed", (), (), {"t.a": (change,)}))[-1]
    assert len(line) < 150
    assert 'old" → …' in line
    assert 'new"' in line


def test_a_terminal_gets_colours_and_a_file_none() -> None:
    coloured, plain = StringIO(), StringIO()
    report.show([CHANGED], "main", Console(file=coloured, force_terminal=True, width=80))
    report.show([CHANGED], "main", Console(file=plain, width=80))
    assert "\x1b[" in coloured.getvalue()
    assert plain.getvalue().splitlines() == lines(CHANGED)
