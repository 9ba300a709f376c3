"""The platform stack: the Azure side of one environment. It wires constructs and decides nothing itself."""

from cdktn import TerraformOutput, TerraformStack
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from aks_kaito import roles
from aks_kaito.access.bastion import Bastion
from aks_kaito.access.jump_box import JumpBox
from aks_kaito.charts import theirs
from aks_kaito.cluster.aks import AksCluster
from aks_kaito.cluster.extensions import Dapr, Flux
from aks_kaito.cluster.kaito import Kaito
from aks_kaito.identity import Identity
from aks_kaito.monitoring.collection import ContainerInsights, JumpBoxCollection, PrometheusCollection
from aks_kaito.monitoring.sinks import LogAnalytics, Metrics
from aks_kaito.network import ingress
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.services.key_vault import KeyVault
from aks_kaito.services.openai import OpenAi
from aks_kaito.services.postgresql import PostgreSql
from aks_kaito.services.registry import ContainerRegistry
from aks_kaito.services.storage import StorageAccount
from aks_kaito.settings import Environment
from aks_kaito.stacks import providers


class PlatformStack(TerraformStack):
    """Defines `kaito-<environment>-platform`: everything that azurerm and azapi own.

    Its outputs are what people and the stack of workloads need; none is secret.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        """Define the stack of one environment, named after it."""
        name = f"{environment.names.stack}-platform"
        super().__init__(scope, name)
        self._settings = environment.settings
        providers.keep_state(self, self._settings)
        self._outputs: dict[str, str] = {}
        providers.add(self, self._settings)
        deployer = DataAzurermClientConfig(self, "deployer")
        placement = self._add_group(environment)
        network = VirtualNetwork(self, "network", settings=self._settings, placement=placement)
        workload_identity = Identity(self, "workload-identity", placement=placement, purpose="chat")
        metrics = Metrics(self, "metrics", settings=self._settings, placement=placement, deployer=deployer)
        registry, vault, storage = self._add_services(placement, network, deployer)
        self._add_model_services(placement, network, workload_identity)
        zone = self._add_zone()
        cluster = AksCluster(
            self,
            "cluster",
            settings=self._settings,
            placement=placement,
            network=network,
            deployer=deployer,
            dns_zone_id=zone.resource_id if zone else None,
        )
        Kaito(
            self,
            "kaito",
            settings=self._settings,
            cluster=cluster,
            cluster_name=environment.names.cluster,
        )
        self._add_extensions(cluster)
        self._add_ways_in(placement, network, storage)
        self._add_collection(placement, cluster, metrics)
        self._add_ingress(placement, cluster, zone)
        self._add_trust(placement, cluster, workload_identity, zone)
        self._add_grants(cluster, registry, vault, workload_identity)
        ingress.grant_gateway(self, settings=self._settings, principal_id=cluster.application_gateway_object_id)
        self._outputs |= {
            "cluster_name": cluster.name,
            "cluster_oidc_issuer_url": cluster.oidc_issuer_url,
            "cluster_resource_id": cluster.resource_id,
            "grafana_endpoint": metrics.grafana_endpoint,
            "key_vault_name": vault.name,
            "key_vault_uri": vault.vault_uri,
            "log_analytics_workspace_resource_id": placement.workspace_resource_id,
            "node_resource_group_name": cluster.node_resource_group,
            "prometheus_query_endpoint": metrics.query_endpoint,
            "registry_login_server": registry.login_server,
            "registry_name": registry.name,
            "resource_group_name": placement.resource_group_name,
            "subscription_id": deployer.subscription_id,
            "tenant_id": deployer.tenant_id,
            "workload_identity_client_id": workload_identity.client_id,
            "workload_identity_name": workload_identity.name,
        }
        for key, value in sorted(self._outputs.items()):
            TerraformOutput(self, key, value=value)

    def _add_group(self, environment: Environment) -> Placement:
        """The resource group, and in it the workspace that everything else logs to."""
        group = ResourceGroup(
            self,
            "resource-group",
            name=environment.names.resource_group,
            location=self._settings.location,
            tags=environment.tags,
        )
        self._group_resource_id: str = group.id
        placement = Placement(environment.names, environment.tags, self._settings.location, group.name)
        logs = LogAnalytics(self, "log-analytics", settings=self._settings, placement=placement)
        return placement.logging_to(logs.resource_id)

    def _add_services(
        self, placement: Placement, network: VirtualNetwork, deployer: DataAzurermClientConfig
    ) -> tuple[ContainerRegistry, KeyVault, StorageAccount]:
        settings = self._settings
        return (
            ContainerRegistry(self, "registry", settings=settings, placement=placement, network=network),
            KeyVault(
                self,
                "key-vault",
                settings=settings,
                placement=placement,
                network=network,
                tenant_id=deployer.tenant_id,
            ),
            StorageAccount(self, "storage", settings=settings, placement=placement, network=network),
        )

    def _add_model_services(self, placement: Placement, network: VirtualNetwork, workload_identity: Identity) -> None:
        """The optional services that the chat signs in to as itself."""
        settings = self._settings
        if settings.openai.enabled:
            openai = OpenAi(
                self,
                "openai",
                settings=settings,
                placement=placement,
                network=network,
                workload_identity=workload_identity,
            )
            self._outputs["openai_endpoint"] = openai.endpoint
        if settings.postgresql.enabled:
            postgresql = PostgreSql(
                self,
                "postgresql",
                settings=settings,
                placement=placement,
                network=network,
                workload_identity=workload_identity,
            )
            self._outputs["postgresql_fqdn"] = postgresql.fqdn
            self._outputs["postgresql_database_name"] = postgresql.database_name

    def _add_zone(self) -> ingress.DnsZone | None:
        name = self._settings.ingress.dns_zone_name
        group = self._settings.ingress.dns_zone_resource_group_name
        if name is None or group is None:
            return None
        return ingress.DnsZone(self, "dns-zone", name=name, resource_group_name=group)

    def _add_extensions(self, cluster: AksCluster) -> None:
        if self._settings.cluster.dapr_enabled:
            Dapr(self, "dapr", cluster=cluster)
        if self._settings.flux.enabled:
            Flux(self, "flux", settings=self._settings, cluster=cluster)

    def _add_ways_in(self, placement: Placement, network: VirtualNetwork, storage: StorageAccount) -> None:
        settings = self._settings
        if settings.bastion.enabled:
            Bastion(self, "bastion", settings=settings, placement=placement, network=network)
        if settings.jump_box.enabled:
            jump_box = JumpBox(
                self, "jump-box", settings=settings, placement=placement, network=network, storage=storage
            )
            JumpBoxCollection(self, "jump-box-collection", placement=placement, jump_box=jump_box)
            self._outputs["jump_box_name"] = jump_box.name

    def _add_collection(self, placement: Placement, cluster: AksCluster, metrics: Metrics) -> None:
        settings = self._settings
        PrometheusCollection(
            self, "prometheus", settings=settings, placement=placement, cluster=cluster, metrics=metrics
        )
        if settings.monitoring.container_insights_enabled:
            ContainerInsights(self, "container-insights", placement=placement, cluster=cluster)

    def _add_ingress(self, placement: Placement, cluster: AksCluster, zone: ingress.DnsZone | None) -> None:
        if self._settings.ingress.has_static_address:
            address = ingress.IngressAddress(
                self,
                "ingress",
                settings=self._settings,
                placement=placement,
                zone=zone,
                resource_group_resource_id=self._group_resource_id,
                cluster_principal_id=cluster.principal_id,
            )
            self._outputs["ingress_ip_address"] = address.ip_address
            self._outputs["ingress_ip_name"] = address.name
        if zone is not None and cluster.web_app_routing_object_id is not None:
            zone.let_write("app-routing-writes", principal_id=cluster.web_app_routing_object_id)

    def _add_trust(
        self,
        placement: Placement,
        cluster: AksCluster,
        workload_identity: Identity,
        zone: ingress.DnsZone | None,
    ) -> None:
        """Which service accounts of the cluster may act as which identity."""
        chat = self._settings.chat
        workload_identity.trust(
            issuer_url=cluster.oidc_issuer_url,
            namespace=chat.namespace,
            service_account_name=chat.service_account_name,
        )
        if zone is not None and self._settings.workloads.cert_manager_enabled:
            cert_manager = Identity(self, "cert-manager-identity", placement=placement, purpose="cert-manager")
            # See: https://cert-manager.io/docs/configuration/acme/dns01/azuredns/
            cert_manager.trust(
                issuer_url=cluster.oidc_issuer_url,
                namespace=theirs.CERT_MANAGER.namespace,
                service_account_name=theirs.CERT_MANAGER.name,
            )
            zone.let_write("cert-manager-writes", principal_id=cert_manager.principal_id)
            self._outputs["cert_manager_identity_client_id"] = cert_manager.client_id

    def _add_grants(
        self, cluster: AksCluster, registry: ContainerRegistry, vault: KeyVault, workload_identity: Identity
    ) -> None:
        """What the cluster's identities may do with the services around it."""
        grants = [
            ("kubelet-pulls-images", registry.resource_id, roles.ACR_PULL, cluster.kubelet_principal_id),
            (
                "chat-reads-secrets",
                vault.resource_id,
                roles.KEY_VAULT_SECRETS_USER,
                workload_identity.principal_id,
            ),
        ]
        for construct_id, on, role, principal_id in grants:
            roles.assign(self, construct_id, on=on, role=role, principal_id=principal_id)
