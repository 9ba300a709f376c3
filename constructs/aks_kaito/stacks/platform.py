"""Platform stack: the Azure resources of one environment. It only wires constructs."""

from cdktn import TerraformOutput, TerraformStack
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from aks_kaito.access.bastion import Bastion
from aks_kaito.access.jump_box import JumpBox
from aks_kaito.charts import theirs
from aks_kaito.cluster.aks import AksCluster, AksSettings
from aks_kaito.cluster.extensions import Dapr, Flux
from aks_kaito.cluster.kaito import Kaito
from aks_kaito.identity import Identity
from aks_kaito.monitoring.collection import ContainerInsights, JumpBoxCollection, PrometheusCollection
from aks_kaito.monitoring.sinks import LogAnalytics, Metrics
from aks_kaito.network.ingress import DnsZone, IngressAddress
from aks_kaito.network.subnets import Features
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.services.key_vault import KeyVault
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.services.openai import OpenAi
from aks_kaito.services.postgresql import PostgreSql
from aks_kaito.services.registry import ContainerRegistry
from aks_kaito.services.storage import StorageAccount
from aks_kaito.settings import Environment
from aks_kaito.stacks import providers

Outputs = dict[str, str]


class PlatformStack(TerraformStack):
    """`kaito-<environment>-platform`: everything that azurerm and azapi manage.

    Its outputs are for operators and for the workloads stack; none is secret.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        """Define the stack of one environment, named after it."""
        super().__init__(scope, f"{environment.names.stack}-platform")
        settings = self._settings = environment.settings
        providers.keep_state(self, settings.state, settings.subscription_id)
        providers.add(
            self, settings.subscription_id, register_resource_providers=settings.resource_provider_registration_enabled
        )
        deployer = DataAzurermClientConfig(self, "deployer")
        group = self._add_group(environment)
        placement = self._add_logs(environment, group)
        network = self._add_network(placement)
        access = NetworkAccess(settings.network, network)
        workload_identity = Identity(self, "workload-identity", placement=placement, purpose="chat")
        metrics = Metrics(self, "metrics", settings=settings.monitoring, placement=placement, deployer=deployer)
        registry = ContainerRegistry(self, "registry", settings=settings.registry, placement=placement, access=access)
        vault = KeyVault(
            self,
            "key-vault",
            settings=settings.key_vault,
            placement=placement,
            access=access,
            tenant_id=deployer.tenant_id,
            workload_identity=workload_identity,
        )
        storage = StorageAccount(self, "storage", settings=settings.storage, placement=placement, access=access)
        zone = self._add_zone()
        cluster = AksCluster(
            self,
            "cluster",
            settings=AksSettings(
                cluster=settings.cluster,
                system_pool=settings.system_pool,
                user_pool=settings.user_pool,
                monitoring=settings.monitoring,
                web_app_routing_enabled=settings.ingress.mode == "webapprouting",
            ),
            placement=placement,
            network=network,
            registry=registry,
            zone=zone,
            deployer=deployer,
        )
        self._add_extensions(cluster, environment.names.cluster)
        self._add_collection(placement, cluster, metrics)
        outputs = {
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
            **self._add_optional_services(placement, access, workload_identity),
            **self._add_access(placement, network, storage),
            **self._add_ingress_address(placement, group, cluster, zone),
            **self._add_service_accounts(placement, cluster, workload_identity, zone),
        }
        for key, value in sorted(outputs.items()):
            TerraformOutput(self, key, value=value)

    def _add_group(self, environment: Environment) -> ResourceGroup:
        return ResourceGroup(
            self,
            "resource-group",
            name=environment.names.resource_group,
            location=self._settings.location,
            tags=environment.tags,
        )

    def _add_logs(self, environment: Environment, group: ResourceGroup) -> Placement:
        """Define the Log Analytics workspace and return a placement that sends logs to it."""
        placement = Placement(environment.names, environment.tags, self._settings.location, group.name)
        logs = LogAnalytics(self, "log-analytics", settings=self._settings.monitoring, placement=placement)
        return placement.logging_to(logs.resource_id)

    def _add_network(self, placement: Placement) -> VirtualNetwork:
        settings = self._settings
        features = Features(
            ingress=settings.ingress.mode != "none",
            bastion=settings.bastion.enabled,
            api_server_integration=settings.cluster.api_server_vnet_integration_enabled,
        )
        return VirtualNetwork(self, "network", settings=settings.network, placement=placement, features=features)

    def _add_zone(self) -> DnsZone | None:
        name = self._settings.ingress.dns_zone_name
        group = self._settings.ingress.dns_zone_resource_group_name
        if name is None or group is None:
            return None
        return DnsZone(self, "dns-zone", name=name, resource_group_name=group)

    def _add_extensions(self, cluster: AksCluster, cluster_name: str) -> None:
        settings = self._settings
        Kaito(
            self,
            "kaito",
            settings=settings.kaito,
            gateway_api_enabled=settings.ingress.mode == "gateway",
            cluster=cluster,
            cluster_name=cluster_name,
        )
        if settings.cluster.dapr_enabled:
            Dapr(self, "dapr", cluster=cluster)
        if settings.flux.enabled:
            Flux(self, "flux", settings=settings.flux, cluster=cluster)

    def _add_collection(self, placement: Placement, cluster: AksCluster, metrics: Metrics) -> None:
        monitoring = self._settings.monitoring
        PrometheusCollection(
            self,
            "prometheus",
            windows_rules_enabled=monitoring.windows_rules_enabled,
            placement=placement,
            cluster=cluster,
            metrics=metrics,
        )
        if monitoring.container_insights_enabled:
            ContainerInsights(self, "container-insights", placement=placement, cluster=cluster)

    def _add_optional_services(
        self, placement: Placement, access: NetworkAccess, workload_identity: Identity
    ) -> Outputs:
        """Define the optional services that the chat signs in to with its own identity."""
        settings, outputs = self._settings, Outputs()
        if settings.openai.enabled:
            openai = OpenAi(
                self,
                "openai",
                settings=settings.openai,
                placement=placement,
                access=access,
                workload_identity=workload_identity,
            )
            outputs["openai_endpoint"] = openai.endpoint
        if settings.postgresql.enabled:
            postgresql = PostgreSql(
                self,
                "postgresql",
                settings=settings.postgresql,
                placement=placement,
                access=access,
                workload_identity=workload_identity,
            )
            outputs["postgresql_fqdn"] = postgresql.fqdn
            outputs["postgresql_database_name"] = postgresql.database_name
        return outputs

    def _add_access(self, placement: Placement, network: VirtualNetwork, storage: StorageAccount) -> Outputs:
        settings = self._settings
        if settings.bastion.enabled:
            Bastion(
                self,
                "bastion",
                settings=settings.bastion,
                placement=placement,
                zones=settings.system_pool.zones,
                network=network,
            )
        if not settings.jump_box.enabled:
            return {}
        jump_box = JumpBox(
            self,
            "jump-box",
            settings=settings.jump_box,
            admin_username=settings.cluster.admin_username,
            ssh_public_key=settings.cluster.ssh_public_key,
            placement=placement,
            network=network,
            storage=storage,
        )
        JumpBoxCollection(self, "jump-box-collection", placement=placement, jump_box=jump_box)
        return {"jump_box_name": jump_box.name}

    def _add_ingress_address(
        self, placement: Placement, group: ResourceGroup, cluster: AksCluster, zone: DnsZone | None
    ) -> Outputs:
        settings = self._settings
        if not settings.ingress.has_static_address:
            return {}
        address = IngressAddress(
            self,
            "ingress",
            settings=settings.ingress,
            placement=placement,
            zones=settings.system_pool.zones,
            zone=zone,
            resource_group_resource_id=group.id,
            cluster_principal_id=cluster.principal_id,
        )
        return {"ingress_ip_address": address.ip_address, "ingress_ip_name": address.name}

    def _add_service_accounts(
        self, placement: Placement, cluster: AksCluster, workload_identity: Identity, zone: DnsZone | None
    ) -> Outputs:
        """Let the service accounts of the chat and of cert-manager use their identities."""
        chat = self._settings.chat
        workload_identity.trust(
            issuer_url=cluster.oidc_issuer_url,
            namespace=chat.namespace,
            service_account_name=chat.service_account_name,
        )
        if zone is None or not self._settings.workloads.cert_manager_enabled:
            return {}
        cert_manager = Identity(self, "cert-manager-identity", placement=placement, purpose="cert-manager")
        # See: https://cert-manager.io/docs/configuration/acme/dns01/azuredns/
        cert_manager.trust(
            issuer_url=cluster.oidc_issuer_url,
            namespace=theirs.CERT_MANAGER.namespace,
            service_account_name=theirs.CERT_MANAGER.name,
        )
        zone.let_write("cert-manager-writes", principal_id=cert_manager.principal_id)
        return {"cert_manager_identity_client_id": cert_manager.client_id}
