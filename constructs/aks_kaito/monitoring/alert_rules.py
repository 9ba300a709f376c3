"""Alerts on the chat and its model: the rules that the chart ships, as rules of Azure Monitor.

Azure Monitor takes rules as Azure resources and not as objects of the cluster, so the same file is read twice: by the
chart for a Prometheus in the cluster, and here.

See: https://learn.microsoft.com/azure/azure-monitor/metrics/prometheus-rule-groups
"""

from collections.abc import Mapping
from typing import Any

import yaml
from cdktn_provider_azurerm.monitor_action_group import MonitorActionGroup, MonitorActionGroupEmailReceiver
from cdktn_provider_azurerm.monitor_alert_prometheus_rule_group import (
    MonitorAlertPrometheusRuleGroup,
    MonitorAlertPrometheusRuleGroupRule,
    MonitorAlertPrometheusRuleGroupRuleAction,
    MonitorAlertPrometheusRuleGroupRuleAlertResolution,
)
from constructs import Construct

from aks_kaito.charts.releases import CHARTS
from aks_kaito.placement import Placement

_RULES = CHARTS / "kaito-chat" / "files" / "alerts.yaml"
_INTERVAL = "PT1M"
# How long a condition is gone before its alert is.
_RESOLVED_AFTER = "PT5M"
# Azure's words for its numbers: critical and warning.
_SEVERITIES = {"critical": 0, "warning": 2}
# At most twelve characters; it starts every message.
_SHORT_NAME = "kaito-chat"


class AlertRules(Construct):
    """Defines the chart's alert rules on an Azure Monitor workspace, and whom they tell."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        placement: Placement,
        workspace_resource_id: str,
        email_addresses: Mapping[str, str],
    ) -> None:
        """Define a group of rules for each group of the file; without addresses nobody is told."""
        super().__init__(scope, construct_id)
        actions = self._add_receivers(placement, email_addresses) if email_addresses else None
        for group in yaml.load(_RULES.read_text(encoding="utf-8"), yaml.CSafeLoader)["groups"]:
            MonitorAlertPrometheusRuleGroup(
                self,
                group["name"],
                name=f"{group['name']}-{placement.names.cluster}",
                cluster_name=placement.names.cluster,
                interval=_INTERVAL,
                scopes=[workspace_resource_id],
                rule_group_enabled=True,
                rule=[_rule(rule, actions) for rule in group["rules"]],
                **placement.arguments,
            )

    def _add_receivers(
        self, placement: Placement, email_addresses: Mapping[str, str]
    ) -> list[MonitorAlertPrometheusRuleGroupRuleAction]:
        group = MonitorActionGroup(
            self,
            "receivers",
            name=placement.names.of("ag"),
            short_name=_SHORT_NAME,
            resource_group_name=placement.resource_group_name,
            email_receiver=[
                MonitorActionGroupEmailReceiver(name=name, email_address=address, use_common_alert_schema=True)
                for name, address in email_addresses.items()
            ],
            tags=placement.tags,
        )
        return [MonitorAlertPrometheusRuleGroupRuleAction(action_group_id=group.id)]


def _rule(
    rule: dict[str, Any], actions: list[MonitorAlertPrometheusRuleGroupRuleAction] | None
) -> MonitorAlertPrometheusRuleGroupRule:
    return MonitorAlertPrometheusRuleGroupRule(
        alert=rule["alert"],
        enabled=True,
        expression=rule["expr"],
        for_=f"PT{rule['for'].upper()}",
        severity=_SEVERITIES[rule["labels"]["severity"]],
        labels=rule["labels"],
        annotations=rule["annotations"],
        action=actions,
        alert_resolution=MonitorAlertPrometheusRuleGroupRuleAlertResolution(
            auto_resolved=True, time_to_resolve=_RESOLVED_AFTER
        ),
    )
