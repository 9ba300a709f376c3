"""Log Analytics, the Azure Monitor workspace and Grafana.

Nothing here depends on the cluster; `collection` connects it.

See: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-overview
"""

from collections.abc import Sequence
from typing import get_args

from cdktn_provider_azurerm.dashboard_grafana import (
    DashboardGrafana,
    DashboardGrafanaAzureMonitorWorkspaceIntegrations,
)
from cdktn_provider_azurerm.data_azurerm_client_config import DataAzurermClientConfig
from cdktn_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktn_provider_azurerm.log_analytics_workspace_table import LogAnalyticsWorkspaceTable
from cdktn_provider_azurerm.monitor_workspace import MonitorWorkspace
from constructs import Construct

from aks_kaito import diagnostics, roles
from aks_kaito.network.private_endpoint import PrivateLink
from aks_kaito.placement import Placement
from aks_kaito.services.network_access import NetworkAccess
from aks_kaito.settings.monitoring import BasicTable, Monitoring

_GRAFANA_LINK = PrivateLink("grafana", "privatelink.grafana.azure.com")
# Log Analytics uses -1 for no limit.
_NO_QUOTA = -1


class LogAnalytics(Construct):
    """Log Analytics workspace, the target of every diagnostic setting.

    Public attributes: `resource_id`.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: Monitoring, placement: Placement) -> None:
        """Define the workspace, which also receives its own audit log of queries."""
        super().__init__(scope, construct_id)
        workspace = LogAnalyticsWorkspace(
            self,
            "Resource",
            name=placement.names.of("log"),
            sku="PerGB2018",
            retention_in_days=settings.log_retention_days,
            daily_quota_gb=settings.log_daily_quota_gib or _NO_QUOTA,
            # Agents and users sign in with Entra ID instead of the workspace's shared keys.
            local_authentication_enabled=False,
            **placement.arguments,
        )
        self.resource_id: str = workspace.id
        for table in get_args(BasicTable):
            self._set_plan(table, settings)
        diagnostics.send(
            self,
            placement=placement.logging_to(workspace.id),
            target_resource_id=workspace.id,
            logs=["Audit"],
            metrics=True,
        )

    def _set_plan(self, table: str, settings: Monitoring) -> None:
        """Set the plan of a table, which Azure has created; without a plan here, it would keep its last one.

        The plan Basic has a fixed retention of 30 days. Azure keeps the rest of the total retention for search jobs.
        """
        basic = table in settings.basic_log_tables
        LogAnalyticsWorkspaceTable(
            self,
            f"{table}-table",
            workspace_id=self.resource_id,
            name=table,
            plan="Basic" if basic else "Analytics",
            retention_in_days=None if basic else settings.log_retention_days,
            total_retention_in_days=settings.log_retention_days,
        )


class Metrics(Construct):
    """Azure Monitor workspace, which stores Prometheus metrics, and Grafana, which reads it.

    Public attributes: `workspace_resource_id`, `query_endpoint`, `grafana_endpoint`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Monitoring,
        placement: Placement,
        access: NetworkAccess,
        deployer: DataAzurermClientConfig,
        admin_group_object_ids: Sequence[str],
    ) -> None:
        """Define both; the principals of `settings` administer Grafana.

        The groups `admin_group_object_ids` import dashboards, or without any the first deployer.
        """
        super().__init__(scope, construct_id)
        workspace = MonitorWorkspace(
            self,
            "Resource",
            name=placement.names.of("amw"),
            public_network_access_enabled=settings.public_network_access_enabled,
            **placement.arguments,
        )
        grafana = DashboardGrafana(
            self,
            "grafana",
            name=placement.names.grafana,
            grafana_major_version=settings.grafana_major_version,
            sku="Standard",
            # Dashboards are imported with Entra ID; a key would stay valid when its owner leaves.
            api_key_enabled=False,
            public_network_access_enabled=settings.grafana_public_network_access_enabled,
            zone_redundancy_enabled=settings.grafana_zone_redundancy_enabled,
            identity={"type": "SystemAssigned"},
            azure_monitor_workspace_integrations=[
                DashboardGrafanaAzureMonitorWorkspaceIntegrations(resource_id=workspace.id)
            ],
            **placement.arguments,
        )
        if not settings.grafana_public_network_access_enabled:
            access.add_private_endpoint(
                self, placement=placement, link=_GRAFANA_LINK, resource_id=grafana.id, required=True
            )
        roles.assign(
            self,
            "grafana-reads-metrics",
            on=workspace.id,
            role=roles.MONITORING_DATA_READER,
            principal_id=grafana.identity.principal_id,
        )
        for object_id in admin_group_object_ids:
            roles.assign(
                self,
                f"group-imports-dashboards-{object_id}",
                on=grafana.id,
                role=roles.GRAFANA_EDITOR,
                principal_id=object_id,
                principal_type=None,
            )
        if not admin_group_object_ids:
            roles.assign(
                self,
                "deployer-imports-dashboards",
                on=grafana.id,
                role=roles.GRAFANA_EDITOR,
                principal_id=deployer.object_id,
                principal_type=None,
                keeps_principal=True,
            )
        for name, object_id in settings.grafana_admin_object_ids.items():
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
            placement=placement,
            target_resource_id=grafana.id,
            logs=["GrafanaLoginEvents"],
            metrics=True,
        )
        self.workspace_resource_id: str = workspace.id
        self.query_endpoint: str = workspace.query_endpoint
        self.grafana_endpoint: str = grafana.endpoint
