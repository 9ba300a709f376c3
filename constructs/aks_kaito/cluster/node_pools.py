"""The system and the user pool.

See: https://learn.microsoft.com/azure/aks/use-system-pools
"""

from typing import Any

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.kubernetes_cluster_node_pool import KubernetesClusterNodePool
from constructs import Construct

from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings
from aks_kaito.settings.cluster import NodePool

# Nodes above the pool's size during an upgrade.
# See: https://learn.microsoft.com/azure/aks/upgrade-aks-node-pools-rolling
_UPGRADE_SETTINGS = {"max_surge": "10%", "drain_timeout_in_minutes": 30, "node_soak_duration_in_minutes": 0}


def system_pool(settings: Settings, placement: Placement, network: VirtualNetwork) -> dict[str, Any]:
    """The cluster's default pool, as the cluster takes it: only the cluster's own pods run there."""
    pool = settings.system_pool
    return {
        **_pool_arguments(pool, settings, placement, network),
        "name": pool.name,
        "only_critical_addons_enabled": True,
        "vnet_subnet_id": network.system_subnet_id,
        "upgrade_settings": _UPGRADE_SETTINGS,
    }


def add_user_pool(
    scope: Construct,
    *,
    settings: Settings,
    placement: Placement,
    network: VirtualNetwork,
    cluster_resource_id: str,
) -> KubernetesClusterNodePool:
    """Define the pool of everything that is not the cluster's own, regular or spot."""
    pool = settings.user_pool
    spot = {"priority": "Spot", "eviction_policy": "Delete", "spot_max_price": -1}
    return KubernetesClusterNodePool(
        scope,
        "user-pool",
        kubernetes_cluster_id=cluster_resource_id,
        mode="User",
        vnet_subnet_id=network.user_subnet_id,
        node_taints=list(pool.node_taints) or None,
        # Spot pools take no upgrade settings: their nodes are replaced by eviction.
        **(spot if pool.spot_enabled else {"upgrade_settings": _UPGRADE_SETTINGS}),
        **_pool_arguments(pool, settings, placement, network),
        name=pool.name,
        lifecycle=TerraformResourceLifecycle(
            ignore_changes=[
                # The autoscaler and the upgrade channel decide.
                "node_count",
                "orchestrator_version",
                # AKS adds its own to spot nodes.
                *(["node_labels", "node_taints"] if pool.spot_enabled else []),
            ]
        ),
    )


def _pool_arguments(
    pool: NodePool, settings: Settings, placement: Placement, network: VirtualNetwork
) -> dict[str, Any]:
    """What a default pool and a further one call the same."""
    return {
        "vm_size": pool.vm_size,
        "zones": list(pool.zones) or None,
        "auto_scaling_enabled": True,
        "min_count": pool.min_count,
        "max_count": pool.max_count,
        "node_count": pool.min_count if pool.node_count is None else pool.node_count,
        "max_pods": pool.max_pods,
        "os_disk_type": pool.os_disk_type,
        "os_disk_size_gb": pool.os_disk_size_gib,
        "os_sku": pool.os_sku,
        "host_encryption_enabled": pool.host_encryption_enabled,
        "node_public_ip_enabled": False,
        "node_labels": dict(pool.node_labels) or None,
        "orchestrator_version": settings.cluster.kubernetes_version,
        "pod_subnet_id": network.pod_subnet_id,
        # What azurerm calls the pool while it rotates nodes to a change that it cannot make in place.
        "temporary_name_for_rotation": f"{pool.name[:8]}tmp",
        "tags": placement.tags,
    }
