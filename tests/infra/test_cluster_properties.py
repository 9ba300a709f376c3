"""Arguments of the cluster that azurerm and azapi divide, and values in the order in which azurerm reads them."""

import random
import re
from typing import Any

import pytest

from aks_kaito.naming import Names
from aks_kaito.settings import Environment
from support.environments import changed
from support.inventory import of_kind, paths

# A public key of the shipped files with another comment.
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKgbxVC6qYsGAd7Ex8BDIYM4nM0Z8mxXpYE8R2GvLIUM someone"


def written(document: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of the cluster that azapi writes."""
    properties: dict[str, Any] = paths(document)["azapi_update_resource:kaito"]["body"]["properties"]
    return properties


@pytest.mark.parametrize(
    ("mode", "nginx", "installation", "istio"),
    [
        ("none", False, "Disabled", "Disabled"),
        ("nginx", False, "Disabled", "Disabled"),
        ("webapprouting", True, "Disabled", "Disabled"),
        ("gateway", False, "Standard", "Enabled"),
    ],
)
def test_azapi_writes_every_switch_of_ingress_in_every_mode(
    mode: str, *, nginx: bool, installation: str, istio: str, environments: dict[str, Environment]
) -> None:
    document = changed(environments, ingress={"mode": mode})
    assert written(document)["ingressProfile"] == {
        "gatewayAPI": {"installation": installation},
        "webAppRouting": {
            "enabled": nginx,
            "gatewayAPIImplementations": {"appRoutingIstio": {"mode": istio}},
        },
    }
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    assert ("web_app_routing" in cluster) == nginx


@pytest.mark.parametrize("mode", ["none", "nginx", "webapprouting", "gateway"])
def test_azapi_notices_a_lost_gateway_api_and_writes_after_every_change_of_the_cluster(
    mode: str, environments: dict[str, Environment]
) -> None:
    document = changed(environments, ingress={"mode": mode})
    switch = paths(document)["azapi_update_resource:kaito"]
    assert switch["ignore_missing_property"] == (mode != "gateway")
    (address,) = document["resource"]["azurerm_kubernetes_cluster"]
    assert switch["lifecycle"]["replace_triggered_by"] == [f"azurerm_kubernetes_cluster.{address}"]


@pytest.mark.parametrize(("keda", "vertical"), [(True, True), (True, False), (False, True)])
def test_azurerm_switches_the_autoscalers_while_one_is_on(
    *, keda: bool, vertical: bool, environments: dict[str, Environment]
) -> None:
    document = changed(environments, cluster={"keda_enabled": keda, "vertical_pod_autoscaler_enabled": vertical})
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    assert cluster["workload_autoscaler_profile"] == {"keda_enabled": keda, "vertical_pod_autoscaler_enabled": vertical}
    assert "workload_autoscaler_profile" not in cluster["lifecycle"]["ignore_changes"]
    assert "workloadAutoScalerProfile" not in written(document)


def test_azapi_switches_both_autoscalers_off(environments: dict[str, Environment]) -> None:
    document = changed(environments, cluster={"keda_enabled": False, "vertical_pod_autoscaler_enabled": False})
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    assert "workload_autoscaler_profile" not in cluster
    assert "workload_autoscaler_profile" in cluster["lifecycle"]["ignore_changes"]
    off = {"keda": {"enabled": False}, "verticalPodAutoscaler": {"enabled": False}}
    assert written(document)["workloadAutoScalerProfile"] == off


def test_azapi_writes_the_ssh_key_which_azurerm_ignores_after_the_creation(
    environments: dict[str, Environment],
) -> None:
    document = changed(environments, cluster={"ssh_public_key": KEY, "admin_username": "someone"})
    profile = {"adminUsername": "someone", "ssh": {"publicKeys": [{"keyData": KEY}]}}
    assert written(document)["linuxProfile"] == profile
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    assert cluster["linux_profile"] == {"admin_username": "someone", "ssh_key": {"key_data": KEY}}
    assert "linux_profile[0].ssh_key" in cluster["lifecycle"]["ignore_changes"]


@pytest.mark.parametrize(
    "message",
    [
        "RESPONSE 409: 409 Conflict ERROR CODE: EtagMismatch",
        "Operation is not allowed: Another operation is in progress",
        "Operation is not allowed because there's an in-progress create agent pool operation on the managed cluster",
    ],
)
def test_azapi_tries_again_while_aks_changes_the_cluster(message: str, environments: dict[str, Environment]) -> None:
    updates = of_kind(changed(environments), "azapi_update_resource")
    assert len(updates) == 4
    for update in updates:
        assert any(re.search(pattern, message) for pattern in update["retry"]["error_message_regex"])


def test_replicas_of_the_registry_are_in_the_order_in_which_azurerm_reads_them(
    environments: dict[str, Environment],
) -> None:
    regions = ["australiaeast", "eastus", "eastus2", "northeurope", "swedencentral"]
    shuffled = random.Random(1).sample(regions, len(regions))  # noqa: S311  (no secret)
    assert shuffled != regions
    document = changed(environments, registry={"sku": "Premium", "georeplication_locations": shuffled})
    (registry,) = of_kind(document, "azurerm_container_registry")
    assert [replica["location"] for replica in registry["georeplications"]] == regions


def test_lists_that_are_sets_in_azure_are_sorted(environments: dict[str, Environment]) -> None:
    groups = [f"{digit * 8}-2222-3333-4444-555555555555" for digit in "312"]
    taints = ["workload=chat:NoSchedule", "team=models:NoSchedule"]
    document = changed(environments, cluster={"admin_group_object_ids": groups}, user_pool={"node_taints": taints})
    (cluster,) = of_kind(document, "azurerm_kubernetes_cluster")
    control = cluster["azure_active_directory_role_based_access_control"]
    assert control["admin_group_object_ids"] == [groups[1], groups[2], groups[0]]
    (pool,) = of_kind(document, "azurerm_kubernetes_cluster_node_pool")
    assert pool["node_taints"] == [taints[1], taints[0]]


def test_the_node_resource_group_has_the_name_that_aks_chooses(environments: dict[str, Environment]) -> None:
    (cluster,) = of_kind(changed(environments), "azurerm_kubernetes_cluster")
    assert cluster["node_resource_group"] == "MC_rg-kaito-dev-westeurope_aks-kaito-dev-westeurope_westeurope"
    # A cluster that got another name from AKS is not replaced.
    assert "node_resource_group" in cluster["lifecycle"]["ignore_changes"]


def test_a_long_name_of_the_node_resource_group_is_cut_at_80_characters() -> None:
    names = Names("averylongprefix", "production", "australiasoutheast")
    whole = (
        "MC_rg-averylongprefix-production-australiasoutheast_aks-averylongprefix-production-australiasoutheast_"
        "australiasoutheast"
    )
    assert names.node_resource_group == whole[:80]
    assert len(names.node_resource_group) == 80
