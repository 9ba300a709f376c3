"""Who can reach what a stack defines, over which network: the data plane, as the arguments say, not as a scan would.

Identity and roles come on top: no data plane here takes anonymous callers.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from aks_kaito.review import kinds
from aks_kaito.review.documents import Document, block, references, type_of

Reach = Literal["public", "restricted", "private"]


@dataclass(frozen=True)
class Exposure:
    """Who can reach a resource: anyone on the internet, some ranges and subnets of it, or private addresses alone."""

    address: str
    what: str
    reach: Reach
    how: str


def exposures(document: Document) -> list[Exposure]:
    """Every resource of a stack with a data plane that a network decides about."""
    found = []
    for address, arguments in document.managed.items():
        judge = _JUDGES.get(type_of(address))
        if judge is not None:
            found.append(Exposure(address, *judge(address, arguments, document)))
    return found


_Verdict = tuple[str, Reach, str]
_ANYWHERE = "from any address"


def _api_server(_address: str, arguments: dict[str, Any], _document: Document) -> _Verdict:
    ranges = block(arguments, "api_server_access_profile").get("authorized_ip_ranges")
    if arguments.get("private_cluster_enabled"):
        return "API server", "private", "private cluster"
    if ranges:
        return "API server", "restricted", _sources([], ranges)
    return "API server", "public", _ANYWHERE


def _service(address: str, arguments: dict[str, Any], document: Document) -> _Verdict:
    """A service with `public_network_access_enabled`, maybe rules, maybe private endpoints."""
    noun = kinds.kind(type_of(address)).noun
    rules = next((block(arguments, name) for name in _RULES if block(arguments, name)), {})
    if arguments.get("public_network_access_enabled") is False:
        has_endpoint = _has_private_endpoint(address, document)
        return noun, "private", "private endpoint" if has_endpoint else "no endpoint of its own"
    if rules.get("default_action") == "Deny":
        return noun, "restricted", _sources(rules.get("virtual_network_subnet_ids") or [], rules.get("ip_rules") or [])
    return noun, "public", _ANYWHERE


_RULES = ("network_acls", "network_rules", "network_rule_set")


def _workspace(address: str, arguments: dict[str, Any], _document: Document) -> _Verdict:
    """A Log Analytics workspace names ingestion and queries apart, and both are public when it says nothing."""
    noun = kinds.kind(type_of(address)).noun
    if all(arguments.get(f"internet_{way}_enabled") is False for way in ("ingestion", "query")):
        return noun, "private", "Azure Monitor private link scope"
    return noun, "public", _ANYWHERE


def _public_ip(address: str, _arguments: dict[str, Any], document: Document) -> _Verdict:
    """An address is as open as what holds it."""
    holders = {type_of(holder) for holder, found in document.managed.items() if address in references(found)}
    if "azurerm_nat_gateway_public_ip_association" in holders:
        return "NAT gateway", "private", "outbound only"
    if "azurerm_bastion_host" in holders:
        return "Bastion", "public", _ANYWHERE
    return "ingress", "public", _ANYWHERE


def _machine(address: str, arguments: dict[str, Any], document: Document) -> _Verdict:
    noun = kinds.kind(type_of(address)).noun
    interfaces = [document.managed.get(name, {}) for name in references(arguments.get("network_interface_ids", []))]
    if any(block(interface, "ip_configuration").get("public_ip_address_id") for interface in interfaces):
        return noun, "public", _ANYWHERE
    return noun, "private", "no public IP address"


def _has_private_endpoint(address: str, document: Document) -> bool:
    return any(address in references(found) for found in document.of_type("azurerm_private_endpoint").values())


def _sources(subnets: list[str], ranges: list[str]) -> str:
    """From where, in words."""
    found = ((subnets, kinds.Kind("", "subnet")), (ranges, kinds.Kind("", "address range")))
    parts = [kind.counted(len(items)) for items, kind in found if items]
    return f"from {' and '.join(parts)}" if parts else "from trusted Azure services alone"


_Judge = Callable[[str, dict[str, Any], Document], _Verdict]
_JUDGES: dict[str, _Judge] = {
    "azurerm_kubernetes_cluster": _api_server,
    "azurerm_container_registry": _service,
    "azurerm_key_vault": _service,
    "azurerm_storage_account": _service,
    "azurerm_cognitive_account": _service,
    "azurerm_postgresql_flexible_server": _service,
    "azurerm_dashboard_grafana": _service,
    "azurerm_monitor_workspace": _service,
    "azurerm_log_analytics_workspace": _workspace,
    "azurerm_public_ip": _public_ip,
    "azurerm_linux_virtual_machine": _machine,
}
