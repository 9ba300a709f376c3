"""The AKS cluster with its two node pools. GPU nodes are KAITO's business, not Terraform's.

See: https://learn.microsoft.com/azure/aks/
"""

from collections.abc import Sequence
from typing import Any

from cdktn import ITerraformDependable, TerraformResourceLifecycle
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.kubernetes_cluster import KubernetesCluster
from constructs import Construct

from aks_kaito import diagnostics, roles
from aks_kaito.cluster import add_ons, node_pools
from aks_kaito.identity import Identity
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings

# What AKS, its autoscaler and Azure Policy change behind Terraform's back, or another resource owns.
_CHANGED_ELSEWHERE = [
    # The upgrade channel moves these within a support window.
    "kubernetes_version",
    "default_node_pool[0].orchestrator_version",
    # The autoscaler decides.
    "default_node_pool[0].node_count",
    # azapi owns KAITO's switch (see kaito.py); azurerm would switch it off again.
    "ai_toolchain_operator_enabled",
    # Defender is switched on for whole subscriptions, by policy.
    "microsoft_defender",
]


class AksCluster(Construct):
    """Defines the cluster: Entra ID and Azure RBAC, no local accounts, its own outbound path, its add-ons.

    Public attributes: `resource_id`, `name`, `node_resource_group`, `oidc_issuer_url`, `principal_id`,
    `kubelet_principal_id`, `web_app_routing_object_id` (None in other ingress modes),
    `application_gateway_object_id` (None without AGIC), `node_pools` (what must exist before things can run).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        network: VirtualNetwork,
        deployer: DataAzurermClientConfig,
        dns_zone_id: str | None,
    ) -> None:
        """Define the cluster in `network`, administered by the settings' groups or else by `deployer`."""
        super().__init__(scope, construct_id)
        identity = Identity(self, "identity", placement=placement, purpose="aks")
        self.principal_id: str = identity.principal_id
        network_roles = [
            roles.assign(
                self,
                f"joins-{key}-subnet",
                on=subnet_id,
                role=roles.NETWORK_CONTRIBUTOR,
                principal_id=identity.principal_id,
            )
            for key, subnet_id in network.node_subnet_ids.items()
        ]
        # Nodes get an identity of ours, not one that AKS invents: what they may pull can be granted before they start.
        kubelet = Identity(self, "kubelet-identity", placement=placement, purpose="kubelet")
        self.kubelet_principal_id: str = kubelet.principal_id
        assigns_kubelet = roles.assign(
            self,
            "assigns-kubelet-identity",
            on=kubelet.resource_id,
            role=roles.MANAGED_IDENTITY_OPERATOR,
            principal_id=identity.principal_id,
        )
        self._resource = KubernetesCluster(
            self,
            "Resource",
            name=placement.names.cluster,
            dns_prefix=placement.names.dns_prefix,
            identity={"type": "UserAssigned", "identity_ids": [identity.resource_id]},
            kubelet_identity={
                "client_id": kubelet.client_id,
                "object_id": kubelet.principal_id,
                "user_assigned_identity_id": kubelet.resource_id,
            },
            default_node_pool=node_pools.system_pool(settings, placement, network),
            network_profile=_network_profile(settings),
            # AKS checks these when it creates the cluster, but no argument names them: the rights to join its
            # subnets and to assign the kubelet's identity, and the NAT gateway of the outbound type.
            depends_on=[*network_roles, assigns_kubelet, *network.outbound],
            lifecycle=TerraformResourceLifecycle(ignore_changes=_CHANGED_ELSEWHERE),
            **_control_plane(settings, network, deployer),
            **add_ons.arguments(settings, placement, dns_zone_id),
            **placement.arguments,
        )
        user_pool = node_pools.add_user_pool(
            self, settings=settings, placement=placement, network=network, cluster_resource_id=self._resource.id
        )
        self._add_deployer_role(settings, deployer)
        diagnostics.send(
            self,
            target_resource_id=self._resource.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=settings.monitoring.cluster_log_categories,
            metrics=True,
        )
        self._expose(settings, [user_pool])

    def _expose(self, settings: Settings, node_pools: Sequence[ITerraformDependable]) -> None:
        cluster = self._resource
        self.resource_id: str = cluster.id
        self.name: str = cluster.name
        self.node_resource_group: str = cluster.node_resource_group
        self.oidc_issuer_url: str = cluster.oidc_issuer_url
        self.web_app_routing_object_id: str | None = (
            cluster.web_app_routing.web_app_routing_identity.get(0).object_id
            if settings.ingress.mode == "webapprouting"
            else None
        )
        self.application_gateway_object_id: str | None = (
            cluster.ingress_application_gateway.ingress_application_gateway_identity.get(0).object_id
            if settings.cluster.application_gateway_resource_id
            else None
        )
        self.node_pools = node_pools

    def _add_deployer_role(self, settings: Settings, deployer: DataAzurermClientConfig) -> None:
        """Without groups nobody could enter: local accounts are off, so whoever deploys gets the role."""
        if not settings.cluster.admin_group_object_ids:
            roles.assign(
                self,
                "deployer-administers-cluster",
                on=self._resource.id,
                role=roles.AKS_RBAC_CLUSTER_ADMIN,
                principal_id=deployer.object_id,
                principal_type=None,
            )


def _network_profile(settings: Settings) -> dict[str, Any]:
    cluster = settings.cluster
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


def _control_plane(settings: Settings, network: VirtualNetwork, deployer: DataAzurermClientConfig) -> dict[str, Any]:
    """Version, tier, upgrades, and who may reach and enter the API server."""
    cluster = settings.cluster
    window = {
        "frequency": "Weekly",
        "interval": 1,
        "day_of_week": cluster.maintenance_day,
        "start_time": cluster.maintenance_start_time,
        "utc_offset": "+00:00",
        "duration": cluster.maintenance_duration_hours,
    }
    channel = cluster.automatic_upgrade_channel
    return {
        "kubernetes_version": cluster.kubernetes_version,
        "sku_tier": cluster.sku_tier,
        "support_plan": cluster.support_plan,
        "automatic_upgrade_channel": None if channel == "none" else channel,
        "node_os_upgrade_channel": cluster.node_os_upgrade_channel,
        "maintenance_window_auto_upgrade": None if channel == "none" else window,
        "maintenance_window_node_os": None if cluster.node_os_upgrade_channel == "None" else window,
        "private_cluster_enabled": cluster.private_cluster_enabled,
        # A public name for a private API server would only tell the world its private address.
        "private_cluster_public_fqdn_enabled": False if cluster.private_cluster_enabled else None,
        "run_command_enabled": cluster.run_command_enabled,
        "api_server_access_profile": _api_server_access(settings, network),
        "local_account_disabled": True,
        "role_based_access_control_enabled": True,
        "azure_active_directory_role_based_access_control": {
            "azure_rbac_enabled": True,
            "tenant_id": deployer.tenant_id,
            "admin_group_object_ids": list(cluster.admin_group_object_ids),
        },
        "linux_profile": {
            "admin_username": cluster.admin_username,
            "ssh_key": {"key_data": cluster.ssh_public_key},
        },
        # Manual: pools are ours and KAITO's; Node auto-provisioning stays off.
        "node_provisioning_profile": {"mode": "Manual"},
    }


def _api_server_access(settings: Settings, network: VirtualNetwork) -> dict[str, Any] | None:
    cluster = settings.cluster
    access: dict[str, Any] = {}
    if network.api_server_subnet_id is not None:
        access |= {"virtual_network_integration_enabled": True, "subnet_id": network.api_server_subnet_id}
    if cluster.authorized_ip_ranges:
        # AKS keeps a single address as a range, and Terraform would find a change in it ever after. Nodes come to a
        # public API server by the NAT gateway's address, which AKS does not let in by itself.
        people = [each if "/" in each else f"{each}/32" for each in cluster.authorized_ip_ranges]
        access["authorized_ip_ranges"] = [*people, f"{network.outbound_ip_address}/32"]
    return access or None
