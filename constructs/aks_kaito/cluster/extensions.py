"""Cluster extensions: Dapr, and Flux with the Git repository that it applies.

See: https://learn.microsoft.com/azure/aks/cluster-extensions
"""

from cdktn_provider_azurerm.kubernetes_cluster_extension import KubernetesClusterExtension
from cdktn_provider_azurerm.kubernetes_flux_configuration import (
    KubernetesFluxConfiguration,
    KubernetesFluxConfigurationKustomizations,
)
from constructs import Construct

from aks_kaito.cluster.aks import AksCluster
from aks_kaito.settings.cluster import Flux as FluxSettings


class Dapr(Construct):
    """Dapr extension.

    See: https://learn.microsoft.com/azure/aks/dapr-overview
    """

    def __init__(self, scope: Construct, construct_id: str, *, cluster: AksCluster) -> None:
        """Install Dapr in the namespace `dapr-system`."""
        super().__init__(scope, construct_id)
        KubernetesClusterExtension(
            self,
            "Resource",
            name="dapr",
            cluster_id=cluster.resource_id,
            extension_type="Microsoft.Dapr",
            release_namespace="dapr-system",
            # Its pods run in the user pool.
            depends_on=list(cluster.node_pools),
        )


class Flux(Construct):
    """Flux extension and the Git repository that it applies to the cluster.

    See: https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2
    """

    _SYNC_INTERVAL_SECONDS = 120
    _KUSTOMIZATION_INTERVAL_SECONDS = 120
    _RETRY_INTERVAL_SECONDS = 30

    def __init__(self, scope: Construct, construct_id: str, *, settings: FluxSettings, cluster: AksCluster) -> None:
        """Install Flux and apply the branch and path that `settings` name."""
        super().__init__(scope, construct_id)
        extension = KubernetesClusterExtension(
            self,
            "Resource",
            name="flux",
            cluster_id=cluster.resource_id,
            extension_type="microsoft.flux",
            release_namespace="flux-system",
            # Its pods run in the user pool.
            depends_on=list(cluster.node_pools),
        )
        KubernetesFluxConfiguration(
            self,
            "configuration",
            name="cluster-config",
            cluster_id=cluster.resource_id,
            namespace="flux-system",
            scope="cluster",
            git_repository={
                "url": settings.url,
                "reference_type": "branch",
                "reference_value": settings.branch,
                "sync_interval_in_seconds": self._SYNC_INTERVAL_SECONDS,
            },
            kustomizations=[
                KubernetesFluxConfigurationKustomizations(
                    name="apps",
                    path=settings.kustomization_path,
                    sync_interval_in_seconds=self._KUSTOMIZATION_INTERVAL_SECONDS,
                    retry_interval_in_seconds=self._RETRY_INTERVAL_SECONDS,
                    garbage_collection_enabled=True,
                )
            ],
            # The extension installs the controller that reads this configuration; no argument refers to it.
            depends_on=[extension],
        )
