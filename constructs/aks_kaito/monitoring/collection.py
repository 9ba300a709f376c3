"""Data collection rules: metrics and logs of the cluster and of the jump box.

See: https://learn.microsoft.com/azure/azure-monitor/data-collection/data-collection-rule-overview
"""

import json
from typing import TYPE_CHECKING

from cdktn_provider_azurerm.monitor_data_collection_endpoint import MonitorDataCollectionEndpoint
from cdktn_provider_azurerm.monitor_data_collection_rule import (
    MonitorDataCollectionRule,
    MonitorDataCollectionRuleDataFlow,
    MonitorDataCollectionRuleDataSourcesExtension,
    MonitorDataCollectionRuleDataSourcesPerformanceCounter,
    MonitorDataCollectionRuleDataSourcesPrometheusForwarder,
    MonitorDataCollectionRuleDataSourcesSyslog,
    MonitorDataCollectionRuleDestinationsLogAnalytics,
    MonitorDataCollectionRuleDestinationsMonitorAccount,
)
from cdktn_provider_azurerm.monitor_data_collection_rule_association import (
    MonitorDataCollectionRuleAssociation,
)
from constructs import Construct

from aks_kaito.cluster.aks import AksCluster
from aks_kaito.monitoring import recording_rules
from aks_kaito.monitoring.sinks import Metrics
from aks_kaito.placement import Placement

if TYPE_CHECKING:  # few environments have a jump box
    from aks_kaito.access.jump_box import JumpBox

_PROMETHEUS_STREAM = "Microsoft-PrometheusMetrics"
_CONTAINER_INSIGHTS_STREAM = "Microsoft-ContainerInsights-Group-Default"
# The agent looks for this name.
_CONTAINER_INSIGHTS_EXTENSION = "ContainerInsightsExtension"
_LINUX_COUNTERS = (
    "Processor(*)\\% Processor Time",
    "Processor(*)\\% IO Wait Time",
    "Memory(*)\\% Used Memory",
    "Memory(*)\\Available MBytes Memory",
    "Memory(*)\\% Used Swap Space",
    "Logical Disk(*)\\% Used Space",
    "Logical Disk(*)\\% Used Inodes",
    "Logical Disk(*)\\Disk Transfers/sec",
    "Logical Disk(*)\\Logical Disk Bytes/sec",
    "Network(*)\\Total Bytes Transmitted",
    "Network(*)\\Total Bytes Received",
    "Network(*)\\Total Rx Errors",
    "Network(*)\\Total Tx Errors",
    "System(*)\\Uptime",
    "System(*)\\Load1",
    "Process(*)\\Pct User Time",
)
_SAMPLING_SECONDS = 60


class PrometheusCollection(Construct):
    """Managed Prometheus for a cluster: endpoint, collection rule, association and recording rules."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        windows_rules_enabled: bool,
        placement: Placement,
        cluster: AksCluster,
        metrics: Metrics,
    ) -> None:
        """Send the metrics of `cluster` to `metrics`, and compute the records that dashboards query."""
        super().__init__(scope, construct_id)
        endpoint = MonitorDataCollectionEndpoint(
            self,
            "endpoint",
            name=placement.names.prometheus_endpoint,
            kind="Linux",
            **placement.arguments,
        )
        rule = MonitorDataCollectionRule(
            self,
            "Resource",
            name=placement.names.prometheus_rule,
            kind="Linux",
            data_collection_endpoint_id=endpoint.id,
            data_sources={
                "prometheus_forwarder": [
                    MonitorDataCollectionRuleDataSourcesPrometheusForwarder(
                        name="PrometheusDataSource", streams=[_PROMETHEUS_STREAM]
                    )
                ]
            },
            destinations={
                "monitor_account": [
                    MonitorDataCollectionRuleDestinationsMonitorAccount(
                        name="MonitoringAccount1", monitor_account_id=metrics.workspace_resource_id
                    )
                ]
            },
            data_flow=[
                MonitorDataCollectionRuleDataFlow(streams=[_PROMETHEUS_STREAM], destinations=["MonitoringAccount1"])
            ],
            **placement.arguments,
        )
        MonitorDataCollectionRuleAssociation(
            self,
            "association",
            name=placement.names.prometheus_rule,
            target_resource_id=cluster.resource_id,
            data_collection_rule_id=rule.id,
        )
        groups = list(recording_rules.LINUX_GROUPS)
        if windows_rules_enabled:
            groups += recording_rules.WINDOWS_GROUPS
        for group in groups:
            recording_rules.RecordingRules(
                self,
                f"{group}-rules",
                group=group,
                placement=placement,
                cluster=cluster,
                workspace_resource_id=metrics.workspace_resource_id,
            )


class ContainerInsights(Construct):
    """Container Insights: the collection rule that the agent needs when it signs in with an identity.

    See: https://learn.microsoft.com/azure/azure-monitor/containers/container-insights-data-collection-dcr
    """

    _INTERVAL = "1m"

    def __init__(self, scope: Construct, construct_id: str, *, placement: Placement, cluster: AksCluster) -> None:
        """Send container logs and the inventory of `cluster` to Log Analytics."""
        super().__init__(scope, construct_id)
        collection = {
            "interval": self._INTERVAL,
            "namespaceFilteringMode": "Off",
            "enableContainerLogV2": True,
        }
        rule = MonitorDataCollectionRule(
            self,
            "Resource",
            name=placement.names.container_insights_rule,
            kind="Linux",
            data_sources={
                "extension": [
                    MonitorDataCollectionRuleDataSourcesExtension(
                        name=_CONTAINER_INSIGHTS_EXTENSION,
                        extension_name="ContainerInsights",
                        streams=[_CONTAINER_INSIGHTS_STREAM],
                        extension_json=json.dumps({"dataCollectionSettings": collection}),
                    )
                ]
            },
            destinations=_log_analytics(placement),
            data_flow=[
                MonitorDataCollectionRuleDataFlow(streams=[_CONTAINER_INSIGHTS_STREAM], destinations=["log-analytics"])
            ],
            **placement.arguments,
        )
        MonitorDataCollectionRuleAssociation(
            self,
            "association",
            name=_CONTAINER_INSIGHTS_EXTENSION,
            target_resource_id=cluster.resource_id,
            data_collection_rule_id=rule.id,
        )


class JumpBoxCollection(Construct):
    """Linux performance counters and the system log of the jump box.

    See: https://learn.microsoft.com/azure/azure-monitor/vm/data-collection-performance
    """

    def __init__(self, scope: Construct, construct_id: str, *, placement: Placement, jump_box: "JumpBox") -> None:
        """Send the counters and the log of `jump_box` to Log Analytics."""
        super().__init__(scope, construct_id)
        rule = MonitorDataCollectionRule(
            self,
            "Resource",
            name=placement.names.of("dcr", "vm"),
            kind="Linux",
            data_sources={
                "performance_counter": [
                    MonitorDataCollectionRuleDataSourcesPerformanceCounter(
                        name="linux-counters",
                        streams=["Microsoft-Perf"],
                        sampling_frequency_in_seconds=_SAMPLING_SECONDS,
                        counter_specifiers=list(_LINUX_COUNTERS),
                    )
                ],
                "syslog": [
                    MonitorDataCollectionRuleDataSourcesSyslog(
                        name="syslog",
                        streams=["Microsoft-Syslog"],
                        facility_names=["auth", "authpriv", "cron", "daemon", "kern", "syslog"],
                        log_levels=["Warning", "Error", "Critical", "Alert", "Emergency"],
                    )
                ],
            },
            destinations=_log_analytics(placement),
            data_flow=[{"streams": ["Microsoft-Perf", "Microsoft-Syslog"], "destinations": ["log-analytics"]}],
            **placement.arguments,
        )
        MonitorDataCollectionRuleAssociation(
            self,
            "association",
            name=placement.names.of("dcra", "vm"),
            target_resource_id=jump_box.resource_id,
            data_collection_rule_id=rule.id,
        )


def _log_analytics(placement: Placement) -> dict[str, object]:
    return {
        "log_analytics": [
            MonitorDataCollectionRuleDestinationsLogAnalytics(
                name="log-analytics", workspace_resource_id=placement.workspace_resource_id
            )
        ]
    }
