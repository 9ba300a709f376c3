"""One diagnostic setting: what a resource logs goes to Log Analytics.

See: https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings
"""

from collections.abc import Sequence

from cdktn_provider_azurerm.monitor_diagnostic_setting import (
    MonitorDiagnosticSetting,
    MonitorDiagnosticSettingEnabledLog,
    MonitorDiagnosticSettingEnabledMetric,
)
from constructs import Construct


def send(
    scope: Construct,
    *,
    target_resource_id: str,
    workspace_resource_id: str,
    logs: Sequence[str] = (),
    metrics: bool = False,
    construct_id: str = "Diagnostics",
) -> MonitorDiagnosticSetting:
    """Send the log categories `logs`, and all platform metrics when `metrics`, to a workspace."""
    return MonitorDiagnosticSetting(
        scope,
        construct_id,
        name="to-log-analytics",
        target_resource_id=target_resource_id,
        log_analytics_workspace_id=workspace_resource_id,
        enabled_log=[MonitorDiagnosticSettingEnabledLog(category=category) for category in logs] or None,
        enabled_metric=[MonitorDiagnosticSettingEnabledMetric(category="AllMetrics")] if metrics else None,
    )
