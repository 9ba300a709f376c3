"""A stack as a Mermaid flowchart: its resources, their roles, and the flow of logs and metrics.

Associations, links and rules are not drawn; if they connect two drawn resources, they become an edge. The colour of a
border shows who can reach a resource over the network.

See: https://mermaid.js.org/syntax/flowchart.html
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from aks_kaito.review import kinds
from aks_kaito.review.documents import Document, block, path_of, references, type_of
from aks_kaito.review.exposure import INGRESS, exposures

# The groups and types that are drawn. Identities are drawn in the cluster, other types in their group of `kinds.toml`.
_GROUPS = ("network", "cluster", "services", "observability")
_SHOWN = {
    "azurerm_subnet",
    "azurerm_nat_gateway",
    "azurerm_public_ip",
    "azurerm_bastion_host",
    "azurerm_linux_virtual_machine",
    "azurerm_kubernetes_cluster",
    "azurerm_kubernetes_cluster_node_pool",
    "azurerm_user_assigned_identity",
    "azapi_update_resource",
    "azurerm_container_registry",
    "azurerm_key_vault",
    "azurerm_storage_account",
    "azurerm_cognitive_account",
    "azurerm_postgresql_flexible_server",
    "azurerm_log_analytics_workspace",
    "azurerm_monitor_workspace",
    "azurerm_dashboard_grafana",
}
_INTERNET = "internet"
_CLASSES = (
    "classDef public stroke:#d1242f,stroke-width:2px",
    "classDef restricted stroke:#bf8700,stroke-width:2px",
    "classDef private stroke:#1a7f37,stroke-width:2px",
)


@dataclass(frozen=True)
class Edge:
    """An arrow between two addresses or groups; dotted for logs and metrics."""

    source: str
    target: str
    label: str = ""
    is_dotted: bool = False


def mermaid(document: Document) -> str:
    """Return the flowchart of a stack."""
    edges = _merged(_edges(document))
    nodes = _nodes(document, edges)
    lines = ["flowchart LR", f"accTitle: {document.name}", f'{_INTERNET}(("Internet"))']
    for group in _GROUPS:
        lines.append(f'subgraph {group}["{_group_label(group, document)}"]')
        lines += [f'  {_id(address)}["{_label(address, document)}"]' for address in nodes if _group(address) == group]
        lines.append("end")
    drawn = {*nodes, *_GROUPS, _INTERNET}
    lines += [_arrow(edge) for edge in edges if {edge.source, edge.target} <= drawn]
    reach = {exposure.address: exposure.reach for exposure in reversed(exposures(document))}
    lines += _CLASSES
    lines += [f"class {_id(address)} {reach[address]}" for address in nodes if address in reach]
    return "\n".join(lines) + "\n"


def _merged(edges: Iterable[Edge]) -> list[Edge]:
    """Merge parallel edges of the same style into one with all their labels."""
    labels: dict[tuple[bool, str, str], set[str]] = {}
    for edge in edges:
        labels.setdefault((edge.is_dotted, edge.source, edge.target), set()).add(edge.label)
    return [
        Edge(source, target, "<br/>".join(sorted(found)), is_dotted)
        for (is_dotted, source, target), found in sorted(labels.items())
    ]


def _nodes(document: Document, edges: list[Edge]) -> list[str]:
    """Return the addresses to draw: the shown types, except identities and public IPs without an edge, and upgrades."""
    ends = {end for edge in edges for end in (edge.source, edge.target)}
    loose = ("azurerm_user_assigned_identity", "azurerm_public_ip")
    return [
        address
        for address, arguments in document.managed.items()
        if type_of(address) in _SHOWN
        and (address in ends or type_of(address) not in loose)
        and (type_of(address) != "azapi_update_resource" or "aiToolchainOperatorProfile" in _properties(arguments))
    ]


def _group(address: str) -> str:
    group = kinds.kind(type_of(address)).group
    return "cluster" if group == "identity" else group


def _group_label(group: str, document: Document) -> str:
    networks = document.of_type("azurerm_virtual_network").values()
    ranges = [cidr for network in networks for cidr in network.get("address_space", [])]
    return " ".join([kinds.title(group), *(ranges if group == "network" else [])])


def _id(address: str) -> str:
    return re.sub(r"\W", "_", address)


def _arrow(edge: Edge) -> str:
    label = f"|{edge.label}|" if edge.label else ""
    return f"{_id(edge.source)} {'-.->' if edge.is_dotted else '-->'}{label} {_id(edge.target)}"


def _label(address: str, document: Document) -> str:
    """Return a node's label: a name, and the most important arguments on lines of their own."""
    arguments = document.managed[address]
    noun = kinds.kind(type_of(address)).noun
    match type_of(address):
        case "azurerm_subnet" | "azurerm_user_assigned_identity":
            lines = [path_of(address).rpartition("/")[2], *arguments.get("address_prefixes", [])]
        case "azurerm_kubernetes_cluster":
            lines = [
                noun,
                f"Kubernetes {arguments.get('kubernetes_version')}",
                _pool(block(arguments, "default_node_pool")),
            ]
        case "azurerm_kubernetes_cluster_node_pool":
            lines = [noun, _pool(arguments)]
        case "azapi_update_resource":
            lines = _switched_on(arguments)
        case "azurerm_public_ip":
            lines = ["ingress address"]
        case _:
            lines = [noun, str(arguments.get("sku_name") or arguments.get("sku") or "")]
    return "<br/>".join(" ".join(line.split()) for line in lines if line).replace('"', "#quot;")


def _pool(arguments: dict[str, Any]) -> str:
    return f"{arguments.get('name')}: {pool_size(arguments)}"


def pool_size(arguments: dict[str, Any]) -> str:
    """Return the number and the size of a pool's nodes, such as `1-3 × Standard_D4ads_v5`."""
    if arguments.get("auto_scaling_enabled"):
        return f"{arguments['min_count']}-{arguments['max_count']} × {arguments['vm_size']}"
    return f"{arguments.get('node_count', 1)} × {arguments['vm_size']}"


def _switched_on(arguments: dict[str, Any]) -> list[str]:
    properties = _properties(arguments)
    gateway = properties.get("ingressProfile", {}).get("gatewayAPI", {})
    is_on = properties.get("aiToolchainOperatorProfile", {}).get("enabled")
    lines = ["KAITO", "creates GPU nodes for models"] if is_on else ["KAITO is off"]
    return [*lines, "Gateway API"] if gateway.get("installation") == "Standard" else lines


def _properties(arguments: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = block(arguments, "body").get("properties", {})
    return properties


def _edges(document: Document) -> Iterator[Edge]:
    yield from _placed(document)
    yield from _ways_in_and_out(document)
    yield from _granted(document)
    yield from _measured(document)


def _placed(document: Document) -> Iterator[Edge]:
    """Yield the edges between subnets and the resources or private endpoints in them."""
    for address, arguments in document.managed.items():
        if type_of(address) == "azurerm_private_endpoint":
            service = block(arguments, "private_service_connection").get("private_connection_resource_id")
            ends = (next(references(arguments.get("subnet_id")), ""), next(references(service), ""))
            yield Edge(*ends, "private endpoint")
        elif type_of(address) == "azurerm_subnet_nat_gateway_association":
            yield Edge(next(references(arguments["subnet_id"])), next(references(arguments["nat_gateway_id"])))
        elif type_of(address) in _SHOWN:
            yield from (Edge(address, target) for target in _subnets(arguments, document))
        if type_of(address) == "azapi_update_resource":
            yield from (Edge(target, address) for target in references(arguments.get("resource_id")))
        if type_of(address) == "azurerm_kubernetes_cluster_node_pool":
            yield from (Edge(target, address) for target in references(arguments.get("kubernetes_cluster_id")))


def _subnets(arguments: dict[str, Any], document: Document) -> Iterator[str]:
    """Yield the subnets of a resource or of its network interfaces, ignoring subnets in its network rules."""
    placed = {name: value for name, value in arguments.items() if name not in ("network_acls", "network_rules")}
    for target in references({**placed, "depends_on": None}):
        if type_of(target) == "azurerm_subnet":
            yield target
        elif type_of(target) == "azurerm_network_interface":
            yield from _subnets(document.managed[target], document)


def _ways_in_and_out(document: Document) -> Iterator[Edge]:
    clusters = document.of_type("azurerm_kubernetes_cluster")
    machines = document.of_type("azurerm_linux_virtual_machine")
    for exposure in exposures(document):
        match type_of(exposure.address):
            case "azurerm_public_ip":
                yield Edge(_INTERNET, exposure.address, "chat")
                yield from (Edge(exposure.address, cluster) for cluster in clusters)
            case "azurerm_kubernetes_cluster" if exposure.what == INGRESS:
                yield Edge(_INTERNET, exposure.address, "chat")
            case "azurerm_bastion_host":
                yield Edge(_INTERNET, exposure.address, "operators")
                yield from (Edge(exposure.address, machine, "SSH") for machine in machines)
            case "azurerm_nat_gateway":
                yield Edge(exposure.address, _INTERNET, "outbound")


def _granted(document: Document) -> Iterator[Edge]:
    """Yield the roles on services, and the service accounts federated with an identity."""
    for arguments in document.of_type("azurerm_role_assignment").values():
        for scope in references(arguments["scope"]):
            for principal in references(arguments["principal_id"]):
                if type_of(scope) in _SHOWN and _group(scope) in ("services", "observability"):
                    yield Edge(principal, scope, str(arguments.get("role_definition_name", "")))
    for arguments in document.of_type("azurerm_federated_identity_credential").values():
        account = str(arguments.get("subject", "")).removeprefix("system:serviceaccount:").replace(":", "/")
        for issuer in references(arguments["issuer"]):
            for identity in references(arguments["user_assigned_identity_id"]):
                yield Edge(issuer, identity, f"service account {account}")


def _measured(document: Document) -> Iterator[Edge]:
    """Yield the logs of each group, and the flows of data collection rules."""
    for arguments in document.of_type("azurerm_monitor_diagnostic_setting").values():
        workspace = next(references(arguments.get("log_analytics_workspace_id")), "")
        group = _group(next(references(arguments["target_resource_id"]), ""))
        if workspace and group != _group(workspace):
            yield Edge(group, workspace, "logs", is_dotted=True)
    for arguments in document.of_type("azurerm_monitor_data_collection_rule_association").values():
        rule = next(references(arguments.get("data_collection_rule_id")), "")
        for workspace in references(document.managed.get(rule, {}).get("destinations")):
            is_metrics = type_of(workspace) == "azurerm_monitor_workspace"
            label = "metrics" if is_metrics else "container and host logs"
            yield Edge(next(references(arguments["target_resource_id"])), workspace, label, is_dotted=True)
