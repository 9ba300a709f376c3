"""Control plane of the cluster, as arguments: version, upgrades, network and access to the API server.

See: https://learn.microsoft.com/azure/aks/concepts-clusters-workloads
"""

from typing import Any

from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig

from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.settings.addresses import NODES_ONLY, source
from aks_kaito.settings.cluster import Cluster

# Without its own pools, node auto-provisioning makes nodes for KAITO's NodePools only, and the cluster autoscaler keeps
# the pools of this project.
# See: https://learn.microsoft.com/azure/aks/node-auto-provisioning-node-pools
_NODE_PROVISIONING = {True: {"mode": "Auto", "default_node_pools": "None"}, False: {"mode": "Manual"}}


def arguments(
    cluster: Cluster, network: VirtualNetwork, deployer: DataAzurermClientConfig, *, node_auto_provisioning: bool
) -> dict[str, Any]:
    """Return the cluster's arguments for version, tier, upgrades, network, and access to the API server."""
    window = {
        "frequency": "Weekly",
        "interval": 1,
        "day_of_week": cluster.maintenance_day,
        "start_time": cluster.maintenance_start_time,
        "utc_offset": "+00:00",
        "duration": cluster.maintenance_duration_hours,
    }
    channel = cluster.automatic_upgrade_channel
    has_images = node_auto_provisioning or cluster.node_os_upgrade_channel != "None"
    return {
        "kubernetes_version": cluster.kubernetes_version,
        "sku_tier": cluster.sku_tier,
        "support_plan": cluster.support_plan,
        "automatic_upgrade_channel": None if channel == "none" else channel,
        "node_os_upgrade_channel": cluster.node_os_upgrade_channel,
        "maintenance_window_auto_upgrade": None if channel == "none" else window,
        # Node auto-provisioning takes new images in this window, whatever the channel; without one, at any time.
        "maintenance_window_node_os": window if has_images else None,
        "private_cluster_enabled": cluster.private_cluster_enabled,
        # A public name for a private API server would only publish its private address.
        "private_cluster_public_fqdn_enabled": False if cluster.private_cluster_enabled else None,
        "run_command_enabled": cluster.run_command_enabled,
        "api_server_access_profile": _api_server_access(cluster, network),
        "network_profile": _network_profile(cluster),
        "local_account_disabled": True,
        "role_based_access_control_enabled": True,
        "azure_active_directory_role_based_access_control": {
            "azure_rbac_enabled": True,
            "tenant_id": deployer.tenant_id,
            # A list in azurerm, a set in Azure.
            "admin_group_object_ids": sorted(cluster.admin_group_object_ids),
        },
        "linux_profile": {
            "admin_username": cluster.admin_username,
            "ssh_key": {"key_data": cluster.ssh_public_key},
        },
        "node_provisioning_profile": _NODE_PROVISIONING[node_auto_provisioning],
    }


def _network_profile(cluster: Cluster) -> dict[str, Any]:
    overlay = cluster.network_plugin_mode == "overlay"
    return {
        "network_plugin": "azure",
        "network_plugin_mode": "overlay" if overlay else None,
        "pod_cidr": cluster.pod_cidr if overlay else None,
        "network_policy": cluster.network_policy,
        "network_data_plane": "cilium" if cluster.network_policy == "cilium" else "azure",
        "load_balancer_sku": "standard",
        "outbound_type": "userAssignedNATGateway",
        "service_cidr": cluster.service_cidr,
        "dns_service_ip": cluster.dns_service_ip,
    }


def _api_server_access(cluster: Cluster, network: VirtualNetwork) -> dict[str, Any] | None:
    access: dict[str, Any] = {}
    if network.api_server_subnet_id is not None:
        access |= {"virtual_network_integration_enabled": True, "subnet_id": network.api_server_subnet_id}
    if cluster.authorized_ip_ranges:
        # AKS stores a single address as a /32 range; without the suffix, every plan would show a change. Nodes reach a
        # public API server from the NAT gateway's address, which AKS does not add by itself.
        operators = [str(source(each)) for each in cluster.authorized_ip_ranges if each != NODES_ONLY]
        access["authorized_ip_ranges"] = [*operators, f"{network.outbound_ip_address}/32"]
    return access or None
