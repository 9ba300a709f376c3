"""Workloads stack: the Helm releases in one environment's cluster. It only wires constructs."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from cdktn import ITerraformDependable, TerraformOutput, TerraformStack, TerraformVariable
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.data_azurerm_kubernetes_cluster import DataAzurermKubernetesCluster
from cdktn_provider_azurerm.data_azurerm_monitor_workspace import DataAzurermMonitorWorkspace
from cdktn_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktn_provider_kubernetes.namespace_v1 import NamespaceV1, NamespaceV1Metadata
from constructs import Construct

from aks_kaito.charts import kaito, ours, theirs
from aks_kaito.charts.names import CHAT_CHART, CLUSTER_CHART, IMAGE_TAG, vault_secrets
from aks_kaito.charts.releases import OurChart, TheirChart
from aks_kaito.charts.values import Values
from aks_kaito.monitoring.alert_rules import AlertRules
from aks_kaito.monitoring.scraping import ManagedPrometheusSettings
from aks_kaito.placement import Placement
from aks_kaito.settings import Environment
from aks_kaito.stacks import cluster_providers, ignored_tags, providers

_AWAIT_KAITO_SECONDS = 900


class WorkloadsStack(TerraformStack):
    """`kaito-<environment>-workloads`: the releases in the cluster, and the alerts on them.

    It looks up the resources of the platform stack by name, so the two share no state.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        """Define the stack of one environment, named after it."""
        super().__init__(scope, f"{environment.names.stack}-workloads")
        self._environment = environment
        settings = self._settings = environment.settings
        providers.require_terraform(self)
        providers.keep_state(self, environment, "workloads")
        providers.add_azurerm(self, settings.subscription_id)
        cluster = self._cluster = DataAzurermKubernetesCluster(
            self, "cluster", name=environment.names.cluster, resource_group_name=environment.names.resource_group
        )
        cluster_providers.add(self, cluster, credentials=settings.workloads.credentials)
        self._tag = TerraformVariable(
            self,
            "chat_image_tag",
            type="string",
            default=IMAGE_TAG,
            description="Tag of the chat application's image in the environment's registry.",
        )
        self._digest = TerraformVariable(
            self,
            "chat_image_digest",
            type="string",
            default="",
            description="Its digest (sha256:...), which goes before the tag; empty for the tag.",
        )
        before = self._add_controllers()
        before = [*before, self._add_namespace(before)]
        before = [*before, self._add_cluster_objects(before)]
        self._add_chat([*before, *self._add_nginx(before)])
        self._add_monitoring()
        if ours.published(settings.ingress):
            TerraformOutput(self, "chat_url", value=f"https://{settings.ingress.hostname}")
        ignored_tags.ignore(self, settings.tags_ignored)

    def _add_namespace(self, after: list[ITerraformDependable]) -> NamespaceV1:
        """Define the chat's namespace.

        KAITO's pods run as root, so the level `restricted` is only audited and warned about. Terraform deletes the
        namespace before the controllers, because cert-manager has finalizers on objects in it.
        """
        level = "pod-security.kubernetes.io"
        return NamespaceV1(
            self,
            "namespace",
            depends_on=after or None,
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
        """Install Prometheus and cert-manager, in this order: cert-manager's monitors need Prometheus's CRDs."""
        settings, found = self._settings, list[ITerraformDependable]()
        if settings.workloads.kube_prometheus_stack_enabled:
            values = theirs.kube_prometheus_stack(settings)
            found.append(self._their_chart("prometheus", theirs.KUBE_PROMETHEUS_STACK, values))
        before = tuple(found)
        if settings.workloads.cert_manager_enabled:
            values = theirs.cert_manager(settings)
            found.append(self._their_chart("cert-manager", theirs.CERT_MANAGER, values, before))
        return [*found, *self._add_kaito()] if settings.kaito.is_open_source else found

    def _add_kaito(self) -> list[ITerraformDependable]:
        """Install the open-source KAITO, after its provisioner: Terraform deletes them in the reverse order.

        keda-kaito-scaler waits for KAITO's definitions, and leaves after the models that it scales.
        """
        environment, found = self._environment, list[ITerraformDependable]()
        if self._settings.kaito.provisioner == "gpu-provisioner":
            identity = self._identity("gpu-provisioner-identity", "gpu-provisioner")
            place = kaito.Place(
                client_id=identity.client_id,
                tenant_id=identity.tenant_id,
                subscription_id=self._deployer.subscription_id,
                node_resource_group=self._cluster.node_resource_group,
            )
            values = kaito.gpu_provisioner(environment, place)
            found.append(self._their_chart("gpu-provisioner", theirs.GPU_PROVISIONER_CHART, values))
        chart = replace(theirs.KAITO, version=self._settings.kaito.version)
        found = [*found, self._their_chart("kaito", chart, kaito.workspace(environment), found)]
        # Also without a model that it scales: it deletes its objects when a model loses its bounds.
        if self._settings.cluster.keda_enabled:
            values = theirs.keda_kaito_scaler(self._settings)
            found.append(self._their_chart("keda-kaito-scaler", theirs.KEDA_KAITO_SCALER, values, found[-1:]))
        return found

    def _add_nginx(self, after: list[ITerraformDependable]) -> list[ITerraformDependable]:
        """Install F5's ingress controller, after a previous Gateway has released the static address."""
        if self._settings.ingress.mode != "nginx":
            return []
        values = theirs.nginx(self._environment)
        return [self._their_chart("nginx", theirs.NGINX, values, after)]

    def _their_chart(
        self, construct_id: str, chart: theirs.Chart, values: Values, after: Sequence[ITerraformDependable] = ()
    ) -> ITerraformDependable:
        registry = self._settings.charts.registry
        return TheirChart(self, construct_id, chart=chart, values=values, registry=registry, after=after).release

    def _add_cluster_objects(self, after: list[ITerraformDependable]) -> ITerraformDependable:
        """Install issuers, the Gateway and the Job that waits for KAITO; their CRDs need not exist at plan time."""
        values = ours.cluster(self._environment)
        added: Values = {}
        if values["issuers"]["dns"]["enabled"]:
            identity = self._identity("cert-manager-identity", "cert-manager")
            dns = {"identityClientId": identity.client_id, "subscriptionId": self._deployer.subscription_id}
            added["issuers"] = {"dns": dns}
        if "modelMirror" in values:
            streamer = self._identity("model-streamer-identity", "model-streamer")
            added["modelMirror"] = {"clientId": streamer.client_id}
        if values["awaitKaito"]["enabled"]:
            added["awaitKaito"] = {"image": self._image_version, "seconds": _AWAIT_KAITO_SECONDS}
        chart = OurChart(
            self,
            "cluster-objects",
            chart=CLUSTER_CHART,
            namespace=self._settings.chat.namespace,
            values=[values, added],
            after=after,
            timeout_seconds=_AWAIT_KAITO_SECONDS + 300,
        )
        return chart.release

    def _add_chat(self, after: list[ITerraformDependable]) -> None:
        """Install the chat. The release does not wait for the model, which can take longer than its timeout."""
        identity = self._identity("chat-identity", "chat")
        added: Values = {
            "chat": {
                "image": self._image_version,
                "workloadIdentity": {"clientId": identity.client_id},
            }
        }
        if vault_secrets(self._settings):
            added["chat"]["keyVault"] = {"tenantId": identity.tenant_id}
        if self._settings.chat.sign_in == "entra":
            added["chat"]["settings"] = {"KAITO_CHAT_ENTRA_TENANT_ID": identity.tenant_id}
            if self._settings.postgresql.enabled:
                administrator = self._identity("database-administrator", "database")
                ids = {"clientId": administrator.client_id, "objectId": identity.principal_id}
                added["chat"]["databaseRole"] = ids
        values = ours.chat(self._environment)
        for right in ("push", "pull"):
            if right in values.get("registryLogin", {}):
                login = self._identity(f"registry-{right}-identity", f"registry-{right}")
                added.setdefault("registryLogin", {})[right] = {"clientId": login.client_id}
        OurChart(
            self,
            "chat",
            chart=CHAT_CHART,
            namespace=self._settings.chat.namespace,
            values=[values, added],
            after=after,
        )

    def _add_monitoring(self) -> None:
        """Configure the scrape jobs and the alert rules of managed Prometheus."""
        settings = self._settings
        ManagedPrometheusSettings(
            self,
            "managed-prometheus",
            chat=settings.chat,
            ingress=settings.ingress,
            workloads=settings.workloads,
            kaito=settings.kaito,
        )
        monitoring, names = self._settings.monitoring, self._environment.names
        if monitoring.alerts_enabled:
            workspace = DataAzurermMonitorWorkspace(
                self, "metrics", name=names.of("amw"), resource_group_name=names.resource_group
            )
            AlertRules(
                self,
                "alerts",
                placement=Placement(names, self._environment.tags, self._settings.location, names.resource_group),
                workspace_resource_id=workspace.id,
                email_addresses=monitoring.alert_email_addresses,
                runbooks_url=monitoring.runbooks_url,
            )

    @cached_property
    def _deployer(self) -> DataAzurermClientConfig:
        """The account that deploys, whose subscription the releases get."""
        return DataAzurermClientConfig(self, "deployer")

    @property
    def _image_version(self) -> Values:
        """Values of the chat's image version; the chart prefers the digest to the tag."""
        return {"tag": self._tag.string_value, "digest": self._digest.string_value}

    def _identity(self, construct_id: str, purpose: str) -> DataAzurermUserAssignedIdentity:
        """Look up an identity of the platform stack."""
        names = self._environment.names
        return DataAzurermUserAssignedIdentity(
            self, construct_id, name=names.of("id", purpose), resource_group_name=names.resource_group
        )
