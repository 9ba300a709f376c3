"""VM sizes of the region: whether this subscription can use them, in each zone.

See: https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-sku-not-available
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aks_kaito_cli.answers import Finding
from aks_kaito_cli.azure.errors import AzureAnswerError
from aks_kaito_cli.preflight import demand
from aks_kaito_cli.preflight.context import Context
from aks_kaito_cli.preflight.demand import Demand

GROUP = "Sizes"
_SUPPORT = "https://aka.ms/azureskunotavailable"
# Reasons of restrictions, in words.
_REASONS = {
    "NotAvailableForSubscription": "Azure does not offer it to this subscription",
    "QuotaId": "the subscription's offer does not include it",
}


@dataclass(frozen=True)
class Size:
    """A VM size in one region, as Azure describes it to a subscription.

    Attributes:
        name: The size, as Azure spells it.
        family: The quota family's name in usages, such as standardDADSv5Family.
        vcpus: The number of vCPUs of one machine.
        zones: The zones that have it and are not restricted.
        refused: The reason why the subscription cannot use it in the region; empty if it can.
        encrypts_at_host: Whether it can encrypt at the host.
    """

    name: str
    family: str
    vcpus: int
    zones: frozenset[str]
    refused: str
    encrypts_at_host: bool


def listed(context: Context) -> dict[str, Size]:
    """Return the region's sizes, by their names in lower case.

    Raises:
        AzureAnswerError: Azure gave no usable answer.
    """
    location = context.settings.location
    path = f"{context.scope}/providers/Microsoft.Compute/skus"
    skus = context.arm.pages(path, filter=f"location eq '{location}'")
    sizes = [_size(each, location) for each in skus if each.get("resourceType") == "virtualMachines"]
    if not sizes:
        raise AzureAnswerError(f"{path}: the answer lists no VM size in {location}")
    return {size.name.lower(): size for size in sizes}


def findings(context: Context, known: dict[str, Size]) -> Iterator[Finding]:
    """Yield a finding for each purpose."""
    for each in demand.of(context.settings):
        size = known.get(each.size.lower())
        problems = list(_problems(context, each, size))
        yield from problems
        if not problems and size is not None:
            where = f", zone {', '.join(each.zones)}" if each.zones else ""
            yield Finding(GROUP, each.purpose, "ok", f"{each.size} is offered in {context.settings.location}{where}")


def _problems(context: Context, wanted: Demand, size: Size | None) -> Iterator[Finding]:
    location = context.settings.location
    other = f"Choose another size or region (docs/how-to/choose-a-region-and-sizes.md), or ask for access: {_SUPPORT}"
    if size is None:
        yield Finding(GROUP, wanted.purpose, "blocker", f"{location} does not have {wanted.size}", other)
    elif size.refused:
        yield Finding(GROUP, wanted.purpose, "blocker", f"{wanted.size} in {location}: {size.refused}", other)
    else:
        if lacking := [zone for zone in wanted.zones if zone not in size.zones]:
            have = f"those that have it for this subscription: {', '.join(sorted(size.zones)) or 'none'}"
            text = f"{wanted.size} is not offered in zone {', '.join(lacking)} of {location}; {have}"
            remedy = f"Set the pool's zones to {[*sorted(size.zones)]}, or choose another size"
            yield Finding(GROUP, wanted.purpose, "blocker", text, remedy)
        if wanted.encrypts_at_host and not size.encrypts_at_host:
            text = f"{wanted.size} cannot encrypt at the host"
            yield Finding(GROUP, wanted.purpose, "blocker", text, "Choose another size, or set host_encryption_enabled")


def _size(sku: dict[str, Any], location: str) -> Size:
    capabilities = {each["name"]: each["value"] for each in sku.get("capabilities") or []}
    restricted: set[str] = set()
    refused = ""
    for restriction in sku.get("restrictions") or []:
        reason = str(restriction.get("reasonCode"))
        if restriction["type"] == "Location":
            refused = _REASONS.get(reason, reason)
        elif restriction["type"] == "Zone":
            restricted |= set((restriction.get("restrictionInfo") or {}).get("zones") or [])
    places = [each for each in sku.get("locationInfo") or [] if str(each["location"]).lower() == location]
    zones = {zone for place in places for zone in place.get("zones") or []}
    return Size(
        name=sku["name"],
        family=str(sku["family"]),
        vcpus=int(capabilities.get("vCPUs") or 0),
        zones=frozenset(zones - restricted),
        refused=refused,
        encrypts_at_host=capabilities.get("EncryptionAtHostSupported") == "True",
    )
