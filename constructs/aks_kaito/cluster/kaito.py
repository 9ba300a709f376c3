"""The KAITO add-on, app routing's Gateway API and other properties that azapi writes.

azapi patches the cluster that azurerm created and, unlike azurerm, reverts nothing when the resource is destroyed. The
resource therefore always exists and sets `false` or `Disabled` explicitly.

See: https://learn.microsoft.com/azure/aks/ai-toolchain-operator,
https://learn.microsoft.com/azure/aks/app-routing-gateway-api
"""

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azapi.update_resource import UpdateResource, UpdateResourceRetry
from cdktn_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from constructs import Construct

from aks_kaito import roles
from aks_kaito.cluster.aks import AksCluster
from aks_kaito.cluster.azapi_properties import API_VERSION, CONFLICTS, properties
from aks_kaito.identity import federate
from aks_kaito.settings.cluster import Cluster
from aks_kaito.settings.model import Kaito as KaitoSettings
from aks_kaito.stored import address, stored

# Service account of the GPU provisioner; Kubernetes compares it in lower case.
_PROVISIONER_NAMESPACE = "kube-system"
_PROVISIONER_SERVICE_ACCOUNT = "kaito-gpu-provisioner"


class Kaito(Construct):
    """Properties of the cluster that azapi writes and, on older clusters, the rights of the GPU provisioner.

    Public attribute: `switch`, the resource that writes them.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: KaitoSettings,
        cluster_settings: Cluster,
        web_app_routing_enabled: bool,
        gateway_api_enabled: bool,
        cluster: AksCluster,
        cluster_name: str,
    ) -> None:
        """Write the properties; `cluster_name` is the literal name, which is part of the add-on identity's name."""
        super().__init__(scope, construct_id)
        self.switch = UpdateResource(
            self,
            "Resource",
            type=f"Microsoft.ContainerService/managedClusters@{API_VERSION}",
            resource_id=cluster.resource_id,
            body={
                "properties": properties(
                    cluster_settings,
                    kaito_enabled=settings.is_add_on,
                    web_app_routing_enabled=web_app_routing_enabled,
                    gateway_api_enabled=gateway_api_enabled,
                )
            },
            # The Gateway API can disappear from the answers of Azure (see the lifecycle). In other modes, Azure may
            # leave out what is off.
            ignore_missing_property=not gateway_api_enabled,
            retry=UpdateResourceRetry(error_message_regex=CONFLICTS),
            # Azure rejects changes of a cluster while one of its node pools is being created.
            depends_on=list(cluster.node_pools),
            # azurerm writes the whole cluster with an older version of the API, which lacks the Gateway API. A
            # replacement writes the properties again, and deletes nothing in Azure.
            lifecycle=TerraformResourceLifecycle(replace_triggered_by=[cluster.address]),
        )
        if settings.is_add_on and settings.provisioner_identity == "customer":
            self._add_provisioner_rights(cluster, cluster_name)

    def _add_provisioner_rights(self, cluster: AksCluster, cluster_name: str) -> None:
        """Let the provisioner use the add-on's identity, and let that identity add node pools to this cluster.

        See: https://github.com/Azure/gpu-provisioner
        """
        # The add-on creates the identity once it is enabled. Terraform reads a data source late, and replaces the
        # credential and the role, in each plan that changes a resource to which the data source refers.
        expected = stored(
            self,
            "provisioner-identity-name",
            {
                "name": f"ai-toolchain-operator-{cluster_name.lower()}",
                "resource_group_name": cluster.node_resource_group,
                # Unknown while a new cluster is planned: Terraform then reads the identity after its creation.
                "cluster": cluster.resource_id,
            },
            depends_on=[self.switch],
        )
        identity = DataAzurermUserAssignedIdentity(
            self,
            "provisioner-identity",
            name=f"${{{address(expected)}.output.name}}",
            resource_group_name=f"${{{address(expected)}.output.resource_group_name}}",
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
