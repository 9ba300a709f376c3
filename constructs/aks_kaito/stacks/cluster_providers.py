"""Providers of the workloads stack: kubernetes and helm, with Entra ID sign-in through kubelogin.

See: https://azure.github.io/kubelogin/
"""

from cdktn import TerraformStack
from cdktn_provider_azurerm.data_azurerm_kubernetes_cluster import DataAzurermKubernetesCluster
from cdktn_provider_helm.provider import HelmProvider, HelmProviderKubernetes, HelmProviderKubernetesExec
from cdktn_provider_kubernetes.provider import KubernetesProvider, KubernetesProviderExec

# Entra ID application of the API server, the same for every AKS cluster.
_SERVER_APPLICATION_ID = "6dae42f8-4368-4678-94ff-3960e28e3630"
_EXEC_API_VERSION = "client.authentication.k8s.io/v1beta1"


def add(stack: TerraformStack, cluster: DataAzurermKubernetesCluster, *, credentials: str) -> None:
    """Configure both for an existing cluster, without its administrator's credentials."""
    found = cluster.kube_config.get(0)
    certificate = f"${{base64decode({cluster.fqn}.kube_config[0].cluster_ca_certificate)}}"
    arguments = ["get-token", "--server-id", _SERVER_APPLICATION_ID, "--login", credentials]
    KubernetesProvider(
        stack,
        "kubernetes",
        host=found.host,
        cluster_ca_certificate=certificate,
        exec=[KubernetesProviderExec(api_version=_EXEC_API_VERSION, command="kubelogin", args=arguments)],
    )
    HelmProvider(
        stack,
        "helm",
        kubernetes=HelmProviderKubernetes(
            host=found.host,
            cluster_ca_certificate=certificate,
            exec=HelmProviderKubernetesExec(api_version=_EXEC_API_VERSION, command="kubelogin", args=arguments),
        ),
    )
