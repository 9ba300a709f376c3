"""Diagnostic settings: send the logs and metrics of a resource to Log Analytics.

See: https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings
"""

from collections.abc import Sequence

from cdktn_provider_azurerm.monitor_diagnostic_setting import (
    MonitorDiagnosticSetting,
    MonitorDiagnosticSettingEnabledLog,
    MonitorDiagnosticSettingEnabledMetric,
)
from constructs import Construct

from aks_kaito.placement import Placement


def send(
    scope: Construct,
    *,
    placement: Placement,
    target_resource_id: str,
    logs: Sequence[str] = (),
    metrics: bool = False,
    construct_id: str = "Diagnostics",
) -> None:
    """Send log categories, and with `metrics` all platform metrics, to the workspace of `placement`."""
    MonitorDiagnosticSetting(
        scope,
        construct_id,
        name="to-log-analytics",
        target_resource_id=target_resource_id,
        log_analytics_workspace_id=placement.workspace_resource_id,
        enabled_log=[MonitorDiagnosticSettingEnabledLog(category=category) for category in logs] or None,
        enabled_metric=[MonitorDiagnosticSettingEnabledMetric(category="AllMetrics")] if metrics else None,
    )
