"""Prometheus recording rules, one JSON file per rule group in `rule_groups/`.

Records, labels and expressions are those of Azure Monitor: Grafana's built-in dashboards query them, and the portal's
views those of the UX groups. Microsoft writes two metrics of `ux:node_memory_usage:sum` in lower case, which works in
Azure Monitor because it ignores case; here they have their real names, which every Prometheus finds.

See: https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-default#recording-rules
"""

import json
from importlib.resources import files

from cdktn_provider_azurerm.monitor_alert_prometheus_rule_group import (
    MonitorAlertPrometheusRuleGroup,
    MonitorAlertPrometheusRuleGroupRule,
)
from constructs import Construct

from aks_kaito.cluster.aks import AksCluster
from aks_kaito.placement import Placement

LINUX_GROUPS = ("node", "kubernetes", "ux")
WINDOWS_GROUPS = ("node-and-kubernetes-windows", "node-windows", "ux-windows")


class RecordingRules(Construct):
    """One group of recording rules for one cluster."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        group: str,
        placement: Placement,
        cluster: AksCluster,
        workspace_resource_id: str,
    ) -> None:
        """Define the rules of `rule_groups/<group>.json` on the Azure Monitor workspace."""
        super().__init__(scope, construct_id)
        text = files("aks_kaito.monitoring").joinpath("rule_groups", f"{group}.json").read_text(encoding="utf-8")
        data = json.loads(text)
        MonitorAlertPrometheusRuleGroup(
            self,
            "Resource",
            name=f"{data['name']}-{placement.names.cluster}",
            cluster_name=cluster.name,
            interval=data["interval"],
            scopes=[workspace_resource_id],
            # azurerm sends false for these two when they are unset.
            rule_group_enabled=True,
            rule=[
                MonitorAlertPrometheusRuleGroupRule(
                    enabled=True, record=rule["record"], expression=rule["expression"], labels=rule.get("labels")
                )
                for rule in data["rules"]
            ],
            **placement.arguments,
        )
