"""Who deploys and where: identity, subscription, permissions, deny assignments, registrations."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aks_kaito_cli.preflight import permissions, registrations, resource_types, subscription
from support import ready_subscription as ready
from support.fake_azure import PRINCIPAL, TENANT, TOKEN, USER, FakeAzure, error, running, token
from support.preflights import DEV, PROD, SAMPLE, context, found, written
from support.project import OWN_ID

GROUP = f"{ready.SCOPE}/resourceGroups/rg-kaito-dev-westeurope"
ASSIGN = f"Ask an owner for: az role assignment create --assignee {PRINCIPAL} --role"


@pytest.fixture
def azure(tmp_path: Path) -> Iterator[FakeAzure]:
    with running() as fake:
        ready.prepare(fake, written(tmp_path))
        yield fake


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (USER, "user ada@kaito.dev"),
        ({**USER, "upn": None, "unique_name": "live.com#ada@kaito.dev"}, "user live.com#ada@kaito.dev"),
        ({"oid": PRINCIPAL, "tid": TENANT, "appid": OWN_ID, "idtyp": "app"}, f"application {OWN_ID}"),
        (
            {"oid": PRINCIPAL, "tid": TENANT, "appid": OWN_ID, "idtyp": "app", "app_displayname": "pipeline"},
            "application pipeline",
        ),
    ],
)
def test_the_tokens_claims_say_who_signed_in(
    claims: dict[str, Any], words: str, azure: FakeAzure, tmp_path: Path
) -> None:
    identity = subscription.checks(context(azure, written(tmp_path), token(claims)))[0]
    (finding,) = identity.run()
    expected = f"{words}, object id {PRINCIPAL}, in tenant {TENANT}"
    assert (finding.state, finding.detail) == ("info", expected)


@pytest.mark.parametrize("odd", ["opaque", "a.b.c", "a.W10.c", "a.bm8.c", "a.!!!.c"])
def test_a_token_without_claims_leaves_the_identity_unknown(odd: str, azure: FakeAzure, tmp_path: Path) -> None:
    identity = subscription.checks(context(azure, written(tmp_path), odd))[0]
    assert [each.state for each in identity.run()] == ["unknown"]


@pytest.mark.parametrize(
    ("changes", "subject", "state", "words"),
    [
        ({}, "subscription", "ok", f"Kaito development ({OWN_ID}), Enabled, offer PayAsYouGo_2014-09-01."),
        ({"state": "Disabled"}, "subscription", "blocker", "Azure accepts no changes"),
        ({"state": "Deleted"}, "subscription", "blocker", "Azure accepts no changes"),
        ({"state": "PastDue"}, "subscription", "warning", "A payment is past due"),
        ({"state": "Warned"}, "subscription", "warning", "disables the subscription soon"),
        ({"quotaId": "FreeTrial_2014-09-01"}, "offer", "warning", "is a free trial"),
        ({"quotaId": "AzureForStudents_2018-01-01"}, "offer", "warning", "is Azure for Students"),
        ({"spendingLimit": "On"}, "spending limit", "warning", "Azure stops everything"),
        ({"spendingLimit": "CurrentPeriodOff"}, "spending limit", "warning", "until the end of the billing period"),
    ],
)
def test_state_offer_and_spending_limit_are_judged(
    changes: dict[str, str], subject: str, state: str, words: str, azure: FakeAzure, tmp_path: Path
) -> None:
    policies = {**ready.SUBSCRIPTION["subscriptionPolicies"], **changes}  # type: ignore[dict-item]
    azure.answer(ready.SCOPE, {**ready.SUBSCRIPTION, **changes, "subscriptionPolicies": policies})
    findings = found(azure, written(tmp_path), subscription.checks)
    assert findings[subject].state == state
    assert words in findings[subject].detail
    assert bool(findings[subject].remedy) is (state != "ok")


def test_the_resource_group_may_exist(azure: FakeAzure, tmp_path: Path) -> None:
    finding = found(azure, written(tmp_path), subscription.checks)["resource group"]
    assert finding.detail == "rg-kaito-dev-westeurope in westeurope, which the deployment creates"
    azure.answer(GROUP, {"name": "rg-kaito-dev-westeurope", "location": "westeurope"})
    finding = found(azure, written(tmp_path), subscription.checks)["resource group"]
    assert (finding.state, finding.detail) == ("info", "rg-kaito-dev-westeurope in westeurope, which exists")


def test_an_owner_may_deploy(azure: FakeAzure, tmp_path: Path) -> None:
    findings = found(azure, written(tmp_path), permissions.checks)
    assert {each.state for each in findings.values()} == {"ok"}
    assert set(findings) == {"roles", "deny assignments"}


def test_a_contributor_lacks_the_assignment_of_roles_only(azure: FakeAzure, tmp_path: Path) -> None:
    azure.listed(ready.PERMISSIONS, ready.CONTRIBUTOR)
    findings = found(azure, written(tmp_path), permissions.checks)
    assert set(findings) == {"roles (assigning)", "deny assignments"}
    finding = findings["roles (assigning)"]
    assert finding.state == "blocker"
    action = "Microsoft.Authorization/roleAssignments/write"
    assert finding.detail == f"not allowed in the subscription: {action}, which gives identities their rights"
    assert finding.remedy == f"{ASSIGN} 'Role Based Access Control Administrator' --scope {ready.SCOPE}"

    # Another role may grant an excluded action, also at the group alone, and in other case.
    assigner = {"actions": ["microsoft.authorization/roleAssignments/*"], "notActions": []}
    azure.listed(ready.PERMISSIONS, ready.CONTRIBUTOR, assigner)
    assert found(azure, written(tmp_path), permissions.checks)["roles"].state == "ok"
    azure.listed(ready.PERMISSIONS, ready.CONTRIBUTOR)
    azure.listed(f"{GROUP}/providers/Microsoft.Authorization/permissions", assigner)
    assert found(azure, written(tmp_path), permissions.checks)["roles"].state == "ok"


def test_a_reader_may_nothing(azure: FakeAzure, tmp_path: Path) -> None:
    azure.listed(ready.PERMISSIONS, {"actions": ["*/read"], "notActions": []})
    findings = found(azure, written(tmp_path), permissions.checks)
    assert {findings[name].state for name in ("roles", "roles (assigning)")} == {"blocker"}
    assert "Microsoft.Resources/subscriptions/resourceGroups/write" in findings["roles"].detail
    assert findings["roles"].remedy == f"{ASSIGN} Contributor --scope {ready.SCOPE}".replace(
        "Contributor", "'Contributor'"
    )


def test_permissions_that_azure_does_not_tell_are_no_pass(azure: FakeAzure, tmp_path: Path) -> None:
    for answer in (error(403, "AuthorizationFailed"), {"value": None}, {"nothing": 1}):
        azure.answer(ready.PERMISSIONS, answer)
        azure.answer(ready.DENIED, answer)
        findings = found(azure, written(tmp_path), permissions.checks)
        assert {each.state for each in findings.values()} == {"unknown"}


def test_the_dns_zones_group_needs_rights_too(azure: FakeAzure, tmp_path: Path) -> None:
    environment = written(tmp_path, SAMPLE, "sample")
    ready.prepare(azure, environment)
    assert found(azure, environment, permissions.checks)["DNS zone"].state == "unknown"
    path = f"{ready.SCOPE}/resourceGroups/DnsResourceGroup/providers/Microsoft.Authorization/permissions"
    azure.listed(path, {"actions": ["*/read", "Microsoft.Network/dnsZones/*"]})
    finding = found(azure, environment, permissions.checks)["DNS zone (assigning)"]
    assert (finding.state, finding.remedy.endswith("/resourceGroups/DnsResourceGroup")) == ("blocker", True)
    azure.listed(path, ready.OWNER)
    assert found(azure, environment, permissions.checks)["DNS zone"].state == "ok"


def deny(**changes: Any) -> dict[str, Any]:
    """Return a deny assignment in Azure's form."""
    properties = {
        "denyAssignmentName": "managed application",
        "permissions": [{"actions": ["*/write"], "notActions": [], "dataActions": [], "notDataActions": []}],
        "scope": ready.SCOPE,
        "doNotApplyToChildScopes": False,
        "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
        "excludePrincipals": [],
        "isSystemProtected": True,
    }
    return {"type": "Microsoft.Authorization/denyAssignments", "properties": {**properties, **changes}}


MINE, MY_GROUP = {"id": PRINCIPAL, "type": "User"}, {"id": OWN_ID, "type": "Group"}
WITH_GROUPS = token({**USER, "groups": [OWN_ID]})
WITHOUT_GROUPS = token({**USER, "groups": []})


@pytest.mark.parametrize(
    ("changes", "signed_in", "state"),
    [
        ({}, TOKEN, "blocker"),
        ({"principals": [MINE]}, TOKEN, "blocker"),
        ({"principals": [{"id": TENANT, "type": "User"}]}, TOKEN, None),
        ({"excludePrincipals": [MINE]}, TOKEN, None),
        ({"principals": [MY_GROUP]}, TOKEN, "unknown"),
        ({"principals": [MY_GROUP]}, WITH_GROUPS, "blocker"),
        ({"principals": [MY_GROUP]}, WITHOUT_GROUPS, None),
        ({"excludePrincipals": [MY_GROUP]}, TOKEN, "unknown"),
        ({"excludePrincipals": [MY_GROUP]}, WITH_GROUPS, None),
        ({"excludePrincipals": [MY_GROUP]}, WITHOUT_GROUPS, "blocker"),
        ({"permissions": [{"actions": ["*/delete"], "notActions": []}]}, TOKEN, None),
        ({"permissions": [{"actions": ["*"], "notActions": ["*/read", "*/write"]}]}, TOKEN, None),
        ({"doNotApplyToChildScopes": True}, TOKEN, None),
        ({"doNotApplyToChildScopes": True, "scope": GROUP}, TOKEN, "blocker"),
    ],
)
def test_deny_assignments_take_precedence(
    changes: dict[str, Any], signed_in: str, state: str | None, azure: FakeAzure, tmp_path: Path
) -> None:
    azure.listed(ready.DENIED, deny(**changes))
    checks = [
        check for check in permissions.checks(context(azure, written(tmp_path), signed_in)) if check.subject != "roles"
    ]
    azure.tokens.add(signed_in)
    (finding,) = (finding for check in checks for finding in check.run())
    assert finding.state == (state or "ok")
    assert azure.asked("denyAssignments")[-1].query["$filter"] == ["atScope()"]


@pytest.mark.parametrize(
    ("state", "roles", "text", "expected", "words"),
    [
        ("NotRegistered", ready.OWNER, DEV, "info", "NotRegistered; the deployment registers it"),
        ("Registering", ready.OWNER, DEV, "warning", "its registration runs"),
        ("NotRegistered", {"actions": ["*/read"]}, DEV, "blocker", "the identity may not register it"),
        (
            "Unregistered",
            ready.OWNER,
            "resource_provider_registration_enabled = false\n" + DEV,
            "blocker",
            "Unregistered, and resource_provider_registration_enabled = false",
        ),
    ],
)
def test_registrations_name_the_command(
    state: str, roles: dict[str, Any], text: str, expected: str, words: str, azure: FakeAzure, tmp_path: Path
) -> None:
    azure.listed(ready.PERMISSIONS, roles)
    azure.listed(f"{ready.SCOPE}/providers", *ready.providers({"Microsoft.Dashboard": state}))
    findings = found(azure, written(tmp_path, text), registrations.checks)
    assert set(findings) == {"Microsoft.Dashboard"}
    finding = findings["Microsoft.Dashboard"]
    assert (finding.state, words in finding.detail) == (expected, True)
    command = f"az provider register --namespace Microsoft.Dashboard --subscription {OWN_ID} --wait"
    assert finding.remedy == ("" if expected == "info" else command)


def test_all_providers_are_needed(azure: FakeAzure, tmp_path: Path) -> None:
    findings = found(azure, written(tmp_path), registrations.checks)
    assert findings["resource providers"].detail == "all 16 are registered"
    # A provider that Azure does not list is not registered.
    azure.listed(f"{ready.SCOPE}/providers", *ready.providers()[1:])
    findings = found(azure, written(tmp_path), registrations.checks)
    assert findings["Microsoft.AlertsManagement"].state == "info"


@pytest.mark.parametrize("kind", ["Microsoft.Dashboard/grafana", "Microsoft.Monitor/accounts"])
def test_the_region_must_have_each_type(kind: str, azure: FakeAzure, tmp_path: Path) -> None:
    azure.listed(f"{ready.SCOPE}/providers", *ready.providers(without=kind))
    finding = found(azure, written(tmp_path), registrations.checks)[kind]
    assert (finding.state, finding.detail) == ("blocker", f"westeurope does not have {kind}")


@pytest.mark.parametrize(
    ("state", "expected", "command"),
    [
        ("Registered", "ok", ""),
        ("NotRegistered", "blocker", "az feature register --namespace Microsoft.Compute --name EncryptionAtHost"),
        ("Registering", "blocker", "az feature show --namespace Microsoft.Compute --name EncryptionAtHost"),
        ("Pending", "blocker", "az feature show --namespace Microsoft.Compute --name EncryptionAtHost"),
    ],
)
def test_encryption_at_host_needs_a_feature(
    state: str, expected: str, command: str, azure: FakeAzure, tmp_path: Path
) -> None:
    path = f"{ready.SCOPE}/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost"
    azure.answer(path, {"properties": {"state": state}})
    finding = found(azure, written(tmp_path, PROD, "prod"), registrations.checks)["EncryptionAtHost"]
    assert (finding.state, finding.remedy.startswith(command)) == (expected, True)
    assert azure.asked("features/")[0].query == {"api-version": ["2021-07-01"]}
    assert "EncryptionAtHost" not in found(azure, written(tmp_path), registrations.checks)


# Resources that azurerm defines with a region, and Azure's types of them.
TYPES = {
    "azurerm_bastion_host": "Microsoft.Network/bastionHosts",
    "azurerm_cognitive_account": "Microsoft.CognitiveServices/accounts",
    "azurerm_container_registry": "Microsoft.ContainerRegistry/registries",
    "azurerm_dashboard_grafana": "Microsoft.Dashboard/grafana",
    "azurerm_key_vault": "Microsoft.KeyVault/vaults",
    "azurerm_kubernetes_cluster": "Microsoft.ContainerService/managedClusters",
    "azurerm_linux_virtual_machine": "Microsoft.Compute/virtualMachines",
    "azurerm_log_analytics_workspace": "Microsoft.OperationalInsights/workspaces",
    "azurerm_monitor_alert_prometheus_rule_group": "Microsoft.AlertsManagement/prometheusRuleGroups",
    "azurerm_monitor_data_collection_endpoint": "Microsoft.Insights/dataCollectionEndpoints",
    "azurerm_monitor_data_collection_rule": "Microsoft.Insights/dataCollectionRules",
    "azurerm_monitor_workspace": "Microsoft.Monitor/accounts",
    "azurerm_nat_gateway": "Microsoft.Network/natGateways",
    "azurerm_network_interface": "Microsoft.Network/networkInterfaces",
    "azurerm_network_security_group": "Microsoft.Network/networkSecurityGroups",
    "azurerm_postgresql_flexible_server": "Microsoft.DBforPostgreSQL/flexibleServers",
    "azurerm_private_endpoint": "Microsoft.Network/privateEndpoints",
    "azurerm_public_ip": "Microsoft.Network/publicIPAddresses",
    "azurerm_resource_group": resource_types.RESOURCE_GROUP,
    "azurerm_storage_account": "Microsoft.Storage/storageAccounts",
    "azurerm_user_assigned_identity": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "azurerm_virtual_network": "Microsoft.Network/virtualNetworks",
}


@pytest.mark.parametrize("text", [DEV, PROD, SAMPLE])
def test_the_types_are_those_of_the_synthesized_resources(
    text: str, stacks: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    name = {DEV: "dev", PROD: "prod", SAMPLE: "sample"}[text]
    settings = written(tmp_path, text, name).settings
    resources = stacks[name]["resource"]
    placed = {kind for kind, named in resources.items() if any("location" in each for each in named.values())}
    assert {TYPES[kind] for kind in placed} == {resource_types.RESOURCE_GROUP, *resource_types.of(settings)}
    of_app_routing = settings.ingress.mode == "webapprouting"
    assert resource_types.public_addresses(settings) == len(resources["azurerm_public_ip"]) + of_app_routing
