"""Where logs and metrics go: Log Analytics, an Azure Monitor workspace, and Grafana on top.

Nothing here knows the cluster; `monitoring` ties the two together.

See: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-overview
"""

from cdktn_provider_azurerm.dashboard_grafana import (
    DashboardGrafana,
    DashboardGrafanaAzureMonitorWorkspaceIntegrations,
)
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktn_provider_azurerm.monitor_workspace import MonitorWorkspace
from constructs import Construct

from aks_kaito import diagnostics, roles
from aks_kaito.placement import Placement
from aks_kaito.settings import Settings

# Log Analytics takes -1 for no limit.
_NO_QUOTA = -1


class LogAnalytics(Construct):
    """Defines the Log Analytics workspace that every diagnostic setting sends to.

    Public attributes: `resource_id`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings, placement: Placement) -> None:
        """Define the workspace; it logs who queried it to itself."""
        super().__init__(scope, construct_id)
        monitoring = settings.monitoring
        workspace = LogAnalyticsWorkspace(
            self,
            "Resource",
            name=placement.names.of("log"),
            sku="PerGB2018",
            retention_in_days=monitoring.log_retention_days,
            daily_quota_gb=monitoring.log_daily_quota_gib or _NO_QUOTA,
            # Agents and people sign in with Entra ID; the workspace's shared keys do not work.
            local_authentication_enabled=False,
            **placement.arguments,
        )
        self.resource_id: str = workspace.id
        diagnostics.send(
            self,
            target_resource_id=workspace.id,
            workspace_resource_id=workspace.id,
            logs=["Audit"],
            metrics=True,
        )


class Metrics(Construct):
    """Defines the Azure Monitor workspace, which stores Prometheus metrics, and Grafana, which reads it.

    Public attributes: `workspace_resource_id`, `query_endpoint`, `grafana_endpoint`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        placement: Placement,
        deployer: DataAzurermClientConfig,
    ) -> None:
        """Define both, and who may read metrics and administer Grafana; `deployer` may bring dashboards."""
        super().__init__(scope, construct_id)
        monitoring = settings.monitoring
        workspace = MonitorWorkspace(
            self,
            "Resource",
            name=placement.names.of("amw"),
            public_network_access_enabled=monitoring.public_network_access_enabled,
            **placement.arguments,
        )
        grafana = DashboardGrafana(
            self,
            "grafana",
            name=placement.names.grafana,
            grafana_major_version=monitoring.grafana_major_version,
            sku="Standard",
            # Keys outlive people; dashboards are imported with Entra ID instead.
            api_key_enabled=False,
            public_network_access_enabled=monitoring.grafana_public_network_access_enabled,
            zone_redundancy_enabled=monitoring.grafana_zone_redundancy_enabled,
            identity={"type": "SystemAssigned"},
            azure_monitor_workspace_integrations=[
                DashboardGrafanaAzureMonitorWorkspaceIntegrations(resource_id=workspace.id)
            ],
            **placement.arguments,
        )
        roles.assign(
            self,
            "grafana-reads-metrics",
            on=workspace.id,
            role=roles.MONITORING_DATA_READER,
            principal_id=grafana.identity.principal_id,
        )
        roles.assign(
            self,
            "deployer-imports-dashboards",
            on=grafana.id,
            role=roles.GRAFANA_EDITOR,
            principal_id=deployer.object_id,
            principal_type=None,
        )
        for name, object_id in monitoring.grafana_admin_object_ids.items():
            roles.assign(
                self,
                f"grafana-admin-{name}",
                on=grafana.id,
                role=roles.GRAFANA_ADMIN,
                principal_id=object_id,
                principal_type=None,
            )
        diagnostics.send(
            self,
            target_resource_id=grafana.id,
            workspace_resource_id=placement.workspace_resource_id,
            logs=["GrafanaLoginEvents"],
            metrics=True,
        )
        self.workspace_resource_id: str = workspace.id
        self.query_endpoint: str = workspace.query_endpoint
        self.grafana_endpoint: str = grafana.endpoint
