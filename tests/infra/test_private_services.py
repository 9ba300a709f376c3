"""Private endpoints of the services, with and without public access beside them, and the chat's way to them."""

from typing import Any

import pytest

from aks_kaito.settings import Environment
from support.environments import altered, changed
from support.inventory import of_kind, paths
from support.rendered import values_of
from support.stacks import synthesized

OPENAI = {"enabled": True, "deployments": {"chat": {"model": "gpt-4o", "version": "2024-11-20"}}}
PRIVATE = {"private_endpoints_enabled": True}
BESIDE = {**PRIVATE, "public_access_beside_endpoints_enabled": True}
ZONES = {
    "privatelink.azurecr.io",
    "privatelink.blob.core.windows.net",
    "privatelink.openai.azure.com",
    "privatelink.vaultcore.azure.net",
}


def with_network(environments: dict[str, Environment], network: dict[str, Any]) -> dict[str, Any]:
    """Return the platform of dev with Azure OpenAI, a Premium registry and network settings."""
    return changed(environments, network=network, registry={"sku": "Premium"}, openai=OPENAI)


@pytest.mark.parametrize(
    ("network", "endpoints", "public"), [({}, False, True), (PRIVATE, True, False), (BESIDE, True, True)]
)
def test_endpoints_and_public_access_are_two_decisions(
    network: dict[str, Any],
    endpoints: bool,  # noqa: FBT001 (a case's expectation)
    public: bool,  # noqa: FBT001 (a case's expectation)
    environments: dict[str, Environment],
) -> None:
    document = with_network(environments, network)
    assert {each["name"] for each in of_kind(document, "azurerm_private_dns_zone")} == (ZONES if endpoints else set())
    assert len(of_kind(document, "azurerm_private_endpoint")) == (4 if endpoints else 0)
    for kind in ("azurerm_key_vault", "azurerm_storage_account", "azurerm_cognitive_account"):
        assert [each["public_network_access_enabled"] for each in of_kind(document, kind)] == [public], kind
    (registry,) = of_kind(document, "azurerm_container_registry")
    # The argument is false or left out, which is true.
    assert registry.get("public_network_access_enabled", True) is public
    (vault,) = of_kind(document, "azurerm_key_vault")
    assert vault["network_acls"]["default_action"] == "Deny"
    assert bool(vault["network_acls"]["virtual_network_subnet_ids"]) is public


def test_the_sample_has_its_endpoints_zones_and_rule_groups(stacks: dict[str, dict[str, Any]]) -> None:
    sample = stacks["sample"]
    assert {each["name"] for each in of_kind(sample, "azurerm_private_dns_zone")} == ZONES - {
        "privatelink.openai.azure.com"
    }
    found = paths(sample)
    for service in ("registry", "key-vault", "storage"):
        endpoint = found[f"azurerm_private_endpoint:{service}/private-endpoint"]
        assert endpoint["private_dns_zone_group"]["private_dns_zone_ids"]
        assert endpoint["private_service_connection"]["is_manual_connection"] is False
    assert "public_network_access_enabled" not in found["azurerm_container_registry:registry"]
    assert found["azurerm_key_vault:key-vault"]["public_network_access_enabled"] is True
    groups = {
        each["name"].partition("-aks-")[0] for each in of_kind(sample, "azurerm_monitor_alert_prometheus_rule_group")
    }
    assert {
        "NodeRecordingRulesRuleGroup",
        "KubernetesRecordingRulesRuleGroup",
        "NodeRecordingRulesRuleGroup-Win",
        "NodeAndKubernetesRecordingRulesRuleGroup-Win",
    } <= groups


def policy(environment: Environment) -> dict[str, Any]:
    """Return the values of the chat's network policies."""
    found: dict[str, Any] = values_of(synthesized(environment, "workloads"), "kaito-chat")["networkPolicy"]
    return found


def test_the_policies_exclude_the_network_and_admit_its_endpoints(environments: dict[str, Environment]) -> None:
    dev = environments["dev"]
    assert policy(dev)["vnetCidrs"] == ["10.0.0.0/8"]
    assert "privateEndpointsCidr" not in policy(dev)
    assert "apiServerCidr" not in policy(dev)
    private = altered(dev, network=PRIVATE, registry={"sku": "Premium"})
    assert policy(private)["privateEndpointsCidr"] == "10.243.1.0/24"
    assert policy(environments["prod"])["apiServerCidr"] == "10.243.0.0/27"
    # Without VNet integration, the private endpoint of the API server is in the nodes' subnet.
    nodes = altered(environments["prod"], cluster={"api_server_vnet_integration_enabled": False})
    assert policy(nodes)["apiServerCidr"] == "10.240.0.0/16"
