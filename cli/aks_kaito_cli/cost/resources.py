"""Meters of the resources in the synthesized stacks, with their number from the autoscaler's bounds."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from aks_kaito.review import kinds
from aks_kaito.review.documents import Document, block, type_of
from aks_kaito_cli.cost.meters import Meter, virtual_machine

Arguments = dict[str, Any]

# GiB of each size of a disk; a disk is billed as the next larger size.
# See: https://learn.microsoft.com/azure/virtual-machines/disks-types
_DISK_SIZES = {4: 32, 6: 64, 10: 128, 15: 256, 20: 512, 30: 1024, 40: 2048, 50: 4096, 60: 8192, 70: 16384, 80: 32767}
_DISKS = {"Premium": ("P", "Premium SSD"), "StandardSSD": ("E", "Standard SSD"), "Standard": ("S", "Standard HDD")}
# The disk of Ubuntu's images.
_IMAGE_GIB = 30
_AKS = "Azure Kubernetes Service"
_AKS_TIERS = {"Standard": "Standard Uptime SLA", "Premium": "Standard Long Term Support"}
_POSTGRESQL = "Azure Database for PostgreSQL"
_GRAFANA = "Azure Grafana Service"
# A workspace of size X1 is two units, and one for zones.
# See: https://azure.microsoft.com/pricing/details/managed-grafana/
_GRAFANA_UNITS = 2
_BASTION_UNITS = 2


@dataclass(frozen=True)
class Line:
    """A meter that runs all month, or a part of it.

    Attributes:
        label: The resource, in words.
        minimum: The smallest number that Azure bills at the same time.
        maximum: The largest number.
        share: The part of the time in which it runs, between 0 and 1.
    """

    label: str
    meter: Meter
    region: str
    minimum: int = 1
    maximum: int = 1
    share: Decimal = Decimal(1)


def lines(documents: Iterable[Document]) -> Iterator[Line]:
    """Yield a line for each meter of each resource."""
    for document in documents:
        for address, arguments in document.managed.items():
            region = str(arguments.get("location") or _region(document))
            for found in _METERS.get(type_of(address), _nothing)(arguments):
                yield Line(found.label, found.meter, region, found.minimum, found.maximum)


def without_rule(documents: Iterable[Document]) -> Iterator[str]:
    """Yield the types of resources that cost something by the hour, or may do so, and have no meter here."""
    found = {type_of(address) for document in documents for address in document.managed}
    for terraform_type in sorted(found - _METERS.keys()):
        is_known = terraform_type in kinds.known()
        if kinds.kind(terraform_type).hourly is not None or (not is_known and terraform_type.startswith("azurerm_")):
            yield terraform_type


def billed_by_use(documents: Iterable[Document]) -> Iterator[str]:
    """Yield what Azure bills by use, whose price depends on it."""
    found = {type_of(address) for document in documents for address in document.managed}
    for terraform_type in sorted(found):
        kind = kinds.kind(terraform_type)
        if kind.use is not None:
            yield f"{kind.noun}: {kind.use}"


def priced_types() -> frozenset[str]:
    """Return the types of resources that have meters here."""
    return frozenset(_METERS)


def _region(document: Document) -> str:
    """Return the region of the cluster, or of the resource group, for resources that do not name one."""
    for each in document.of_type("azurerm_kubernetes_cluster", "azurerm_resource_group").values():
        if each.get("location"):
            return str(each["location"])
    return ""


def _nothing(_arguments: Arguments) -> Iterator[Line]:
    return iter(())


def _cluster(arguments: Arguments) -> Iterator[Line]:
    tier = str(arguments.get("sku_tier") or "Free")
    if tier in _AKS_TIERS:
        yield Line(f"AKS, tier {tier}", Meter(_AKS, _AKS_TIERS[tier], _AKS), "")
    yield from _pool(block(arguments, "default_node_pool"))


def _pool(arguments: Arguments) -> Iterator[Line]:
    size, name = str(arguments["vm_size"]), str(arguments["name"])
    if arguments.get("auto_scaling_enabled"):
        least, most = int(arguments["min_count"]), int(arguments["max_count"])
    else:
        least = most = int(arguments.get("node_count", 1))
    is_spot = arguments.get("priority") == "Spot"
    label = f"{name} nodes, {size}{' (spot)' if is_spot else ''}"
    yield Line(label, virtual_machine(size, is_spot=is_spot), "", least, most)
    if arguments.get("os_disk_type") == "Managed":
        disk = _disk("Premium", "LRS", int(arguments.get("os_disk_size_gb") or 128))
        yield Line(f"{name} nodes, disk", disk, "", least, most)


def _machine(arguments: Arguments) -> Iterator[Line]:
    size, disk = str(arguments["size"]), block(arguments, "os_disk")
    yield Line(f"jump box, {size}", virtual_machine(size, is_spot=arguments.get("priority") == "Spot"), "")
    kind, _, copies = str(disk["storage_account_type"]).partition("_")
    yield Line("jump box, disk", _disk(kind, copies, int(disk.get("disk_size_gb") or _IMAGE_GIB)), "")


def _disk(kind: str, copies: str, gib: int) -> Meter:
    letter, product = _DISKS[kind]
    number = next(number for number, size in _DISK_SIZES.items() if size >= gib)
    name = f"{letter}{number} {copies}"
    return Meter("Storage", f"{name} Disk", f"{product} Managed Disks", name)


def _nat_gateway(arguments: Arguments) -> Iterator[Line]:
    # Both SKUs have the same price and the same meter.
    # See: https://learn.microsoft.com/azure/nat-gateway/nat-sku
    yield Line(f"NAT gateway, {arguments['sku_name']}", Meter("NAT Gateway", "Standard Gateway", is_global=True), "")


def _public_ip(arguments: Arguments) -> Iterator[Line]:
    if arguments.get("ip_version") == "IPv6":
        return
    sku = "Global" if arguments.get("sku_tier") == "Global" else str(arguments.get("sku") or "Standard")
    name = f"{sku} IPv4 {arguments['allocation_method']} Public IP"
    yield Line(f"public IP address, {sku}", Meter("Virtual Network", name, "IP Addresses"), "")


def _private_endpoint(_arguments: Arguments) -> Iterator[Line]:
    meter = Meter("Virtual Network", "Standard Private Endpoint", "Virtual Network Private Link", is_global=True)
    yield Line("private endpoint", meter, "")


def _private_dns_zone(_arguments: Arguments) -> Iterator[Line]:
    yield Line("private DNS zone", Meter("Azure DNS", "Private Zone", sku="Private", is_global=True), "")


def _bastion(arguments: Arguments) -> Iterator[Line]:
    sku = str(arguments.get("sku") or "Basic")
    if sku == "Developer":
        return
    yield Line(f"Bastion, {sku}", Meter("Azure Bastion", f"{sku} Gateway"), "")
    more = int(arguments.get("scale_units") or _BASTION_UNITS) - _BASTION_UNITS
    if more > 0:
        yield Line("Bastion, further units", Meter("Azure Bastion", f"{sku} Additional Gateway"), "", more, more)


def _registry(arguments: Arguments) -> Iterator[Line]:
    sku = str(arguments["sku"])
    yield Line(f"container registry, {sku}", Meter("Container Registry", f"{sku} Registry Unit"), "")


def _postgresql(arguments: Arguments) -> Iterator[Line]:
    name = str(arguments["sku_name"])
    servers = 2 if block(arguments, "high_availability") else 1
    # GP_Standard_D2ds_v5 is the size Standard_D2ds_v5 of the tier general purpose.
    compute = Meter(_POSTGRESQL, product=f"{_POSTGRESQL} Flexible Server", arm_sku=name.partition("_")[2])
    yield Line(f"PostgreSQL, {name}", compute, "", servers, servers)
    gib = servers * int(arguments["storage_mb"]) // 1024
    storage = Meter(_POSTGRESQL, "Storage Data Stored", "Az DB for PostgreSQL Flexible Server Storage", per="GB")
    yield Line("PostgreSQL, GiB of storage", storage, "", gib, gib)


def _grafana(arguments: Arguments) -> Iterator[Line]:
    sku = str(arguments.get("sku") or "Standard")
    if sku == "Essential":
        return
    units = Meter(_GRAFANA, f"{sku} Node")
    yield Line(f"Managed Grafana, {sku}, units", units, "", _GRAFANA_UNITS, _GRAFANA_UNITS)
    if arguments.get("zone_redundancy_enabled"):
        yield Line("Managed Grafana, zones", Meter(_GRAFANA, f"{sku} Zone Redundancy"), "")


_METERS: dict[str, Callable[[Arguments], Iterator[Line]]] = {
    "azurerm_bastion_host": _bastion,
    "azurerm_container_registry": _registry,
    "azurerm_dashboard_grafana": _grafana,
    "azurerm_kubernetes_cluster": _cluster,
    "azurerm_kubernetes_cluster_node_pool": _pool,
    "azurerm_linux_virtual_machine": _machine,
    "azurerm_nat_gateway": _nat_gateway,
    "azurerm_postgresql_flexible_server": _postgresql,
    "azurerm_private_dns_zone": _private_dns_zone,
    "azurerm_private_endpoint": _private_endpoint,
    "azurerm_public_ip": _public_ip,
}
