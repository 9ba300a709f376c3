"""Rules on addresses: containment, overlap, room.

See: https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning
"""

import math
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from aks_kaito.settings.environment import Settings
from aks_kaito.settings.fields import network
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule

# Azure keeps the first four addresses of a subnet and its last one.
# See: https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
_RESERVED_PER_SUBNET = 5
# See: https://learn.microsoft.com/azure/bastion/configuration-settings#subnet
_BASTION_LONGEST_PREFIX = 26
# See: https://learn.microsoft.com/azure/aks/api-server-vnet-integration
_API_SERVER_LONGEST_PREFIX = 28
# An overlay node takes a /24 of the pod range.
# See: https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-overlay
_OVERLAY_NODE_PREFIX = 24
# See: https://learn.microsoft.com/azure/aks/azure-cni-overview
_RESERVED_BY_AKS = tuple(map(IPv4Network, ("169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24")))


def _subnets(settings: Settings) -> dict[str, IPv4Network]:
    """The subnets that will be defined, by their key."""
    cidrs = {
        "network.system_subnet_cidr": settings.network.system_subnet_cidr,
        "network.user_subnet_cidr": settings.network.user_subnet_cidr,
        "network.vm_subnet_cidr": settings.network.vm_subnet_cidr,
    }
    if settings.network.pod_subnet_cidr is not None:
        cidrs["network.pod_subnet_cidr"] = settings.network.pod_subnet_cidr
    if settings.cluster.api_server_vnet_integration_enabled:
        cidrs["network.api_server_subnet_cidr"] = settings.network.api_server_subnet_cidr
    if settings.bastion.enabled:
        cidrs["network.bastion_subnet_cidr"] = settings.network.bastion_subnet_cidr
    return {key: network(cidr) for key, cidr in cidrs.items()}


def _inner(settings: Settings) -> dict[str, IPv4Network]:
    """The ranges that exist inside the cluster only, by their key."""
    ranges = {"cluster.service_cidr": network(settings.cluster.service_cidr)}
    if settings.cluster.network_plugin_mode == "overlay":
        ranges["cluster.pod_cidr"] = network(settings.cluster.pod_cidr)
    return ranges


_ADDRESS_KEYS = ("network", "cluster.api_server_vnet_integration_enabled", "bastion.enabled")


@rule(*_ADDRESS_KEYS)
def subnets_are_in_the_network(context: Context) -> Iterator[Problem]:
    """Each subnet is part of one range of the virtual network."""
    space = [network(cidr) for cidr in context.settings.network.address_space]
    for key, subnet in _subnets(context.settings).items():
        if not any(subnet.subnet_of(part) for part in space):
            ranges = ", ".join(context.settings.network.address_space)
            yield Problem(key, str(subnet), f"must lie inside network.address_space ({ranges})")


@rule(*_ADDRESS_KEYS)
def subnets_do_not_overlap(context: Context) -> Iterator[Problem]:
    """No address belongs to two subnets, nor to two ranges of the virtual network."""
    for (key, subnet), (other_key, other) in combinations(_subnets(context.settings).items(), 2):
        if subnet.overlaps(other):
            yield Problem(other_key, str(other), f"must not overlap {key} ({subnet})")
    for first, second in combinations(context.settings.network.address_space, 2):
        if network(first).overlaps(network(second)):
            yield Problem("network.address_space", second, f"must not overlap its other range {first}")


@rule("network.address_space", "cluster.service_cidr", "cluster.pod_cidr", "cluster.network_plugin_mode")
def cluster_ranges_do_not_overlap(context: Context) -> Iterator[Problem]:
    """Service and pod ranges overlap neither the virtual network, nor each other, nor what AKS keeps."""
    outer = [("network.address_space", network(cidr)) for cidr in context.settings.network.address_space]
    inner = list(_inner(context.settings).items())
    for position, (key, cidr) in enumerate(inner):
        for other_key, other in outer + inner[:position]:
            if cidr.overlaps(other):
                yield Problem(key, str(cidr), f"must not overlap {other_key} ({other})")
    for key, cidr in outer + inner:
        for reserved in _RESERVED_BY_AKS:
            if cidr.overlaps(reserved):
                yield Problem(key, str(cidr), f"must not overlap {reserved}, which AKS keeps for itself")


@rule("cluster.service_cidr", "cluster.dns_service_ip")
def dns_address_is_in_the_service_range(context: Context) -> Iterator[Problem]:
    """The DNS Service's address lies in the Service range and is not the API server's own."""
    services = network(context.settings.cluster.service_cidr)
    address = IPv4Address(context.settings.cluster.dns_service_ip)
    taken = (services.network_address, services.network_address + 1, services.broadcast_address)
    if address not in services or address in taken:
        allowed = f"must lie inside cluster.service_cidr ({services}), not its first two addresses or its last"
        yield Problem("cluster.dns_service_ip", str(address), allowed)


@rule("network.pod_subnet_cidr", "cluster.network_plugin_mode")
def pod_subnet_matches_the_plugin_mode(context: Context) -> Iterator[Problem]:
    """Pods get their addresses from one place."""
    overlay = context.settings.cluster.network_plugin_mode == "overlay"
    cidr = context.settings.network.pod_subnet_cidr
    key = "network.pod_subnet_cidr"
    if overlay and cidr is not None:
        yield Problem(key, cidr, 'must be left out while cluster.network_plugin_mode = "overlay" (one or the other)')
    if not overlay and cidr is None:
        yield Problem(key, MISSING, 'must be set while cluster.network_plugin_mode = "pod-subnet"')


@rule("network.bastion_subnet_cidr", "network.api_server_subnet_cidr", *_ADDRESS_KEYS[1:])
def dedicated_subnets_are_large_enough(context: Context) -> Iterator[Problem]:
    """Bastion and the API server have least sizes of their own."""
    settings = context.settings
    for enabled, key, cidr, longest in (
        (
            settings.bastion.enabled,
            "network.bastion_subnet_cidr",
            settings.network.bastion_subnet_cidr,
            _BASTION_LONGEST_PREFIX,
        ),
        (
            settings.cluster.api_server_vnet_integration_enabled,
            "network.api_server_subnet_cidr",
            settings.network.api_server_subnet_cidr,
            _API_SERVER_LONGEST_PREFIX,
        ),
    ):
        if enabled and network(cidr).prefixlen > longest:
            yield Problem(key, cidr, f"must be a /{longest} or larger")


@rule(
    "network",
    "cluster.network_plugin_mode",
    "cluster.pod_cidr",
    "system_pool",
    "user_pool",
    "model.node_count",
)
def ranges_hold_all_nodes(context: Context) -> Iterator[Problem]:
    """At their largest, with a node in ten more during upgrades, the pools fit their ranges.

    KAITO's GPU nodes join the system pool's subnet.
    """
    settings = context.settings
    system = _surged(settings.system_pool.max_count) + _surged(settings.model.node_count)
    user = _surged(settings.user_pool.max_count)
    pods = system * settings.system_pool.max_pods + user * settings.user_pool.max_pods
    needs = [
        ("network.system_subnet_cidr", settings.network.system_subnet_cidr, system, "nodes"),
        ("network.user_subnet_cidr", settings.network.user_subnet_cidr, user, "nodes"),
    ]
    if settings.cluster.network_plugin_mode == "pod-subnet" and settings.network.pod_subnet_cidr:
        needs.append(("network.pod_subnet_cidr", settings.network.pod_subnet_cidr, pods, "pods"))
    for key, cidr, needed, what in needs:
        room = network(cidr).num_addresses - _RESERVED_PER_SUBNET
        if room < needed:
            yield Problem(key, cidr, f"must hold {needed} {what} (the pools at max_count, and surge); it has {room}")
    overlay_nodes = 2 ** (_OVERLAY_NODE_PREFIX - network(settings.cluster.pod_cidr).prefixlen)
    if settings.cluster.network_plugin_mode == "overlay" and overlay_nodes < system + user:
        allowed = f"must hold a /{_OVERLAY_NODE_PREFIX} for each of {system + user} nodes"
        yield Problem("cluster.pod_cidr", settings.cluster.pod_cidr, allowed)


def _surged(nodes: int) -> int:
    return nodes + math.ceil(nodes / 10)
