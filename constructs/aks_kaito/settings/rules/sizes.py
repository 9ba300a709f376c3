"""Rules on the sizes of address ranges and lists.

See: https://learn.microsoft.com/azure/aks/concepts-network-ip-address-planning
"""

import math
from collections.abc import Iterator

from aks_kaito.models import copies
from aks_kaito.settings.addresses import firewall_rules, network
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import Problem
from aks_kaito.settings.rules.addresses import ADDRESS_KEYS, subnets
from aks_kaito.settings.rules.kaito import served
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
# See: https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq
_SUBNET_LONGEST_PREFIX = 29
# See: https://learn.microsoft.com/azure/aks/concepts-network-azure-cni-pod-subnet
_POD_SUBNET_SHORTEST_PREFIX = 12
_NETWORK_SHORTEST_PREFIX = 8
# The largest range that Kubernetes accepts for Services, and the smallest that has room for those of the add-ons, of
# the controllers and of the chat, more than twenty.
_SERVICES_SHORTEST_PREFIX = 12
_SERVICES_LONGEST_PREFIX = 27
# See: https://learn.microsoft.com/azure/aks/api-server-authorized-ip-ranges
_MOST_AUTHORIZED_RANGES = 200
_MOST_AUTHORIZED_RANGES_INTEGRATED = 2000
# See: https://learn.microsoft.com/azure/storage/common/storage-network-security-limitations
_MOST_STORAGE_RULES = 400


@rule("network.address_space", "cluster.service_cidr", *ADDRESS_KEYS)
def ranges_have_possible_sizes(context: Context) -> Iterator[Problem]:
    """Azure accepts the sizes of the virtual network, of its subnets and of the range of Services."""
    settings = context.settings
    for cidr in settings.network.address_space:
        if not _NETWORK_SHORTEST_PREFIX <= network(cidr).prefixlen <= _SUBNET_LONGEST_PREFIX:
            allowed = f"must be between a /{_NETWORK_SHORTEST_PREFIX} and a /{_SUBNET_LONGEST_PREFIX}"
            yield Problem("network.address_space", cidr, allowed)
    for key, subnet in subnets(settings).items():
        if subnet.prefixlen > _SUBNET_LONGEST_PREFIX:
            yield Problem(key, str(subnet), f"must be a /{_SUBNET_LONGEST_PREFIX} or larger")
        if key == "network.pod_subnet_cidr" and subnet.prefixlen < _POD_SUBNET_SHORTEST_PREFIX:
            yield Problem(key, str(subnet), f"must be a /{_POD_SUBNET_SHORTEST_PREFIX} or smaller")
    services = network(settings.cluster.service_cidr)
    if not _SERVICES_SHORTEST_PREFIX <= services.prefixlen <= _SERVICES_LONGEST_PREFIX:
        allowed = f"must be between a /{_SERVICES_SHORTEST_PREFIX} and a /{_SERVICES_LONGEST_PREFIX}"
        yield Problem("cluster.service_cidr", str(services), allowed)


@rule("network.bastion_subnet_cidr", "network.api_server_subnet_cidr", *ADDRESS_KEYS[1:])
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
    "model",
    "models",
    "kaito",
    "cluster.private_cluster_enabled",
    "cluster.api_server_vnet_integration_enabled",
)
def ranges_hold_all_nodes(context: Context) -> Iterator[Problem]:
    """The ranges have room for the pools at max_count, plus one surge node in ten during upgrades.

    KAITO's GPU nodes, also those of standbys, are in the system pool's subnet.
    """
    settings = context.settings
    system = _surged(settings.system_pool.max_count) + _gpu_nodes(context)
    user = _surged(settings.user_pool.max_count)
    pods = system * settings.system_pool.max_pods + user * settings.user_pool.max_pods
    # The private endpoint of an API server without an address in the network is in the system pool's subnet.
    cluster = settings.cluster
    endpoint = int(cluster.private_cluster_enabled and not cluster.api_server_vnet_integration_enabled)
    system_nodes = "nodes (max_count, KAITO's nodes and surge)"
    needs = [
        ("network.system_subnet_cidr", settings.network.system_subnet_cidr, system + endpoint, system_nodes),
        ("network.user_subnet_cidr", settings.network.user_subnet_cidr, user, "nodes (max_count and surge)"),
    ]
    if settings.cluster.network_plugin_mode == "pod-subnet" and settings.network.pod_subnet_cidr:
        needs.append(("network.pod_subnet_cidr", settings.network.pod_subnet_cidr, pods, "pods (max_count and surge)"))
    for key, cidr, needed, unit in needs:
        room = network(cidr).num_addresses - _RESERVED_PER_SUBNET
        if room < needed:
            allowed = f"must have room for {needed} {unit}; it has room for {room}"
            yield Problem(key, cidr, allowed)
    overlay_nodes = 2 ** (_OVERLAY_NODE_PREFIX - network(settings.cluster.pod_cidr).prefixlen)
    if settings.cluster.network_plugin_mode == "overlay" and overlay_nodes < system + user:
        allowed = f"must have room for a /{_OVERLAY_NODE_PREFIX} for each of {system + user} nodes"
        yield Problem("cluster.pod_cidr", settings.cluster.pod_cidr, allowed)


def _gpu_nodes(context: Context) -> int:
    """Return the number of nodes that KAITO creates for all copies of models and standbys, and of their surge nodes."""
    version = context.settings.kaito.version
    counts = ((copies.nodes(model, version), model.node_count * model.most_replicas) for _, model in served(context))
    return sum(_surged(configured if nodes is None else nodes) for nodes, configured in counts)


def _surged(nodes: int) -> int:
    return nodes + math.ceil(nodes / 10)


@rule(
    "network.vm_subnet_cidr",
    "network.private_endpoints_enabled",
    "registry.georeplication_locations",
    "openai.enabled",
    "postgresql.enabled",
    "jump_box.enabled",
    "kaito.model_mirror_enabled",
    "monitoring.grafana_public_network_access_enabled",
)
def vm_subnet_holds_endpoints_and_jump_box(context: Context) -> Iterator[Problem]:
    """The subnet of private endpoints and the jump box has an address for each of them."""
    settings = context.settings
    room = network(settings.network.vm_subnet_cidr).num_addresses - _RESERVED_PER_SUBNET
    needed = settings.jump_box.enabled + _endpoint_addresses(settings)
    if room < needed:
        allowed = f"must have room for {needed} addresses of private endpoints and the jump box; it has room for {room}"
        yield Problem("network.vm_subnet_cidr", settings.network.vm_subnet_cidr, allowed)


def _endpoint_addresses(settings: Settings) -> int:
    """Return the number of addresses that the private endpoints take."""
    found = settings.postgresql.enabled + (not settings.monitoring.grafana_public_network_access_enabled)
    if settings.network.private_endpoints_enabled:
        # The registry's endpoint has an address for itself and one for the data of each region.
        registry = 2 + len(settings.registry.georeplication_locations)
        vault, storage = 1, 1 + settings.kaito.model_mirror_enabled
        found += registry + vault + storage + settings.openai.enabled
    return found


@rule("cluster.authorized_ip_ranges", "cluster.api_server_vnet_integration_enabled", "network.allowed_ip_ranges")
def lists_are_not_too_long(context: Context) -> Iterator[Problem]:
    """The firewalls of API server and services have room for the sources; the API server's also has the nodes'."""
    cluster = context.settings.cluster
    integrated = cluster.api_server_vnet_integration_enabled
    most = (_MOST_AUTHORIZED_RANGES_INTEGRATED if integrated else _MOST_AUTHORIZED_RANGES) - 1
    if len(cluster.authorized_ip_ranges) > most:
        allowed = f"must have at most {most} entries; there are {len(cluster.authorized_ip_ranges)}"
        yield Problem("cluster.authorized_ip_ranges", list(cluster.authorized_ip_ranges), allowed)
    rules = len(firewall_rules(context.settings.network.allowed_ip_ranges))
    if rules > _MOST_STORAGE_RULES:
        allowed = f"must have at most {_MOST_STORAGE_RULES} entries, a /31 counting as two; there are {rules}"
        yield Problem("network.allowed_ip_ranges", list(context.settings.network.allowed_ip_ranges), allowed)
