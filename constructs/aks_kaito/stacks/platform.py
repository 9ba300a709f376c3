"""Platform stack: the Azure resources of one environment. It only wires constructs."""

from cdktn import TerraformOutput, TerraformStack
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from aks_kaito.charts.names import vault_secrets
from aks_kaito.cluster.aks import AksCluster, AksSettings
from aks_kaito.cluster.kaito import Kaito
from aks_kaito.cluster.kubernetes_upgrade import KubernetesUpgrade
from aks_kaito.identity import Identity
from aks_kaito.monitoring.collection import ContainerInsights, PrometheusCollection
from aks_kaito.monitoring.sinks import LogAnalytics, Metrics
from aks_kaito.network.ingress import DnsZone
from aks_kaito.network.subnets import Features
from aks_kaito.network.virtual_network import VirtualNetwork
from aks_kaito.placement import Placement
from aks_kaito.services.key_vault import KeyVault
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.services.registry import ContainerRegistry
from aks_kaito.services.storage import StorageAccount
from aks_kaito.settings import Environment
from aks_kaito.stacks import ignored_tags, model_options, platform_options, providers


class PlatformStack(TerraformStack):
    """`kaito-<environment>-platform`: everything that azurerm and azapi manage.

    Its outputs are for operators and for the workloads stack; none is secret.
    """

    def __init__(self, scope: Construct, environment: Environment) -> None:
        """Define the stack of one environment, named after it."""
        super().__init__(scope, f"{environment.names.stack}-platform")
        settings = self._settings = environment.settings
        providers.require_terraform(self)
        providers.keep_state(self, environment, "platform")
        providers.add(
            self, settings.subscription_id, register_resource_providers=settings.resource_provider_registration_enabled
        )
        deployer = DataAzurermClientConfig(self, "deployer")
        group = self._add_group(environment)
        placement = self._add_logs(environment, group)
        network = self._add_network(placement)
        access = NetworkAccess(settings.network, network)
        workload_identity = Identity(self, "workload-identity", placement=placement, purpose="chat")
        metrics = Metrics(
            self,
            "metrics",
            settings=settings.monitoring,
            placement=placement,
            access=access,
            deployer=deployer,
            admin_group_object_ids=settings.cluster.admin_group_object_ids,
        )
        registry = ContainerRegistry(self, "registry", settings=settings.registry, placement=placement, access=access)
        vault = KeyVault(
            self,
            "key-vault",
            settings=settings.key_vault,
            placement=placement,
            access=access,
            tenant_id=deployer.tenant_id,
            workload_identity=workload_identity,
            chat_secrets=vault_secrets(settings),
        )
        storage = StorageAccount(self, "storage", settings=settings.storage, placement=placement, access=access)
        zone = self._add_zone()
        cluster = self._add_cluster(placement, network, registry, zone, deployer)
        workload_identity.trust(
            issuer_url=cluster.oidc_issuer_url,
            namespace=settings.chat.namespace,
            service_account_name=settings.chat.service_account_name,
        )
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
            **platform_options.add_services(
                self,
                settings=settings,
                placement=placement,
                access=access,
                workload_identity=workload_identity,
                cluster=cluster,
            ),
            **platform_options.add_gpu_provisioner(self, settings=settings, placement=placement, cluster=cluster),
            **model_options.add_registry_logins(
                self, settings=settings, placement=placement, registry=registry, cluster=cluster
            ),
            **model_options.add_model_mirror(
                self, settings=settings, placement=placement, access=access, storage=storage, cluster=cluster
            ),
            **platform_options.add_access(
                self, settings=settings, placement=placement, network=network, storage=storage
            ),
            **platform_options.add_ingress_address(
                self, settings=settings, placement=placement, group=group, cluster=cluster, zone=zone
            ),
            **platform_options.add_cert_manager(
                self, settings=settings, placement=placement, cluster=cluster, zone=zone
            ),
        }
        for key, value in sorted(outputs.items()):
            TerraformOutput(self, key, value=value)
        ignored_tags.ignore(self, settings.tags_ignored)

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
            front_door_only=settings.ingress.front_door_only,
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

    def _add_cluster(
        self,
        placement: Placement,
        network: VirtualNetwork,
        registry: ContainerRegistry,
        zone: DnsZone | None,
        deployer: DataAzurermClientConfig,
    ) -> AksCluster:
        settings = self._settings
        cluster = AksCluster(
            self,
            "cluster",
            settings=AksSettings(
                cluster=settings.cluster,
                system_pool=settings.system_pool,
                user_pool=settings.user_pool,
                monitoring=settings.monitoring,
                web_app_routing_enabled=settings.ingress.mode == "webapprouting",
                node_auto_provisioning=settings.kaito.installed_provisioner == "node-auto-provisioning",
                blob_driver_enabled=settings.kaito.model_mirror_enabled,
            ),
            placement=placement,
            network=network,
            registry=registry,
            zone=zone,
            deployer=deployer,
        )
        kaito = Kaito(
            self,
            "kaito",
            settings=settings.kaito,
            cluster_settings=settings.cluster,
            web_app_routing_enabled=settings.ingress.mode == "webapprouting",
            gateway_api_enabled=settings.has_gateway_api,
            cluster=cluster,
            cluster_name=placement.names.cluster,
        )
        KubernetesUpgrade(
            self, "kubernetes-upgrade", settings=settings.cluster, cluster=cluster, depends_on=kaito.switch
        )
        platform_options.add_extensions(self, settings=settings, cluster=cluster)
        return cluster

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
