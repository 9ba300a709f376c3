"""Rules on address ranges: containment, overlap and size.

See: https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning
"""

import math
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from aks_kaito.settings.addresses import network
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule

# Azure reserves the first four addresses of a subnet and the last one.
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
    """Return the subnets that the stack will define, by key."""
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
    """Return the ranges inside the cluster, by key."""
    ranges = {"cluster.service_cidr": network(settings.cluster.service_cidr)}
    if settings.cluster.network_plugin_mode == "overlay":
        ranges["cluster.pod_cidr"] = network(settings.cluster.pod_cidr)
    return ranges


_ADDRESS_KEYS = ("network", "cluster.api_server_vnet_integration_enabled", "bastion.enabled")


@rule(*_ADDRESS_KEYS)
def subnets_are_in_the_network(context: Context) -> Iterator[Problem]:
    """Every subnet is inside a range of the virtual network."""
    space = [network(cidr) for cidr in context.settings.network.address_space]
    for key, subnet in _subnets(context.settings).items():
        if not any(subnet.subnet_of(part) for part in space):
            ranges = ", ".join(context.settings.network.address_space)
            yield Problem(key, str(subnet), f"must be inside network.address_space ({ranges})")


@rule(*_ADDRESS_KEYS)
def subnets_do_not_overlap(context: Context) -> Iterator[Problem]:
    """Neither subnets nor ranges of the virtual network overlap."""
    for (key, subnet), (other_key, other) in combinations(_subnets(context.settings).items(), 2):
        if subnet.overlaps(other):
            yield Problem(other_key, str(other), f"must not overlap {key} ({subnet})")
    for first, second in combinations(context.settings.network.address_space, 2):
        if network(first).overlaps(network(second)):
            yield Problem("network.address_space", second, f"must not overlap the other range {first}")


@rule("network.address_space", "cluster.service_cidr", "cluster.pod_cidr", "cluster.network_plugin_mode")
def cluster_ranges_do_not_overlap(context: Context) -> Iterator[Problem]:
    """The ranges of Services and pods do not overlap the virtual network, each other or AKS's reserved ranges."""
    outer = [("network.address_space", network(cidr)) for cidr in context.settings.network.address_space]
    inner = list(_inner(context.settings).items())
    for position, (key, cidr) in enumerate(inner):
        for other_key, other in outer + inner[:position]:
            if cidr.overlaps(other):
                yield Problem(key, str(cidr), f"must not overlap {other_key} ({other})")
    for key, cidr in outer + inner:
        for reserved in _RESERVED_BY_AKS:
            if cidr.overlaps(reserved):
                yield Problem(key, str(cidr), f"must not overlap {reserved}, which AKS reserves")


@rule("cluster.service_cidr", "cluster.dns_service_ip")
def dns_address_is_in_the_service_range(context: Context) -> Iterator[Problem]:
    """The DNS Service's address is in the range of Services, and is not reserved there."""
    services = network(context.settings.cluster.service_cidr)
    address = IPv4Address(context.settings.cluster.dns_service_ip)
    taken = (services.network_address, services.network_address + 1, services.broadcast_address)
    if address not in services or address in taken:
        allowed = f"must be inside cluster.service_cidr ({services}), not its first two addresses or its last"
        yield Problem("cluster.dns_service_ip", str(address), allowed)


@rule("network.pod_subnet_cidr", "cluster.network_plugin_mode")
def pod_subnet_matches_the_plugin_mode(context: Context) -> Iterator[Problem]:
    """There is a subnet for pods only if pods get addresses from a subnet."""
    overlay = context.settings.cluster.network_plugin_mode == "overlay"
    cidr = context.settings.network.pod_subnet_cidr
    key = "network.pod_subnet_cidr"
    if overlay and cidr is not None:
        yield Problem(key, cidr, 'must not be set while cluster.network_plugin_mode = "overlay"')
    if not overlay and cidr is None:
        yield Problem(key, MISSING, 'must be set while cluster.network_plugin_mode = "pod-subnet"')


@rule("network.bastion_subnet_cidr", "network.api_server_subnet_cidr", *_ADDRESS_KEYS[1:])
def dedicated_subnets_are_large_enough(context: Context) -> Iterator[Problem]:
    """The subnets of Bastion and the API server have their minimum sizes."""
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
    """The ranges have room for the pools at max_count, plus one surge node in ten during upgrades.

    KAITO's GPU nodes are in the system pool's subnet.
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
    for key, cidr, needed, unit in needs:
        room = network(cidr).num_addresses - _RESERVED_PER_SUBNET
        if room < needed:
            yield Problem(
                key, cidr, f"must have room for {needed} {unit} (max_count and surge); it has room for {room}"
            )
    overlay_nodes = 2 ** (_OVERLAY_NODE_PREFIX - network(settings.cluster.pod_cidr).prefixlen)
    if settings.cluster.network_plugin_mode == "overlay" and overlay_nodes < system + user:
        allowed = f"must have room for a /{_OVERLAY_NODE_PREFIX} for each of {system + user} nodes"
        yield Problem("cluster.pod_cidr", settings.cluster.pod_cidr, allowed)


def _surged(nodes: int) -> int:
    return nodes + math.ceil(nodes / 10)
