"""Shipped environments against their inventories, and options against the resources that they add."""

import re
from pathlib import Path
from typing import Any

import pytest

from aks_kaito.settings import Environment
from support.environments import changed
from support.inventory import differences, of_kind, paths

INVENTORIES = sorted((Path(__file__).parent / "inventories").glob("*.yaml"))


@pytest.mark.parametrize("inventory", INVENTORIES, ids=lambda path: path.stem)
def test_stack_matches_its_inventory(
    inventory: Path, stacks: dict[str, dict[str, Any]], workloads: dict[str, dict[str, Any]]
) -> None:
    name, _, part = inventory.stem.partition("-")
    assert differences({"": stacks, "workloads": workloads}[part][name], inventory) == []


def test_every_environment_has_its_inventories(environments: dict[str, Environment]) -> None:
    assert {path.stem for path in INVENTORIES} == {*environments, *(f"{each}-workloads" for each in environments)}


def test_kaito_is_switched_off_explicitly(environments: dict[str, Environment]) -> None:
    document = changed(environments, kaito={"enabled": False})
    switch = paths(document)["azapi_update_resource:kaito"]
    assert switch["body"]["properties"]["aiToolchainOperatorProfile"] == {"enabled": False}


def test_customer_identity_gets_the_provisioners_rights(environments: dict[str, Environment]) -> None:
    document = changed(environments, kaito={"provisioner_identity": "customer"})
    found = paths(document)
    credential = found["azurerm_federated_identity_credential:kaito/provisioner-federated-credential"]
    assert credential["subject"] == "system:serviceaccount:kube-system:kaito-gpu-provisioner"
    assert credential["audience"] == ["api://AzureADTokenExchange"]
    role = found["azurerm_role_assignment:kaito/provisioner-adds-pools"]
    assert "azurerm_kubernetes_cluster." in role["scope"]
    (lookup,) = document["data"]["azurerm_user_assigned_identity"].values()
    # A data source that refers to the cluster or to azapi's resource would be unknown at each change of them.
    for key in ("name", "resource_group_name"):
        pattern = rf"\$\{{terraform_data\.kaito_provisioner-identity-name_\w+\.output\.{key}}}"
        assert re.fullmatch(pattern, lookup[key])
    assert "depends_on" not in lookup
    expected = found["terraform_data:kaito/provisioner-identity-name"]
    assert expected["input"]["name"] == "ai-toolchain-operator-aks-kaito-dev-westeurope"
    assert expected["input"]["resource_group_name"].endswith(".node_resource_group}")
    assert expected["depends_on"][0].startswith("azapi_update_resource.kaito_")


def test_pod_subnet_replaces_the_overlay(environments: dict[str, Environment]) -> None:
    document = changed(
        environments,
        cluster={"network_plugin_mode": "pod-subnet"},
        network={"pod_subnet_cidr": "10.242.0.0/16"},
    )
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    assert "pod_cidr" not in cluster["network_profile"]
    assert "network_plugin_mode" not in cluster["network_profile"]
    assert "network_pod-subnet" in cluster["default_node_pool"]["pod_subnet_id"]
    subnet = paths(document)["azurerm_subnet:network/pod-subnet"]
    assert subnet["delegation"][0]["service_delegation"]["name"] == "Microsoft.ContainerService/managedClusters"


def test_spot_pool_has_no_upgrade_settings(environments: dict[str, Environment]) -> None:
    (pool,) = of_kind(changed(environments, user_pool={"spot_enabled": True}), "azurerm_kubernetes_cluster_node_pool")
    assert pool["priority"] == "Spot"
    assert pool["eviction_policy"] == "Delete"
    assert "upgrade_settings" not in pool


def test_openai_deployments_are_created_one_after_the_other(environments: dict[str, Environment]) -> None:
    deployments = {
        "chat": {"model": "gpt-4o", "version": "2024-11-20", "capacity": 30},
        "small": {"model": "gpt-4o-mini", "version": "2024-07-18"},
    }
    document = changed(environments, openai={"enabled": True, "deployments": deployments})
    (account,) = of_kind(document, "azurerm_cognitive_account")
    assert account["local_auth_enabled"] is False
    found = paths(document)
    assert found["azurerm_cognitive_deployment:openai/deployment-chat"]["sku"]["capacity"] == 30
    assert "deployment-chat" in found["azurerm_cognitive_deployment:openai/deployment-small"]["depends_on"][0]
    role = found["azurerm_role_assignment:openai/chat-uses-models"]["role_definition_name"]
    assert role == "Cognitive Services OpenAI User"


def test_flux_and_dapr_are_extensions(environments: dict[str, Environment]) -> None:
    document = changed(
        environments,
        cluster={"dapr_enabled": True},
        flux={"enabled": True, "url": "https://github.com/contoso/fleet", "kustomization_path": "./clusters/dev"},
    )
    kinds = {item["extension_type"] for item in of_kind(document, "azurerm_kubernetes_cluster_extension")}
    assert kinds == {"Microsoft.Dapr", "microsoft.flux"}
    (configuration,) = of_kind(document, "azurerm_kubernetes_flux_configuration")
    assert configuration["kustomizations"][0]["path"] == "./clusters/dev"


def test_records_point_host_names_to_the_address(environments: dict[str, Environment]) -> None:
    document = changed(
        environments,
        ingress={
            "mode": "nginx",
            "hostname": "chat.ai.contoso.com",
            "model_hostname": "contoso.com",
            "dns_zone_name": "contoso.com",
            "dns_zone_resource_group_name": "dns",
        },
    )
    found = paths(document)
    assert found["azurerm_dns_a_record:ingress/chat-record"]["name"] == "chat.ai"
    assert found["azurerm_dns_a_record:ingress/model-record"]["name"] == "@"
    assert "azurerm_public_ip." in found["azurerm_dns_a_record:ingress/chat-record"]["records"][0]


def test_an_allow_list_includes_the_clusters_own_nodes(environments: dict[str, Environment]) -> None:
    document = changed(environments, cluster={"authorized_ip_ranges": ["52.174.1.2"]})
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    first, nodes = cluster["api_server_access_profile"]["authorized_ip_ranges"]
    assert first == "52.174.1.2/32"
    assert re.fullmatch(r"\$\{azurerm_public_ip\.network_nat-gateway-ip_\w+\.ip_address\}/32", nodes)


def test_no_ingress_has_no_open_port_and_no_address(environments: dict[str, Environment]) -> None:
    document = changed(environments, ingress={"mode": "none"})
    found = paths(document)
    assert "azurerm_public_ip:ingress" not in found
    assert (
        "security_rule" not in found["azurerm_network_security_group:network/user-nsg"]
        or not (found["azurerm_network_security_group:network/user-nsg"]["security_rule"])
    )


def test_windows_rules_are_an_option(environments: dict[str, Environment]) -> None:
    document = changed(environments, monitoring={"windows_rules_enabled": True})
    groups = of_kind(document, "azurerm_monitor_alert_prometheus_rule_group")
    assert [len(group["rule"]) for group in groups] == [19, 17, 11, 15, 18, 8]


def test_agic_may_use_an_existing_gateway(environments: dict[str, Environment]) -> None:
    group = "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/hub"
    gateway = f"{group}/providers/Microsoft.Network/applicationGateways/agw"
    document = changed(environments, cluster={"application_gateway_resource_id": gateway}, ingress={"mode": "none"})
    found = paths(document)
    assert found["azurerm_role_assignment:agic-changes-gateway"]["scope"] == gateway
    assert found["azurerm_role_assignment:agic-reads-group"]["scope"] == group
    joins = found["azurerm_role_assignment:agic-joins-subnet"]
    assert joins["role_definition_name"] == "Network Contributor"
    (key,) = document["data"]["azurerm_application_gateway"]
    assert joins["scope"] == f"${{data.azurerm_application_gateway.{key}.gateway_ip_configuration[0].subnet_id}}"
    assert document["data"]["azurerm_application_gateway"][key]["name"] == "agw"
    assert document["data"]["azurerm_application_gateway"][key]["resource_group_name"] == "hub"
