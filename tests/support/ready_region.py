"""Answers of Azure for a region that has free names, versions, sizes and quota, in the form of the genuine ones."""

from typing import Any

from support.fake_azure import FakeAzure
from support.preflight_checks import SCOPE

VERSIONS = f"{SCOPE}/providers/Microsoft.ContainerService/locations/westeurope/kubernetesVersions"
CAPABILITIES = f"{SCOPE}/providers/Microsoft.DBforPostgreSQL/locations/westeurope/capabilities"
LOCATION = f"{SCOPE}/providers/Microsoft.CognitiveServices/locations/westeurope"
QUESTIONS = {
    "registry": "Microsoft.ContainerRegistry/checkNameAvailability",
    "key vault": "Microsoft.KeyVault/checkNameAvailability",
    "storage account": "Microsoft.Storage/checkNameAvailability",
    "Grafana": "Microsoft.Dashboard/checkNameAvailability",
    "Azure OpenAI": "Microsoft.CognitiveServices/checkDomainAvailability",
    "PostgreSQL": "Microsoft.DBforPostgreSQL/checkNameAvailability",
}


def version(name: str, *patches: str, plans: tuple[str, ...] = ("KubernetesOfficial",), **more: Any) -> dict[str, Any]:
    """Return a minor version with its patches and support plans."""
    return {
        "version": name,
        "capabilities": {"supportPlan": list(plans)},
        "patchVersions": {patch: {"upgrades": []} for patch in patches},
        **more,
    }


OFFERED = [
    version("1.33", "1.33.9", plans=("AKSLongTermSupport",)),
    version("1.34", "1.34.4", plans=("KubernetesOfficial", "AKSLongTermSupport")),
    version("1.35", "1.35.2", "1.35.10", isDefault=True),
    version("1.37", "1.37.0", isPreview=True),
]


def sku(name: str, *modes: str, **more: Any) -> dict[str, Any]:
    """Return a server size with its modes of high availability."""
    return {"name": name, "supportedHaMode": list(modes), "vCores": 2, "supportedFeatures": [], **more}


def edition(name: str, *skus: dict[str, Any]) -> dict[str, Any]:
    """Return a tier with its sizes and disks."""
    sizes = [{"storageSizeMb": each} for each in (32768, 65536, 131072)]
    storage = {"name": "ManagedDisk", "supportedStorageMb": sizes}
    return {"name": name, "supportedServerSkus": list(skus), "supportedStorageEditions": [storage]}


def region(**changes: Any) -> dict[str, Any]:
    """Return the capabilities of a region, with other features or keys."""
    features = {"ZoneRedundantHa": "Enabled", "GeoBackup": "Enabled", "OfferRestricted": "Disabled"}
    features |= changes.pop("features", {})
    return {
        "name": "FlexibleServerCapabilities",
        "supportedFeatures": [{"name": name, "status": status} for name, status in features.items()],
        "supportedServerEditions": [
            edition("Burstable", sku("Standard_B1ms"), sku("Standard_B2s")),
            edition(
                "GeneralPurpose",
                sku("Standard_D2ds_v5", "SameZone", "ZoneRedundant"),
                sku("Standard_D4ds_v5", "SameZone"),
                sku("Standard_D8ds_v5", status="Disabled", reason="no capacity"),
            ),
        ],
        "supportedServerVersions": [{"name": "16"}, {"name": "17"}, {"name": "18", "status": "Disabled"}],
        **changes,
    }


def model(name: str, version: str, *skus: str, kind: str = "OpenAI", **more: Any) -> dict[str, Any]:
    """Return a model of Azure OpenAI with its deployment types."""
    offered = [{"name": sku, "usageName": f"OpenAI.{sku}.{name}", "capacity": {"default": 10}} for sku in skus]
    return {"kind": kind, "skuName": "S0", "model": {"name": name, "version": version, "skus": offered, **more}}


def quota(name: str, used: float, limit: float) -> dict[str, Any]:
    """Return the usage of a quota of Azure OpenAI."""
    return {"name": {"value": name, "localizedValue": name}, "currentValue": used, "limit": limit, "unit": "Count"}


def prepare(fake: FakeAzure) -> None:
    """Give the fake the answers for an environment that is not deployed yet."""
    for subject, question in QUESTIONS.items():
        key = "isSubdomainAvailable" if subject == "Azure OpenAI" else "nameAvailable"
        fake.answer(f"{SCOPE}/providers/{question}", {key: True})
    fake.listed(f"{SCOPE}/providers/Microsoft.KeyVault/deletedVaults")
    fake.listed(f"{SCOPE}/providers/Microsoft.CognitiveServices/deletedAccounts")
    fake.answer(VERSIONS, {"values": OFFERED})
    fake.listed(CAPABILITIES, region())
    fake.listed(f"{LOCATION}/models", model("gpt-4o", "2024-11-20", "GlobalStandard"))
    fake.listed(f"{LOCATION}/usages", quota("OpenAI.GlobalStandard.gpt-4o", 0, 100))
