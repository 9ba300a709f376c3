"""System and user node pools.

See: https://learn.microsoft.com/azure/aks/use-system-pools
"""

from typing import Any

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.kubernetes_cluster_node_pool import KubernetesClusterNodePool
from constructs import Construct

from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings.cluster import MAX_SURGE_PERCENT, Cluster, NodePool, SystemPool, UserPool

# Limits during an upgrade.
# See: https://learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling
_UPGRADE_SETTINGS = {
    "max_surge": f"{MAX_SURGE_PERCENT}%",
    "drain_timeout_in_minutes": 30,
    "node_soak_duration_in_minutes": 0,
}


def temporary_names(*names: str) -> dict[str, str]:
    """Return, for each of a cluster's pools, a free name for the pool that azurerm replaces it with for a while."""
    found: dict[str, str] = {}
    for name in names:
        head = f"{name[:8]}tmp"
        candidates = (head, *(f"{head}{digit}" for digit in range(1, 10)))
        found[name] = next(each for each in candidates if each not in (*names, *found.values()))
    return found


def system_pool(
    pool: SystemPool, cluster: Cluster, placement: Placement, network: VirtualNetwork, *, temporary_name: str
) -> dict[str, Any]:
    """Return the default pool as an argument of the cluster; only critical add-ons run there."""
    return {
        **_pool_arguments(pool, placement, network),
        "orchestrator_version": cluster.kubernetes_version,
        "name": pool.name,
        "temporary_name_for_rotation": temporary_name,
        "only_critical_addons_enabled": True,
        "vnet_subnet_id": network.system_subnet_id,
        "upgrade_settings": _UPGRADE_SETTINGS,
    }


def add_user_pool(
    scope: Construct,
    *,
    settings: UserPool,
    placement: Placement,
    network: VirtualNetwork,
    cluster_resource_id: str,
    cluster_version: str,
    temporary_name: str,
) -> KubernetesClusterNodePool:
    """Define the pool of all other pods, regular or spot."""
    spot = {"priority": "Spot", "eviction_policy": "Delete", "spot_max_price": -1}
    return KubernetesClusterNodePool(
        scope,
        "user-pool",
        kubernetes_cluster_id=cluster_resource_id,
        mode="User",
        vnet_subnet_id=network.user_subnet_id,
        # A list in azurerm, a set in Azure.
        node_taints=sorted(settings.node_taints) or None,
        # Spot pools accept no upgrade settings, because Azure evicts their nodes.
        **(spot if settings.spot_enabled else {"upgrade_settings": _UPGRADE_SETTINGS}),
        **_pool_arguments(settings, placement, network),
        # A pool that is replaced during an upgrade must not be newer than the control plane; its own update follows.
        orchestrator_version=cluster_version,
        name=settings.name,
        temporary_name_for_rotation=temporary_name,
        lifecycle=TerraformResourceLifecycle(
            ignore_changes=[
                # The autoscaler and the upgrade channel change these.
                "node_count",
                "orchestrator_version",
                # AKS adds a label and a taint to spot nodes.
                *(["node_labels", "node_taints"] if settings.spot_enabled else []),
            ]
        ),
    )


def _pool_arguments(pool: NodePool, placement: Placement, network: VirtualNetwork) -> dict[str, Any]:
    """Return the arguments that the default pool and further pools share."""
    return {
        "vm_size": pool.vm_size,
        "zones": list(pool.zones) or None,
        "auto_scaling_enabled": True,
        "min_count": pool.min_count,
        "max_count": pool.max_count,
        "node_count": pool.first_count,
        "max_pods": pool.max_pods,
        "os_disk_type": pool.os_disk_type,
        "os_disk_size_gb": pool.os_disk_size_gib,
        "os_sku": pool.os_sku,
        "host_encryption_enabled": pool.host_encryption_enabled,
        "node_public_ip_enabled": False,
        "node_labels": dict(pool.node_labels) or None,
        "pod_subnet_id": network.pod_subnet_id,
        "tags": placement.tags,
    }
