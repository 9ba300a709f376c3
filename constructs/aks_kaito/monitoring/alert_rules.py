"""Alert rules of the chat and its model, as Prometheus rule groups of Azure Monitor.

Azure Monitor reads rules from Azure resources, not from objects in the cluster. The chart installs the same file for a
Prometheus in the cluster.

See: https://learn.microsoft.com/azure/azure-monitor/metrics/prometheus-rule-groups
"""

from collections.abc import Mapping
from functools import cache
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

from aks_kaito.charts.names import CHARTS_FOLDER, CHAT_CHART
from aks_kaito.placement import Placement

_CHART = CHARTS_FOLDER / CHAT_CHART
# The annotation of the chart that has the address of this project's runbooks, and the one of Prometheus's rules.
_RUNBOOKS = "kaito-chat/runbooks"
_RUNBOOK = "runbook_url"
_INTERVAL = "PT1M"
# Time without the condition after which an alert is resolved.
_RESOLVED_AFTER = "PT5M"
# Azure numbers the severities from 0, critical, to 4.
_SEVERITIES = {"critical": 0, "warning": 2}
# At most twelve characters; every notification starts with it.
_SHORT_NAME = "kaito-chat"


class AlertRules(Construct):
    """Alert rules on an Azure Monitor workspace and the action group that they notify."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        placement: Placement,
        workspace_resource_id: str,
        email_addresses: Mapping[str, str],
        runbooks_url: str | None = None,
    ) -> None:
        """Define a rule group for each group of the file; without addresses, alerts are only visible in the portal.

        The rules link to the pages in `runbooks_url`, by default this project's.
        """
        super().__init__(scope, construct_id)
        actions = self._add_receivers(placement, email_addresses) if email_addresses else None
        runbooks = (runbooks_url or _parsed("Chart.yaml")["annotations"][_RUNBOOKS]).removesuffix("/")
        for group in _parsed("files/alerts.yaml")["groups"]:
            MonitorAlertPrometheusRuleGroup(
                self,
                group["name"],
                name=f"{group['name']}-{placement.names.cluster}",
                cluster_name=placement.names.cluster,
                interval=_INTERVAL,
                scopes=[workspace_resource_id],
                rule_group_enabled=True,
                rule=[_rule(rule, actions, f"{runbooks}/{rule['alert']}.md") for rule in group["rules"]],
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


@cache
def _parsed(name: str) -> dict[str, Any]:
    """Return a YAML file of the chart, which is the same for each environment."""
    found: dict[str, Any] = yaml.load((_CHART / name).read_text(encoding="utf-8"), yaml.CSafeLoader)
    return found


def _rule(
    rule: dict[str, Any], actions: list[MonitorAlertPrometheusRuleGroupRuleAction] | None, runbook: str
) -> MonitorAlertPrometheusRuleGroupRule:
    return MonitorAlertPrometheusRuleGroupRule(
        alert=rule["alert"],
        enabled=True,
        expression=rule["expr"],
        for_=f"PT{rule['for'].upper()}",
        severity=_SEVERITIES[rule["labels"]["severity"]],
        labels=rule["labels"],
        annotations=rule["annotations"] | {_RUNBOOK: runbook},
        action=actions,
        alert_resolution=MonitorAlertPrometheusRuleGroupRuleAlertResolution(
            auto_resolved=True, time_to_resolve=_RESOLVED_AFTER
        ),
    )
