"""The KAITO add-on and app routing's Gateway API, which azurerm cannot switch.

The azapi provider owns both. It patches the cluster that azurerm created and, unlike azurerm, reverts nothing when the
resource is destroyed. The resource therefore always exists and sets `false` or `Disabled` explicitly.

See: https://learn.microsoft.com/azure/aks/ai-toolchain-operator,
https://learn.microsoft.com/azure/aks/app-routing-gateway-api
"""

from typing import Any

from cdktn_provider_azapi.update_resource import UpdateResource
from cdktn_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from constructs import Construct

from aks_kaito import roles
from aks_kaito.cluster.aks import AksCluster
from aks_kaito.identity import federate
from aks_kaito.settings.cluster import Kaito as KaitoSettings

# The first stable API version with both profiles; the add-on's has existed since 2025-05-01.
_API_VERSION = "2026-02-01"
# Service account of the GPU provisioner; Kubernetes compares it in lower case.
_PROVISIONER_NAMESPACE = "kube-system"
_PROVISIONER_SERVICE_ACCOUNT = "kaito-gpu-provisioner"


class Kaito(Construct):
    """Add-ons of the cluster that azapi switches and, on older clusters, the rights of the GPU provisioner."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: KaitoSettings,
        gateway_api_enabled: bool,
        cluster: AksCluster,
        cluster_name: str,
    ) -> None:
        """Switch the add-ons; `cluster_name` is the literal name, which is part of the add-on identity's name."""
        super().__init__(scope, construct_id)
        switch = UpdateResource(
            self,
            "Resource",
            type=f"Microsoft.ContainerService/managedClusters@{_API_VERSION}",
            resource_id=cluster.resource_id,
            body={"properties": _properties(kaito_enabled=settings.enabled, gateway_api_enabled=gateway_api_enabled)},
            # Azure rejects changes of a cluster while one of its node pools is being created.
            depends_on=list(cluster.node_pools),
        )
        if settings.enabled and settings.provisioner_identity == "customer":
            self._add_provisioner_rights(cluster, cluster_name, switch)

    def _add_provisioner_rights(self, cluster: AksCluster, cluster_name: str, switch: UpdateResource) -> None:
        """Let the provisioner use the add-on's identity, and let that identity add node pools to this cluster.

        See: https://github.com/Azure/gpu-provisioner
        """
        identity = DataAzurermUserAssignedIdentity(
            self,
            "provisioner-identity",
            name=f"ai-toolchain-operator-{cluster_name.lower()}",
            resource_group_name=cluster.node_resource_group,
            # The add-on creates the identity once it is enabled.
            depends_on=[switch],
        )
        federate(
            self,
            "provisioner-federated-credential",
            name="kaito-federated-identity",
            identity_resource_id=identity.id,
            issuer_url=cluster.oidc_issuer_url,
            namespace=_PROVISIONER_NAMESPACE,
            service_account_name=_PROVISIONER_SERVICE_ACCOUNT,
        )
        roles.assign(
            self,
            "provisioner-adds-pools",
            on=cluster.resource_id,
            role=roles.CONTRIBUTOR,
            principal_id=identity.principal_id,
        )


def _properties(*, kaito_enabled: bool, gateway_api_enabled: bool) -> dict[str, Any]:
    return {
        "aiToolchainOperatorProfile": {"enabled": kaito_enabled},
        "ingressProfile": {
            "gatewayAPI": {"installation": "Standard" if gateway_api_enabled else "Disabled"},
            "webAppRouting": {
                "gatewayAPIImplementations": {
                    "appRoutingIstio": {"mode": "Enabled" if gateway_api_enabled else "Disabled"}
                }
            },
        },
    }
