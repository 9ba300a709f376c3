"""Diagnostic settings: send the logs and metrics of a resource to Log Analytics, into tables of the resource's type.

Only some types let the setting choose between their own tables and the table `AzureDiagnostics`, which all types share.
For the others, Azure takes the choice and returns none, so that each plan would repeat it: Terraform ignores the value
after it has created the setting.

See: https://learn.microsoft.com/azure/azure-monitor/platform/resource-logs#collection-mode
See: https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings
"""

from collections.abc import Sequence

from cdktn import TerraformResourceLifecycle
from cdktn_provider_azurerm.monitor_diagnostic_setting import (
    MonitorDiagnosticSetting,
    MonitorDiagnosticSettingEnabledLog,
    MonitorDiagnosticSettingEnabledMetric,
)
from constructs import Construct

from aks_kaito.placement import Placement

_OWN_TABLES = "Dedicated"


def send(
    scope: Construct,
    *,
    placement: Placement,
    target_resource_id: str,
    logs: Sequence[str] = (),
    metrics: bool = False,
    table_selectable: bool = False,
    construct_id: str = "Diagnostics",
) -> None:
    """Send log categories, and with `metrics` all platform metrics, to the workspace of `placement`.

    `table_selectable` tells that Azure keeps the choice of the table for this type of resource.
    """
    MonitorDiagnosticSetting(
        scope,
        construct_id,
        name="to-log-analytics",
        target_resource_id=target_resource_id,
        log_analytics_workspace_id=placement.workspace_resource_id,
        log_analytics_destination_type=_OWN_TABLES if logs else None,
        enabled_log=[MonitorDiagnosticSettingEnabledLog(category=category) for category in logs] or None,
        enabled_metric=[MonitorDiagnosticSettingEnabledMetric(category="AllMetrics")] if metrics else None,
        lifecycle=None
        if table_selectable
        else TerraformResourceLifecycle(ignore_changes=["log_analytics_destination_type"]),
    )
