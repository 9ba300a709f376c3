"""KAITO's switch, and app routing's Gateway API, which azurerm does not know.

azapi owns both. It patches the cluster that azurerm made and, unlike azurerm, undoes nothing when it is destroyed:
so it is always there and says `false` or `Disabled` in words.

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
from aks_kaito.settings import Settings

# The first stable API with both the add-on's profile (since 2025-05-01) and the Gateway API's.
_API_VERSION = "2026-02-01"
# The provisioner's own service account, in small letters as Kubernetes compares it.
_PROVISIONER_NAMESPACE = "kube-system"
_PROVISIONER_SERVICE_ACCOUNT = "kaito-gpu-provisioner"


class Kaito(Construct):
    """Defines the add-ons of the cluster that azapi switches, and, on older clusters, the GPU provisioner's rights."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        cluster: AksCluster,
        cluster_name: str,
    ) -> None:
        """Switch `cluster`'s add-ons; `cluster_name` is its literal name, which the add-on's identity carries."""
        super().__init__(scope, construct_id)
        switch = UpdateResource(
            self,
            "Resource",
            type=f"Microsoft.ContainerService/managedClusters@{_API_VERSION}",
            resource_id=cluster.resource_id,
            body={"properties": _properties(settings)},
            # Azure refuses to change a cluster while one of its pools is being made.
            depends_on=list(cluster.node_pools),
        )
        if settings.kaito.enabled and settings.kaito.provisioner_identity == "customer":
            self._add_provisioner_rights(cluster, cluster_name, switch)

    def _add_provisioner_rights(self, cluster: AksCluster, cluster_name: str, switch: UpdateResource) -> None:
        """Let the provisioner sign in as the identity that the add-on made, and add node pools to this cluster only.

        See: https://github.com/Azure/gpu-provisioner
        """
        identity = DataAzurermUserAssignedIdentity(
            self,
            "provisioner-identity",
            name=f"ai-toolchain-operator-{cluster_name.lower()}",
            resource_group_name=cluster.node_resource_group,
            # The add-on makes it; before the switch there is nothing to find.
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


def _properties(settings: Settings) -> dict[str, Any]:
    gateway = settings.ingress.mode == "gateway"
    return {
        "aiToolchainOperatorProfile": {"enabled": settings.kaito.enabled},
        "ingressProfile": {
            "gatewayAPI": {"installation": "Standard" if gateway else "Disabled"},
            "webAppRouting": {
                "gatewayAPIImplementations": {"appRoutingIstio": {"mode": "Enabled" if gateway else "Disabled"}}
            },
        },
    }
