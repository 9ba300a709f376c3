"""AKS cluster with its system and user node pools. KAITO, not Terraform, creates the GPU nodes.

See: https://learn.microsoft.com/azure/aks/
"""

from dataclasses import dataclass

from cdktn import ITerraformDependable, TerraformResourceLifecycle
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.kubernetes_cluster import KubernetesCluster
from cdktn_provider_azurerm.role_assignment import RoleAssignment
from constructs import Construct

from aks_kaito import diagnostics, roles
from aks_kaito.cluster import add_ons, control_plane, node_pools
from aks_kaito.identity import Identity
from aks_kaito.network.ingress import DnsZone
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.services.registry import ContainerRegistry
from aks_kaito.settings.cluster import Cluster, SystemPool, UserPool
from aks_kaito.settings.monitoring import Monitoring
from aks_kaito.stored import address

# Arguments that AKS, its autoscaler, Azure Policy or another resource change after the creation.
_CHANGED_ELSEWHERE = [
    # The upgrade channel changes these, and azapi upgrades them (see kubernetes_upgrade.py).
    "kubernetes_version",
    "default_node_pool[0].orchestrator_version",
    # The autoscaler changes this.
    "default_node_pool[0].node_count",
    # azapi switches KAITO (see kaito.py); azurerm would switch it off again.
    "ai_toolchain_operator_enabled",
    # azapi writes the key (see azapi_properties.py); azurerm would replace the cluster.
    "linux_profile[0].ssh_key",
    # Clusters of older releases got their name from AKS. A different one would replace the cluster.
    "node_resource_group",
    # Azure Policy enables Defender for whole subscriptions.
    "microsoft_defender",
]


@dataclass(frozen=True)
class AksSettings:
    """The settings that describe the cluster."""

    cluster: Cluster
    system_pool: SystemPool
    user_pool: UserPool
    monitoring: Monitoring
    web_app_routing_enabled: bool
    node_auto_provisioning: bool
    blob_driver_enabled: bool


class AksCluster(Construct):
    """Cluster with Entra ID sign-in and Azure RBAC, its identities and rights, its add-ons and node pools.

    Public attributes: `resource_id`, `name`, `address` (in Terraform), `node_resource_group`, `oidc_issuer_url`,
    `principal_id`, `node_pools` (what pods need to be scheduled), `pool_ids` (resource ids of all pools).
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: AksSettings,
        placement: Placement,
        network: VirtualNetwork,
        registry: ContainerRegistry,
        zone: DnsZone | None,
        deployer: DataAzurermClientConfig,
    ) -> None:
        """Define the cluster in `network`; it pulls images from `registry` and writes the records of `zone`."""
        super().__init__(scope, construct_id)
        identity = Identity(self, "identity", placement=placement, purpose="aks")
        # An identity that AKS creates could get its rights only after the nodes have started.
        kubelet = Identity(self, "kubelet-identity", placement=placement, purpose="kubelet")
        temporary_names = node_pools.temporary_names(settings.system_pool.name, settings.user_pool.name)
        self._resource = KubernetesCluster(
            self,
            "Resource",
            name=placement.names.cluster,
            dns_prefix=placement.names.dns_prefix,
            node_resource_group=placement.names.node_resource_group,
            identity={"type": "UserAssigned", "identity_ids": [identity.resource_id]},
            kubelet_identity={
                "client_id": kubelet.client_id,
                "object_id": kubelet.principal_id,
                "user_assigned_identity_id": kubelet.resource_id,
            },
            default_node_pool=node_pools.system_pool(
                settings.system_pool,
                settings.cluster,
                placement,
                network,
                temporary_name=temporary_names[settings.system_pool.name],
            ),
            # AKS requires these when it creates the cluster, but no argument refers to them: the rights to join its
            # subnets and to assign the kubelet's identity, and the NAT gateway of the outbound type.
            depends_on=[*self._add_rights(identity, kubelet, network), *network.outbound],
            lifecycle=TerraformResourceLifecycle(
                ignore_changes=[
                    *_CHANGED_ELSEWHERE,
                    # azapi switches both off; a block and no block would each be a change in every plan.
                    *([] if settings.cluster.has_workload_autoscaler else ["workload_autoscaler_profile"]),
                ]
            ),
            **control_plane.arguments(
                settings.cluster, network, deployer, node_auto_provisioning=settings.node_auto_provisioning
            ),
            **add_ons.arguments(
                settings.cluster,
                settings.monitoring,
                placement,
                web_app_routing=settings.web_app_routing_enabled,
                dns_zone_ids=[zone.resource_id] if zone else [],
                blob_driver=settings.blob_driver_enabled,
            ),
            **placement.arguments,
        )
        user_pool = node_pools.add_user_pool(
            self,
            settings=settings.user_pool,
            placement=placement,
            network=network,
            cluster_resource_id=self._resource.id,
            cluster_version=self._resource.current_kubernetes_version,
            temporary_name=temporary_names[settings.user_pool.name],
        )
        # In the scope of the stack: in this one, the assignments would get other Terraform addresses.
        roles.assign(
            scope,
            "kubelet-pulls-images",
            on=registry.resource_id,
            role=roles.ACR_PULL,
            principal_id=kubelet.principal_id,
        )
        self._add_gateway_rights(scope, settings.cluster)
        self._add_zone_rights(settings, zone)
        self._add_deployer_role(settings.cluster, deployer)
        diagnostics.send(
            self,
            placement=placement,
            target_resource_id=self._resource.id,
            logs=settings.monitoring.cluster_log_categories,
            metrics=True,
            table_selectable=True,
        )
        self.resource_id: str = self._resource.id
        self.name: str = self._resource.name
        self.address: str = address(self._resource)
        self.node_resource_group: str = self._resource.node_resource_group
        self.oidc_issuer_url: str = self._resource.oidc_issuer_url
        self.principal_id: str = identity.principal_id
        self.node_pools: list[ITerraformDependable] = [user_pool]
        self.pool_ids: dict[str, str] = {
            "system-pool": f"{self._resource.id}/agentPools/{settings.system_pool.name}",
            "user-pool": user_pool.id,
        }

    def _add_rights(self, identity: Identity, kubelet: Identity, network: VirtualNetwork) -> list[RoleAssignment]:
        """Let the cluster join its subnets and assign the kubelet's identity to its nodes."""
        subnets = [
            roles.assign(
                self,
                f"joins-{key}-subnet",
                on=subnet_id,
                role=roles.NETWORK_CONTRIBUTOR,
                principal_id=identity.principal_id,
            )
            for key, subnet_id in network.node_subnet_ids.items()
        ]
        kubelet_identity = roles.assign(
            self,
            "assigns-kubelet-identity",
            on=kubelet.resource_id,
            role=roles.MANAGED_IDENTITY_OPERATOR,
            principal_id=identity.principal_id,
        )
        return [*subnets, kubelet_identity]

    def _add_gateway_rights(self, scope: Construct, settings: Cluster) -> None:
        """Let the Application Gateway Ingress Controller, if it is on, change its gateway."""
        if settings.application_gateway_resource_id:
            from aks_kaito.cluster import application_gateway

            add_on = self._resource.ingress_application_gateway
            application_gateway.grant(
                scope,
                gateway_resource_id=settings.application_gateway_resource_id,
                principal_id=add_on.ingress_application_gateway_identity.get(0).object_id,
            )

    def _add_zone_rights(self, settings: AksSettings, zone: DnsZone | None) -> None:
        """Let app routing, if it is on, write the records of `zone`."""
        if settings.web_app_routing_enabled and zone is not None:
            add_on = self._resource.web_app_routing
            zone.let_write("app-routing-writes", principal_id=add_on.web_app_routing_identity.get(0).object_id)

    def _add_deployer_role(self, settings: Cluster, deployer: DataAzurermClientConfig) -> None:
        """Let the first deployer administer a cluster without administrator groups; local accounts are off."""
        if not settings.admin_group_object_ids:
            roles.assign(
                self,
                "deployer-administers-cluster",
                on=self._resource.id,
                role=roles.AKS_RBAC_CLUSTER_ADMIN,
                principal_id=deployer.object_id,
                principal_type=None,
                keeps_principal=True,
            )
