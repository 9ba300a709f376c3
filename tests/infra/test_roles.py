"""Role assignments: each identity has the roles that it needs, and no others."""

import re
from typing import Any

import pytest

from aks_kaito.settings import Environment
from support.environments import changed
from support.inventory import of_kind, paths
from support.stacks import synthesized

Rights = set[tuple[str, str, str]]
# Principal, role and scope in every environment: the cluster joins its subnets and assigns the kubelet's identity,
# nodes pull images, and Grafana reads metrics.
ALWAYS: Rights = {
    ("cluster/identity", "Managed Identity Operator", "cluster/kubelet-identity"),
    ("cluster/identity", "Network Contributor", "network/system-subnet"),
    ("cluster/identity", "Network Contributor", "network/user-subnet"),
    ("cluster/kubelet-identity", "AcrPull", "registry"),
    ("metrics/grafana", "Monitoring Data Reader", "metrics"),
}
ADMINISTERS: Rights = {
    ("deployer", "Azure Kubernetes Service RBAC Cluster Admin", "cluster"),
    ("deployer", "Grafana Editor", "metrics/grafana"),
}
# The chat reads its own two secrets, and no others.
SIGNS_IN: Rights = {
    ("workload-identity", "Key Vault Secrets User", "key-vault/secrets/chat-auth-secret"),
    ("workload-identity", "Key Vault Secrets User", "key-vault/secrets/chat-entra-client-secret"),
}
# AKS lists the addresses of a group to find one by name.
HAS_ADDRESS: Rights = {
    ("cluster/identity", "Network Contributor", "ingress"),
    ("cluster/identity", "Reader", "resource-group"),
}
API_SERVER_IN_NETWORK: Rights = {("cluster/identity", "Network Contributor", "network/api-server-subnet")}
HAS_ZONE: Rights = {("cert-manager-identity", "DNS Zone Contributor", "dns-zone")}
GROUP: Rights = {("aaaaaaaa-0000-4000-8000-000000000001", "Grafana Editor", "metrics/grafana")}
ZONE = {"hostname": "chat.contoso.com", "dns_zone_name": "contoso.com", "dns_zone_resource_group_name": "dns"}


def named(reference: str) -> str:
    """Return the path of the construct that a reference points to, or a literal unchanged."""
    found = re.fullmatch(r"\$\{(?:data\.)?\w+\.([-\w]+?)(?:_[0-9A-F]{8})?\.(.*)\}(/.*)?", reference)
    if not found:
        return reference
    suffix = ".web_app_routing" if "web_app_routing" in found[2] else ""
    return found[1].replace("_", "/") + suffix + (found[3] or "")


def rights(document: dict[str, Any]) -> Rights:
    """Return principal, role and scope of each assignment in a platform stack."""
    return {
        (named(each["principal_id"]), each["role_definition_name"], named(each["scope"]))
        for each in of_kind(document, "azurerm_role_assignment")
    }


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("dev", ADMINISTERS | HAS_ADDRESS),
        ("prod", ADMINISTERS | HAS_ADDRESS | API_SERVER_IN_NETWORK | SIGNS_IN),
        (
            "sample",
            API_SERVER_IN_NETWORK
            | HAS_ZONE
            | {
                ("cluster.web_app_routing", "DNS Zone Contributor", "dns-zone"),
                ("aaaaaaaa-0000-4000-8000-000000000002", "Grafana Admin", "metrics/grafana"),
                *GROUP,
            },
        ),
    ],
)
def test_shipped_environments(name: str, more: Rights, stacks: dict[str, dict[str, Any]]) -> None:
    assert rights(stacks[name]) == ALWAYS | more


def test_options_add_only_their_own_rights(environments: dict[str, Environment]) -> None:
    plain = ALWAYS | ADMINISTERS | HAS_ADDRESS
    assert rights(changed(environments, ingress=ZONE)) == plain | HAS_ZONE
    by_hand = changed(environments, ingress=ZONE, workloads={"cert_manager_enabled": False})
    assert rights(by_hand) == plain
    deployments = {"chat": {"model": "gpt-4o", "version": "2024-11-20"}}
    with_openai = changed(environments, openai={"enabled": True, "deployments": deployments})
    assert rights(with_openai) == plain | {("workload-identity", "Cognitive Services OpenAI User", "openai")}
    without = changed(environments, ingress={"mode": "none"})
    assert rights(without) == ALWAYS | ADMINISTERS


def test_the_chat_does_not_administer_its_database(stacks: dict[str, dict[str, Any]]) -> None:
    (administrator,) = of_kind(stacks["prod"], "azurerm_postgresql_flexible_server_active_directory_administrator")
    assert named(administrator["object_id"]) == named(administrator["principal_name"]) == "database-administrator"


def test_the_administrator_of_earlier_versions_leaves_the_state_undestroyed(stacks: dict[str, dict[str, Any]]) -> None:
    kind = "azurerm_postgresql_flexible_server_active_directory_administrator"
    (forgotten,) = stacks["prod"]["removed"]
    assert forgotten == {"from": f"{kind}.postgresql_administrator_1BB32092", "lifecycle": {"destroy": False}}
    assert "postgresql_administrator_1BB32092" not in stacks["prod"]["resource"][kind]
    assert "removed" not in stacks["dev"]


def test_the_right_to_a_secret_is_granted_before_the_right_to_the_vault_ends(stacks: dict[str, dict[str, Any]]) -> None:
    assignments = stacks["prod"]["resource"]["azurerm_role_assignment"]
    # The address of the assignment on the whole vault in earlier versions.
    first = assignments["chat-reads-secrets"]
    assert first["scope"].endswith("/secrets/chat-auth-secret")
    assert first["lifecycle"] == {"create_before_destroy": True}
    assert first["depends_on"] == ["azurerm_role_assignment.chat-reads-chat-entra-client-secret"]
    assert assignments["chat-reads-chat-entra-client-secret"]["scope"].endswith("/secrets/chat-entra-client-secret")


def test_administrator_groups_replace_the_deployer(environments: dict[str, Environment]) -> None:
    group = "11111111-2222-3333-4444-555555555555"
    document = changed(environments, cluster={"admin_group_object_ids": [group]})
    assert rights(document) == ALWAYS | {(group, "Grafana Editor", "metrics/grafana")} | HAS_ADDRESS


def test_another_deployer_does_not_replace_the_roles_of_the_first(stacks: dict[str, dict[str, Any]]) -> None:
    of_deployer = [
        each for each in of_kind(stacks["dev"], "azurerm_role_assignment") if named(each["principal_id"]) == "deployer"
    ]
    assert [each["lifecycle"] for each in of_deployer] == [{"ignore_changes": ["principal_id"]}] * 2


@pytest.mark.parametrize("part", ["workloads"])
def test_the_workloads_grant_nothing(environments: dict[str, Environment], part: str) -> None:
    for environment in environments.values():
        found = {key.partition(":")[0] for key in paths(synthesized(environment, part))}
        assert not found & {"azurerm_role_assignment", "kubernetes_cluster_role_binding_v1"}
