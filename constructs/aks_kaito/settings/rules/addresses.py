"""Rules on address ranges: containment and overlap.

See: https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network
from itertools import combinations

from aks_kaito.settings.addresses import network
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import MISSING, Problem
from aks_kaito.settings.rules.rule import Context, rule

# Ranges that a virtual network and a cluster must not contain, by their owners.
# See: https://learn.microsoft.com/azure/aks/concepts-network-cni-overview
# See: https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
_RESERVED = {
    IPv4Network(cidr): words
    for cidr, words in (
        ("0.0.0.0/8", "which no network can have"),
        ("127.0.0.0/8", "the loopback range"),
        ("168.63.129.16/32", "the address of Azure's platform"),
        ("169.254.0.0/16", "which AKS reserves"),
        ("172.30.0.0/16", "which AKS reserves"),
        ("172.31.0.0/16", "which AKS reserves"),
        ("192.0.2.0/24", "which AKS reserves"),
        ("224.0.0.0/3", "the multicast and reserved ranges"),
    )
}


def subnets(settings: Settings) -> dict[str, IPv4Network]:
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


ADDRESS_KEYS = ("network", "cluster.api_server_vnet_integration_enabled", "bastion.enabled")


@rule(*ADDRESS_KEYS)
def subnets_are_in_the_network(context: Context) -> Iterator[Problem]:
    """Every subnet is inside a range of the virtual network."""
    space = [network(cidr) for cidr in context.settings.network.address_space]
    for key, subnet in subnets(context.settings).items():
        if not any(subnet.subnet_of(part) for part in space):
            ranges = ", ".join(context.settings.network.address_space)
            yield Problem(key, str(subnet), f"must be inside network.address_space ({ranges})")


@rule(*ADDRESS_KEYS)
def subnets_do_not_overlap(context: Context) -> Iterator[Problem]:
    """Neither subnets nor ranges of the virtual network overlap."""
    for (key, subnet), (other_key, other) in combinations(subnets(context.settings).items(), 2):
        if subnet.overlaps(other):
            yield Problem(other_key, str(other), f"must not overlap {key} ({subnet})")
    for first, second in combinations(context.settings.network.address_space, 2):
        if network(first).overlaps(network(second)):
            yield Problem("network.address_space", second, f"must not overlap the other range {first}")


@rule("network.address_space", "cluster.service_cidr", "cluster.pod_cidr", "cluster.network_plugin_mode")
def cluster_ranges_do_not_overlap(context: Context) -> Iterator[Problem]:
    """The ranges of Services and pods do not overlap the virtual network, each other or reserved ranges."""
    outer = [("network.address_space", network(cidr)) for cidr in context.settings.network.address_space]
    inner = list(_inner(context.settings).items())
    for position, (key, cidr) in enumerate(inner):
        for other_key, other in outer + inner[:position]:
            if cidr.overlaps(other):
                yield Problem(key, str(cidr), f"must not overlap {other_key} ({other})")
    for key, cidr in outer + inner:
        for reserved, words in _RESERVED.items():
            if cidr.overlaps(reserved):
                yield Problem(key, str(cidr), f"must not overlap {reserved}, {words}")


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
