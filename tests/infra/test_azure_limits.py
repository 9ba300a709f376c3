"""Resources as Azure accepts them: tags of others, names of pools, rules of firewalls, private Grafana."""

from pathlib import Path
from typing import Any

import pytest

from aks_kaito.cluster.node_pools import temporary_names
from aks_kaito.settings import load
from support.environment_files import edited, written
from support.project import TODAY
from support.stacks import synthesized


def stack(folder: Path, edits: dict[str, list[str]], part: str = "platform") -> dict[str, Any]:
    """Return the resources of a changed dev environment, by type and name."""
    document = synthesized(load(written(folder, edited(edits)), TODAY), part)
    resources: dict[str, Any] = document["resource"]
    return resources


def only(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the only resource of a type."""
    (found,) = resources[kind].values()
    return dict(found)


def test_every_resource_with_tags_ignores_the_tags_of_others(tmp_path: Path) -> None:
    edits = {"": ['tags_ignored = ["CostCenter", "Created On"]'], "monitoring.alert_email_addresses": ['a = "a@b.cd"']}
    for part in ("platform", "workloads"):
        resources = stack(tmp_path, edits, part)
        tagged = [found for of_type in resources.values() for found in of_type.values() if "tags" in found]
        assert tagged
        for found in tagged:
            assert found["lifecycle"]["ignore_changes"][-2:] == ['tags["CostCenter"]', 'tags["Created On"]']
        others = [found for of_type in resources.values() for found in of_type.values() if "tags" not in found]
        assert not any("tags[" in str(found.get("lifecycle")) for found in others)


def test_ignored_tags_are_added_to_what_a_resource_ignores(tmp_path: Path) -> None:
    cluster = only(stack(tmp_path, {"": ['tags_ignored = ["CostCenter"]']}), "azurerm_kubernetes_cluster")
    ignored = cluster["lifecycle"]["ignore_changes"]
    assert "default_node_pool[0].node_count" in ignored
    assert ignored[-1] == 'tags["CostCenter"]'


def test_no_tags_are_ignored_by_default(tmp_path: Path) -> None:
    group = only(stack(tmp_path, {}), "azurerm_resource_group")
    assert "tags[" not in str(group.get("lifecycle"))


def test_the_users_tag_reaches_every_resource(tmp_path: Path) -> None:
    resources = stack(tmp_path, {"tags": ['Environment = "theirs"']})
    tags = [found["tags"] for of_type in resources.values() for found in of_type.values() if "tags" in found]
    assert tags
    assert all(each == {"Environment": "theirs"} for each in tags)


@pytest.mark.parametrize(
    ("system", "user", "expected"),
    [
        ("system", "user", ("systemtmp", "usertmp")),
        ("system", "systemtmp", ("systemtmp1", "systemtmtmp")),
        ("usertmp", "user", ("usertmptmp", "usertmp1")),
        ("production1", "production2", ("producti" + "tmp", "producti" + "tmp1")),
        ("abcdefghtmp", "user", ("abcdefghtmp1", "usertmp")),
    ],
)
def test_a_pool_is_replaced_by_a_pool_with_a_free_name(system: str, user: str, expected: tuple[str, str]) -> None:
    found = temporary_names(system, user)
    assert (found[system], found[user]) == expected
    assert len({system, user, *expected}) == 4
    assert all(len(name) <= 12 for name in expected)


def test_the_pools_have_their_temporary_names(tmp_path: Path) -> None:
    resources = stack(tmp_path, {"user_pool": ['name = "systemtmp"']})
    pool = only(resources, "azurerm_kubernetes_cluster")["default_node_pool"]
    assert pool["temporary_name_for_rotation"] == "systemtmp1"
    assert only(resources, "azurerm_kubernetes_cluster_node_pool")["temporary_name_for_rotation"] == "systemtmtmp"


def test_firewalls_get_the_rules_that_azurerm_accepts(tmp_path: Path) -> None:
    resources = stack(tmp_path, {"network": ['allowed_ip_ranges = ["52.174.1.2/32", "20.1.2.2/31", "20.0.0.0/24"]']})
    expected = ["52.174.1.2", "20.1.2.2", "20.1.2.3", "20.0.0.0/24"]
    assert only(resources, "azurerm_storage_account")["network_rules"]["ip_rules"] == expected
    assert only(resources, "azurerm_key_vault")["network_acls"]["ip_rules"] == expected


def test_the_nodes_alone_reach_the_api_server(tmp_path: Path) -> None:
    def ranges(*sources: str) -> list[str]:
        resources = stack(tmp_path, {"cluster": [f"authorized_ip_ranges = {list(sources)}"]})
        profile = only(resources, "azurerm_kubernetes_cluster")["api_server_access_profile"]
        return list(profile["authorized_ip_ranges"])

    (nodes,) = ranges("0.0.0.0/32")
    assert nodes.startswith("${azurerm_public_ip.")
    assert nodes.endswith(".ip_address}/32")
    assert ranges("52.174.1.2", "20.0.0.0/24") == ["52.174.1.2/32", "20.0.0.0/24", nodes]


def test_a_grafana_without_public_access_has_a_private_endpoint(tmp_path: Path) -> None:
    resources = stack(tmp_path, {"monitoring": ["grafana_public_network_access_enabled = false"]})
    assert only(resources, "azurerm_dashboard_grafana")["public_network_access_enabled"] is False
    connection = only(resources, "azurerm_private_endpoint")["private_service_connection"]
    assert connection["subresource_names"] == ["grafana"]
    assert "azurerm_dashboard_grafana" in connection["private_connection_resource_id"]
    assert only(resources, "azurerm_private_dns_zone")["name"] == "privatelink.grafana.azure.com"


def test_names_of_long_environments_fit(tmp_path: Path) -> None:
    document = synthesized(load(written(tmp_path, edited({}), "production"), TODAY))
    resources = document["resource"]
    assert only(resources, "azurerm_key_vault")["name"].startswith("kv-kaito-producti-")
    assert only(resources, "azurerm_dashboard_grafana")["name"].startswith("amg-kaito-produc-")
