"""Network exposure of a stack's resources: who can reach their data planes, according to their arguments.

Authentication and roles come on top: no data plane here accepts anonymous callers.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from aks_kaito.review import kinds
from aks_kaito.review.documents import Document, block, references, type_of

Reach = Literal["public", "restricted", "private"]


@dataclass(frozen=True)
class Exposure:
    """Reach of one data plane: the whole internet, some ranges or subnets, or private addresses only."""

    address: str
    what: str
    reach: Reach
    how: str


def exposures(document: Document) -> list[Exposure]:
    """Return the exposures of all resources of a stack whose data planes are on a network."""
    found = []
    for address, arguments in document.managed.items():
        judge = _JUDGES.get(type_of(address))
        if judge is not None:
            found += [Exposure(address, *verdict) for verdict in judge(address, arguments, document)]
    return found


_Verdict = tuple[str, Reach, str]
_ANYWHERE = "from any address"
INGRESS = "ingress"
_FRONT_DOOR = "AzureFrontDoor.Backend"


def _cluster(_address: str, arguments: dict[str, Any], document: Document) -> Iterator[_Verdict]:
    """Judge the API server, and the public addresses of ingress add-ons."""
    ranges = block(arguments, "api_server_access_profile").get("authorized_ip_ranges")
    if arguments.get("private_cluster_enabled"):
        yield "API server", "private", "private cluster"
    elif ranges:
        yield "API server", "restricted", _sources([], ranges)
    else:
        yield "API server", "public", _ANYWHERE
    if arguments.get("web_app_routing") is not None:
        yield _ingress(document)
    if arguments.get("ingress_application_gateway") is not None:
        yield INGRESS, "public", _ANYWHERE


def _service(address: str, arguments: dict[str, Any], document: Document) -> Iterator[_Verdict]:
    """Judge a service by `public_network_access_enabled`, network rules and private endpoints."""
    noun = kinds.kind(type_of(address)).noun
    rules = next((block(arguments, name) for name in _RULES if block(arguments, name)), {})
    if arguments.get("public_network_access_enabled") is False:
        has_endpoint = _has_private_endpoint(address, document)
        yield noun, "private", "private endpoint" if has_endpoint else "no endpoint of its own"
    elif rules.get("default_action") == "Deny":
        yield noun, "restricted", _sources(rules.get("virtual_network_subnet_ids") or [], rules.get("ip_rules") or [])
    else:
        yield noun, "public", _ANYWHERE


_RULES = ("network_acls", "network_rules", "network_rule_set")


def _workspace(address: str, arguments: dict[str, Any], _document: Document) -> Iterator[_Verdict]:
    """Judge a Log Analytics workspace, whose ingestion and queries are switched apart and public by default."""
    noun = kinds.kind(type_of(address)).noun
    if all(arguments.get(f"internet_{way}_enabled") is False for way in ("ingestion", "query")):
        yield noun, "private", "Azure Monitor private link scope"
    else:
        yield noun, "public", _ANYWHERE


def _public_ip(address: str, _arguments: dict[str, Any], document: Document) -> Iterator[_Verdict]:
    """Judge a public address as ingress, unless it belongs to a NAT gateway or to Bastion."""
    holders = document.of_type("azurerm_nat_gateway_public_ip_association", "azurerm_bastion_host").values()
    if any(address in references(holder) for holder in holders):
        return
    yield _ingress(document)


def _ingress(document: Document) -> _Verdict:
    """Judge the ingress by the rules of the nodes' network security groups."""
    groups = document.of_type("azurerm_network_security_group").values()
    rules = [each for group in groups for each in group.get("security_rule") or []]
    if any(each.get("source_address_prefix") == _FRONT_DOOR for each in rules):
        return INGRESS, "restricted", "from Azure Front Door"
    return INGRESS, "public", _ANYWHERE


def _bastion(address: str, _arguments: dict[str, Any], _document: Document) -> Iterator[_Verdict]:
    yield kinds.kind(type_of(address)).noun, "public", _ANYWHERE


def _nat_gateway(address: str, _arguments: dict[str, Any], _document: Document) -> Iterator[_Verdict]:
    yield kinds.kind(type_of(address)).noun, "private", "outbound only"


def _machine(address: str, arguments: dict[str, Any], document: Document) -> Iterator[_Verdict]:
    noun = kinds.kind(type_of(address)).noun
    interfaces = [document.managed.get(name, {}) for name in references(arguments.get("network_interface_ids", []))]
    if any(block(interface, "ip_configuration").get("public_ip_address_id") for interface in interfaces):
        yield noun, "public", _ANYWHERE
    else:
        yield noun, "private", "no public IP address"


def _has_private_endpoint(address: str, document: Document) -> bool:
    return any(address in references(found) for found in document.of_type("azurerm_private_endpoint").values())


def _sources(subnets: list[str], ranges: list[str]) -> str:
    """Describe the allowed sources."""
    found = ((subnets, kinds.Kind("", "subnet")), (ranges, kinds.Kind("", "address range")))
    parts = [kind.counted(len(items)) for items, kind in found if items]
    return f"from {' and '.join(parts)}" if parts else "from trusted Azure services only"


_Judge = Callable[[str, dict[str, Any], Document], Iterator[_Verdict]]
_JUDGES: dict[str, _Judge] = {
    "azurerm_kubernetes_cluster": _cluster,
    "azurerm_container_registry": _service,
    "azurerm_key_vault": _service,
    "azurerm_storage_account": _service,
    "azurerm_cognitive_account": _service,
    "azurerm_postgresql_flexible_server": _service,
    "azurerm_dashboard_grafana": _service,
    "azurerm_monitor_workspace": _service,
    "azurerm_log_analytics_workspace": _workspace,
    "azurerm_public_ip": _public_ip,
    "azurerm_bastion_host": _bastion,
    "azurerm_nat_gateway": _nat_gateway,
    "azurerm_linux_virtual_machine": _machine,
}
