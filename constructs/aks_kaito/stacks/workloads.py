"""The stack of workloads: what runs in one environment's cluster. It wires constructs and decides nothing itself."""

from cdktn import ITerraformDependable, TerraformOutput, TerraformStack, TerraformVariable
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.data_azurerm_kubernetes_cluster import DataAzurermKubernetesCluster
from cdktn_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktn_provider_kubernetes.namespace_v1 import NamespaceV1, NamespaceV1Metadata
from constructs import Construct

from aks_kaito import chart_values
from aks_kaito.releases import CertManager, NginxController, OurChart
from aks_kaito.settings import Environment
from aks_kaito.stacks import cluster_providers, providers

_AWAIT_KAITO_SECONDS = 900
_CHART_VERSION = "0.1.0"


class WorkloadsStack(TerraformStack):
    """Defines `kaito-<environment>-workloads`: what the kubernetes and helm providers own.

    It finds what the platform stack made by its names, so the two share no state.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        """Define the stack of one environment, named after it."""
        name = f"{environment.names.stack}-workloads"
        super().__init__(scope, name)
        self._environment = environment
        self._settings = environment.settings
        providers.keep_state(self, self._settings)
        providers.add_azurerm(self, self._settings)
        cluster = DataAzurermKubernetesCluster(
            self, "cluster", name=environment.names.cluster, resource_group_name=environment.names.resource_group
        )
        cluster_providers.add(self, cluster, credentials=self._settings.workloads.credentials)
        self._image = chart_values.image_repository(environment)
        self._tag = TerraformVariable(
            self,
            "chat_image_tag",
            type="string",
            default=_CHART_VERSION,
            description="Tag of the chat application's image in the environment's registry.",
        )
        self._digest = TerraformVariable(
            self,
            "chat_image_digest",
            type="string",
            default="",
            description="Its digest (sha256:...), which goes before the tag; empty for the tag.",
        )
        namespace = self._add_namespace()
        before = [namespace, *self._add_controllers()]
        cluster_release = self._add_cluster_objects(before)
        self._add_chat([*before, cluster_release])
        if chart_values.published(self._settings):
            TerraformOutput(self, "chat_url", value=f"https://{self._settings.ingress.hostname}")

    def _add_namespace(self) -> NamespaceV1:
        """The chat's namespace. KAITO's own pods run as root, so `restricted` is warned of and not enforced."""
        level = "pod-security.kubernetes.io"
        return NamespaceV1(
            self,
            "namespace",
            metadata=[
                NamespaceV1Metadata(
                    name=self._settings.chat.namespace,
                    labels={
                        f"{level}/enforce": "baseline",
                        f"{level}/audit": "restricted",
                        f"{level}/warn": "restricted",
                    },
                )
            ],
        )

    def _add_controllers(self) -> list[ITerraformDependable]:
        """What other people's charts bring."""
        found: list[ITerraformDependable] = []
        if self._settings.workloads.cert_manager_enabled:
            found.append(CertManager(self, "cert-manager").release)
        if self._settings.ingress.mode == "nginx":
            found.append(NginxController(self, "nginx", values=chart_values.nginx(self._environment)).release)
        return found

    def _add_cluster_objects(self, after: list[ITerraformDependable]) -> ITerraformDependable:
        """Issuers, the Gateway, and the wait for KAITO, whose custom resources no plan may ask for."""
        values = chart_values.cluster(self._environment)
        added: chart_values.Values = {}
        if values["issuers"]["dns"]["enabled"]:
            identity = self._identity("cert-manager-identity", "cert-manager")
            config = DataAzurermClientConfig(self, "deployer")
            dns = {"identityClientId": identity.client_id, "subscriptionId": config.subscription_id}
            added["issuers"] = {"dns": dns}
        if values["awaitKaito"]["enabled"]:
            image = f"{self._image}:{self._tag.string_value}"
            added["awaitKaito"] = {"image": image, "seconds": _AWAIT_KAITO_SECONDS}
        chart = OurChart(
            self,
            "cluster-objects",
            chart="kaito-cluster",
            namespace=self._settings.chat.namespace,
            values=[values, added],
            after=after,
            timeout_seconds=_AWAIT_KAITO_SECONDS + 300,
        )
        return chart.release

    def _add_chat(self, after: list[ITerraformDependable]) -> None:
        """The release that people talk to. It does not wait for the model, which takes longer than any deployment."""
        identity = self._identity("chat-identity", "chat")
        added: chart_values.Values = {
            "chat": {
                "image": {"tag": self._tag.string_value, "digest": self._digest.string_value},
                "workloadIdentity": {"clientId": identity.client_id},
            }
        }
        if self._settings.chat.sign_in == "entra":
            added["chat"]["keyVault"] = {"tenantId": identity.tenant_id}
            added["chat"]["settings"] = {"KAITO_CHAT_ENTRA_TENANT_ID": identity.tenant_id}
        OurChart(
            self,
            "chat",
            chart="kaito-chat",
            namespace=self._settings.chat.namespace,
            values=[chart_values.chat(self._environment), added],
            after=after,
        )

    def _identity(self, construct_id: str, purpose: str) -> DataAzurermUserAssignedIdentity:
        """An identity that the platform stack made."""
        names = self._environment.names
        return DataAzurermUserAssignedIdentity(
            self, construct_id, name=names.of("id", purpose), resource_group_name=names.resource_group
        )
