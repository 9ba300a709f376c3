"""Evaluate NetworkPolicies as Kubernetes defines them.

See: https://kubernetes.io/docs/concepts/services-networking/network-policies
"""

from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from support.rendering import Object

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


class Peer(NamedTuple):
    """The other end of a connection: a pod with a namespace and labels, or an address outside the cluster."""

    namespace: str = ""
    labels: dict[str, str] = {}  # noqa: RUF012 - never changed
    address: str = ""


PUBLIC, MANAGEMENT = 8000, 8081
AGENT = Peer("kube-system", {"rsName": "ama-metrics", "kubernetes.azure.com/managedby": "aks"})
STRANGER = Peer("other", {"app": "stranger"})
NEIGHBOUR = Peer("chat", {"app": "neighbour"})
# Ports that a pod could listen on, or that a rule could name.
PORTS = (53, 80, 443, 4317, 4318, 5000, 5432, 6443, 8000, 8080, 8081, 9000, 10250, 32526)


def outside(address: str) -> Peer:
    """Return a peer outside the cluster."""
    return Peer(address=address)


def admits(objects: list[Object], peer: Peer, port: int, of: str = "chat") -> bool:
    """Tell whether the peer can connect to this port of the pods of a component, the chat or the model."""
    return any(
        _rule_allows(objects, rule, "from", peer, port, _container_ports(objects))
        for rule in _rules(objects, "ingress", of)
    )


def reaches(objects: list[Object], peer: Peer, port: int, of: str = "chat") -> bool:
    """Tell whether the pods of a component can connect to this port of the peer. Port names are not resolved."""
    return any(_rule_allows(objects, rule, "to", peer, port, {}) for rule in _rules(objects, "egress", of))


def policy(objects: list[Object], of: str = "chat") -> Object:
    """Return the NetworkPolicy of a component."""
    policies = [each for each in objects if each["kind"] == "NetworkPolicy"]
    (found,) = [each for each in policies if each["metadata"]["labels"]["app.kubernetes.io/component"] == of]
    return found


def _rules(objects: list[Object], direction: str, of: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = policy(objects, of)["spec"][direction]
    return found


def _container_ports(objects: list[Object]) -> dict[str, int]:
    deployments = [each for each in objects if each["kind"] == "Deployment"]
    (found,) = [each for each in deployments if each["metadata"]["labels"]["app.kubernetes.io/component"] == "chat"]
    (container,) = found["spec"]["template"]["spec"]["containers"]
    return {each["name"]: each["containerPort"] for each in container["ports"]}


def _rule_allows(
    objects: list[Object], rule: dict[str, Any], side: str, peer: Peer, port: int, names: dict[str, int]
) -> bool:
    """Evaluate a rule: without peers it allows all peers, without ports all ports."""
    ports = [each for each in rule.get("ports", []) if each.get("protocol", "TCP") == "TCP"]
    numbers = [names.get(each["port"], each["port"]) for each in ports]
    if rule.get("ports") and port not in numbers:
        return False
    own = policy(objects)["metadata"]["namespace"]
    return not rule.get(side) or any(_matches(each, peer, own) for each in rule[side])


def _matches(selector: dict[str, Any], peer: Peer, own_namespace: str) -> bool:
    if block := selector.get("ipBlock"):
        return bool(peer.address) and _within(block, peer.address)
    if not peer.namespace:
        return False
    if "namespaceSelector" in selector:
        if not _selects(selector["namespaceSelector"], {NAMESPACE_LABEL: peer.namespace}):
            return False
    elif peer.namespace != own_namespace:
        return False
    return _selects(selector.get("podSelector", {}), peer.labels)


def _within(block: dict[str, Any], address: str) -> bool:
    ranges = [block["cidr"], *block.get("except", [])]
    first, *rest = (ip_address(address) in ip_network(each) for each in ranges)
    return first and not any(rest)


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    assert set(selector) <= {"matchLabels"}, "matchExpressions are not evaluated here"
    return bool(selector.get("matchLabels", {}).items() <= labels.items())
