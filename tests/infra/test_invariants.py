"""Policies that hold in every shipped environment."""

import json
import re
from typing import Any

import pytest

from support.inventory import addresses, of_kind, paths
from support.project import ENVIRONMENTS, ROOT

NAMES = [path.stem for path in ENVIRONMENTS]


@pytest.fixture(params=NAMES)
def stack(request: pytest.FixtureRequest, stacks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the platform stack of each environment in turn."""
    return stacks[request.param]


def test_everything_in_a_region_is_tagged(stack: dict[str, Any]) -> None:
    for address, arguments in addresses(stack).items():
        if "location" in arguments:
            assert "environment" in arguments["tags"], address


def test_no_security_group_opens_ssh_to_the_world(stack: dict[str, Any]) -> None:
    for group in of_kind(stack, "azurerm_network_security_group"):
        for rule in group.get("security_rule") or []:
            if rule["direction"] == "Inbound" and rule["access"] == "Allow":
                ports = rule.get("destination_port_ranges") or [rule["destination_port_range"]]
                world = rule["source_address_prefix"] in ("*", "Internet", "0.0.0.0/0")
                assert not (world and {"22", "3389", "*"} & set(ports)), rule


def test_subnets_have_no_default_outbound_access(stack: dict[str, Any]) -> None:
    for subnet in of_kind(stack, "azurerm_subnet"):
        assert subnet["default_outbound_access_enabled"] is False


def test_nat_serves_nodes_and_machines_but_not_bastion(stack: dict[str, Any]) -> None:
    served = {key.split("network/")[1] for key in paths(stack) if "subnet_nat_gateway_association" in key}
    assert {"system-nat", "user-nat", "vm-nat"} <= served
    assert not {"bastion-nat", "api-server-nat"} & served


def test_services_are_closed_and_without_keys(stack: dict[str, Any]) -> None:
    for vault in of_kind(stack, "azurerm_key_vault"):
        assert vault["network_acls"]["default_action"] == "Deny"
        assert vault["purge_protection_enabled"]
        assert vault["rbac_authorization_enabled"]
    for account in of_kind(stack, "azurerm_storage_account"):
        assert account["network_rules"]["default_action"] == "Deny"
        # The sample has access keys.
        assert account["shared_access_key_enabled"] is (account["tags"]["environment"] == "sample")
        assert account["allow_nested_items_to_be_public"] is False
    for registry in of_kind(stack, "azurerm_container_registry"):
        assert registry["admin_enabled"] is False
    for server in of_kind(stack, "azurerm_postgresql_flexible_server"):
        assert server["public_network_access_enabled"] is False
        assert server["authentication"]["password_auth_enabled"] is False


def test_cluster_has_no_local_accounts_and_leaves_kaito_to_azapi(stack: dict[str, Any]) -> None:
    (cluster,) = of_kind(stack, "azurerm_kubernetes_cluster")
    assert cluster["local_account_disabled"]
    assert cluster["azure_active_directory_role_based_access_control"]["azure_rbac_enabled"]
    assert cluster["oidc_issuer_enabled"]
    assert "ai_toolchain_operator_enabled" not in cluster
    assert "ai_toolchain_operator_enabled" in cluster["lifecycle"]["ignore_changes"]
    assert cluster["network_profile"]["outbound_type"] == "userAssignedNATGateway"
    for update in of_kind(stack, "azapi_update_resource"):
        assert re.fullmatch(
            r"Microsoft\.ContainerService/managedClusters(/agentPools)?@\d{4}-\d\d-\d\d", update["type"]
        )


def test_somebody_can_enter_the_cluster(stack: dict[str, Any]) -> None:
    (cluster,) = of_kind(stack, "azurerm_kubernetes_cluster")
    groups = cluster["azure_active_directory_role_based_access_control"]["admin_group_object_ids"]
    deployer = "azurerm_role_assignment:cluster/deployer-administers-cluster" in paths(stack)
    assert bool(groups) != deployer


def test_roles_are_narrow(stack: dict[str, Any]) -> None:
    for key, role in paths(stack).items():
        if key.startswith("azurerm_role_assignment:"):
            assert role["role_definition_name"] not in ("Owner", "Contributor", "Key Vault Administrator"), key
            # A role on the whole resource group may only read.
            assert "azurerm_resource_group." not in role["scope"] or role["role_definition_name"] == "Reader", key


def test_every_loggable_resource_has_a_diagnostic_setting(stack: dict[str, Any]) -> None:
    targets = "\n".join(item["target_resource_id"] for item in of_kind(stack, "azurerm_monitor_diagnostic_setting"))
    for kind in (
        "azurerm_bastion_host",
        "azurerm_container_registry",
        "azurerm_dashboard_grafana",
        "azurerm_key_vault",
        "azurerm_kubernetes_cluster",
        "azurerm_log_analytics_workspace",
        "azurerm_network_security_group",
        "azurerm_postgresql_flexible_server",
        "azurerm_public_ip",
        "azurerm_storage_account",
        "azurerm_virtual_network",
    ):
        for name in stack["resource"].get(kind, {}):
            assert f"{kind}.{name}.id" in targets


def test_output_holds_no_secret_no_random_name_and_no_path(stack: dict[str, Any]) -> None:
    text = json.dumps(stack)
    assert "random_" not in stack["resource"]
    assert not re.search(r"(admin_password|kube_admin_config|access_key\b|kube_config)", text)
    assert not re.search(r"PRIVATE KEY|client_secret|account_key", text)
    assert str(ROOT) not in text


def test_outputs_contain_what_deployments_need(stack: dict[str, Any]) -> None:
    assert {
        "cluster_name",
        "cluster_resource_id",
        "cluster_oidc_issuer_url",
        "resource_group_name",
        "registry_login_server",
        "key_vault_name",
        "workload_identity_client_id",
        "tenant_id",
        "grafana_endpoint",
    } <= set(stack["output"])


def test_private_endpoints_come_with_zone_link_and_no_public_access(stacks: dict[str, dict[str, Any]]) -> None:
    prod = stacks["prod"]
    endpoints = {
        item["private_service_connection"]["subresource_names"][0] for item in of_kind(prod, "azurerm_private_endpoint")
    }
    assert endpoints == {"registry", "vault", "blob", "postgresqlServer"}
    assert len(of_kind(prod, "azurerm_private_dns_zone")) == len(endpoints)
    assert len(of_kind(prod, "azurerm_private_dns_zone_virtual_network_link")) == len(endpoints)
    for kind in ("azurerm_container_registry", "azurerm_key_vault", "azurerm_storage_account"):
        (service,) = of_kind(prod, kind)
        assert service["public_network_access_enabled"] is False
