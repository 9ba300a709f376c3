"""Answers of Azure for a subscription in which an environment can be deployed, in the form of the genuine ones."""

from collections.abc import Iterable
from typing import Any

from aks_kaito.resource_providers import RESOURCE_PROVIDERS
from aks_kaito.settings import Environment
from aks_kaito_cli.preflight import resource_types
from support import ready_region
from support.fake_azure import TENANT, FakeAzure
from support.project import OWN_ID

SCOPE = f"/subscriptions/{OWN_ID}"
USAGES = f"{SCOPE}/providers/Microsoft.Compute/locations/westeurope/usages"
ADDRESSES = f"{SCOPE}/providers/Microsoft.Network/locations/westeurope/usages"
SKUS = f"{SCOPE}/providers/Microsoft.Compute/skus"
PERMISSIONS = f"{SCOPE}/providers/Microsoft.Authorization/permissions"
DENIED = f"{SCOPE}/providers/Microsoft.Authorization/denyAssignments"
ASSIGNMENTS = f"{SCOPE}/providers/Microsoft.Authorization/policyAssignments"
RESTRICTIONS = f"{SCOPE}/providers/Microsoft.PolicyInsights/checkPolicyRestrictions"
OWNER = {"actions": ["*"], "notActions": [], "dataActions": [], "notDataActions": []}
CONTRIBUTOR = {
    **OWNER,
    "notActions": [
        "Microsoft.Authorization/*/Delete",
        "Microsoft.Authorization/*/Write",
        "Microsoft.Authorization/elevateAccess/Action",
    ],
}
SUBSCRIPTION = {
    "id": SCOPE,
    "subscriptionId": OWN_ID,
    "tenantId": TENANT,
    "displayName": "Kaito development",
    "state": "Enabled",
    "subscriptionPolicies": {
        "locationPlacementId": "Public_2014-09-01",
        "quotaId": "PayAsYouGo_2014-09-01",
        "spendingLimit": "Off",
    },
    "authorizationSource": "RoleBased",
    "managedByTenants": [],
}
A10, A100, DADS = "StandardNVADSA10v5Family", "StandardNCADSA100v4Family", "standardDADSv5Family"
_SIZES = {
    "Standard_D2ads_v5": (2, DADS, "D2ads_v5"),
    "Standard_D4ads_v5": (4, DADS, "D4ads_v5"),
    "Standard_NV36ads_A10_v5": (36, A10, "NV36ads_A10_v5"),
    "Standard_NC24ads_A100_v4": (24, A100, "NC24ads_A100_v4"),
}
_TITLES = {
    "cores": "Total Regional vCPUs",
    "lowPriorityCores": "Total Regional Spot vCPUs",
    DADS: "Standard DADSv5 Family vCPUs",
    A10: "Standard NVADSA10v5 Family vCPUs",
    A100: "Standard NCADS_A100_v4 Family vCPUs",
    "StandardSkuPublicIpAddresses": "Public IPv4 Addresses - Standard",
}


def prepare(fake: FakeAzure, environment: Environment) -> None:
    """Give the fake the answers for an environment that is not deployed yet."""
    group = f"{SCOPE}/resourceGroups/{environment.names.resource_group}"
    fake.answer(SCOPE, SUBSCRIPTION)
    fake.listed("/subscriptions", SUBSCRIPTION)
    fake.listed(PERMISSIONS, OWNER)
    fake.listed(f"{group}/providers/Microsoft.Authorization/permissions")
    fake.listed(DENIED)
    fake.listed(ASSIGNMENTS)
    fake.answer(RESTRICTIONS, {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": []}})
    fake.listed(f"{SCOPE}/providers", *providers())
    path = f"{SCOPE}/providers/Microsoft.Features/providers/Microsoft.Compute/features/EncryptionAtHost"
    fake.answer(path, {"name": "Microsoft.Compute/EncryptionAtHost", "properties": {"state": "Registered"}})
    fake.listed(SKUS, {"resourceType": "disks", "name": "Premium_LRS"}, *(sku(name) for name in _SIZES))
    fake.listed(USAGES, *(usage(name) for name in ("cores", "lowPriorityCores", DADS, A10, A100)))
    fake.listed(ADDRESSES, usage("StandardSkuPublicIpAddresses", limit=20))
    ready_region.prepare(fake)


def usage(name: str, used: int = 0, limit: int = 200) -> dict[str, Any]:
    """Return the usage of one quota."""
    title = {"value": name, "localizedValue": _TITLES[name]}
    return {"unit": "Count", "currentValue": used, "limit": limit, "name": title}


def usages(*changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the usages of vCPUs, some of them changed."""
    names = {each["name"]["value"]: each for each in changed}
    return [names.get(name) or usage(name) for name in ("cores", "lowPriorityCores", DADS, A10, A100)]


def sku(
    name: str,
    *,
    zones: Iterable[str] = ("1", "2", "3"),
    restrictions: Iterable[dict[str, Any]] = (),
    encrypts: str = "True",
) -> dict[str, Any]:
    """Return a VM size in westeurope."""
    vcpus, family, size = _SIZES[name]
    return {
        "resourceType": "virtualMachines",
        "name": name,
        "tier": "Standard",
        "size": size,
        "family": family,
        "locations": ["westeurope"],
        "locationInfo": [{"location": "westeurope", "zones": list(zones), "zoneDetails": []}],
        "capabilities": [
            {"name": "vCPUs", "value": str(vcpus)},
            {"name": "EncryptionAtHostSupported", "value": encrypts},
        ],
        "restrictions": list(restrictions),
    }


def skus(*changed: dict[str, Any], without: str = "") -> list[dict[str, Any]]:
    """Return the region's sizes, some of them changed, and one of them missing."""
    names = {each["name"]: each for each in changed}
    return [names.get(name) or sku(name) for name in _SIZES if name != without]


def restriction(kind: str, reason: str = "NotAvailableForSubscription", zones: Iterable[str] = ()) -> dict[str, Any]:
    """Return a restriction of a size: in the whole location, or in zones."""
    info = {"locations": ["westeurope"], **({"zones": list(zones)} if zones else {})}
    return {"type": kind, "values": ["westeurope"], "restrictionInfo": info, "reasonCode": reason}


def providers(states: dict[str, str] | None = None, without: str = "") -> list[dict[str, Any]]:
    """Return the resource providers; `without` is a type that West Europe does not have."""
    kinds = [*resource_types.EVERY, "Microsoft.Network/dnsZones"]
    return [
        {
            "id": f"{SCOPE}/providers/{name}",
            "namespace": name,
            "registrationPolicy": "RegistrationRequired",
            "registrationState": (states or {}).get(name, "Registered"),
            "resourceTypes": [
                {
                    "resourceType": kind.partition("/")[2],
                    "locations": ["North Europe"] if kind == without else ["North Europe", "West Europe"],
                    "apiVersions": ["2024-01-01"],
                }
                for kind in kinds
                if kind.startswith(f"{name}/")
            ],
        }
        for name in RESOURCE_PROVIDERS
    ]
