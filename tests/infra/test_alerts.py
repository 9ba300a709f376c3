"""Alert rules: those of the chart, unchanged, as rules of Azure Monitor, and their receivers."""

from typing import Any

import pytest
import yaml

from aks_kaito.settings import Environment, Settings
from support.inventory import of_kind
from support.project import ENVIRONMENTS
from support.rendering import CHART
from support.stacks import synthesized

RUNBOOKS = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))["annotations"]["kaito-chat/runbooks"]
RULES = yaml.safe_load((CHART / "files" / "alerts.yaml").read_text(encoding="utf-8"))["groups"]


def workloads_with(environments: dict[str, Environment], **keys: object) -> dict[str, Any]:
    """Return the workloads stack of dev with some keys of `[monitoring]` changed."""
    data = environments["dev"].settings.model_dump(mode="json", exclude_none=True)
    data["monitoring"] |= keys
    return synthesized(Environment("dev", Settings.model_validate(data)), "workloads")


@pytest.mark.parametrize("name", [path.stem for path in ENVIRONMENTS])
def test_every_rule_of_the_chart_is_there(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    found = of_kind(workloads[name], "azurerm_monitor_alert_prometheus_rule_group")
    assert len(found) == len(RULES)
    for group, ours in zip(found, RULES, strict=True):
        assert group["cluster_name"].startswith("aks-")
        assert group["scopes"] == ["${data.azurerm_monitor_workspace.metrics.id}"]
        # Azure accepts at most twenty rules in a group.
        assert len(group["rule"]) == len(ours["rules"]) <= 20
        for rule, source in zip(group["rule"], ours["rules"], strict=True):
            assert rule["expression"] == source["expr"]
            assert rule["for"] == f"PT{source['for'].upper()}"
            runbook = {"runbook_url": f"{RUNBOOKS}/{source['alert']}.md"}
            assert (rule["alert"], rule["annotations"]) == (source["alert"], source["annotations"] | runbook)
            assert rule["severity"] == {"critical": 0, "warning": 2}[source["labels"]["severity"]]
            assert rule["enabled"] is True
            assert "action" not in rule


def test_every_alert_notifies_the_addresses(environments: dict[str, Environment]) -> None:
    document = workloads_with(environments, alert_email_addresses={"operators": "operators@contoso.com"})
    (receivers,) = of_kind(document, "azurerm_monitor_action_group")
    assert [(each["name"], each["email_address"]) for each in receivers["email_receiver"]] == [
        ("operators", "operators@contoso.com")
    ]
    assert len(receivers["short_name"]) <= 12
    (group,) = of_kind(document, "azurerm_monitor_alert_prometheus_rule_group")
    (address,) = document["resource"]["azurerm_monitor_action_group"]
    for rule in group["rule"]:
        assert [each["action_group_id"] for each in rule["action"]] == [
            f"${{azurerm_monitor_action_group.{address}.id}}"
        ]


@pytest.mark.parametrize("ending", ["", "/"])
def test_alerts_link_to_the_runbooks_of_a_mirror(environments: dict[str, Environment], ending: str) -> None:
    address = "https://dev.azure.com/contoso/platform/_git/aks-kaito?path=/docs/runbooks"
    document = workloads_with(environments, runbooks_url=f"{address}{ending}")
    (group,) = of_kind(document, "azurerm_monitor_alert_prometheus_rule_group")
    links = [rule["annotations"]["runbook_url"] for rule in group["rule"]]
    assert links == [f"{address}/{rule['alert']}.md" for rule in RULES[0]["rules"]]


def test_alerts_can_be_left_out(environments: dict[str, Environment]) -> None:
    document = workloads_with(environments, alerts_enabled=False)
    assert not of_kind(document, "azurerm_monitor_alert_prometheus_rule_group")
    assert "azurerm_monitor_workspace" not in document["data"]
