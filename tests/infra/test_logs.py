"""Logs: each setting writes to tables of the resource's type, and the plan of each of the cluster's tables."""

from typing import Any

import pytest

from aks_kaito.settings import Environment
from support.environments import changed
from support.inventory import of_kind, paths
from support.project import ENVIRONMENTS

NAMES = [path.stem for path in ENVIRONMENTS]
# The table of each category of log of an AKS cluster.
TABLES = {"kube-audit": "AKSAudit", "kube-audit-admin": "AKSAuditAdmin"}
# The types of resources whose settings let Azure choose between their own tables and AzureDiagnostics.
SELECTABLE = {"azurerm_kubernetes_cluster", "azurerm_postgresql_flexible_server"}


@pytest.mark.parametrize("name", NAMES)
def test_logs_are_written_to_tables_of_their_type(name: str, stacks: dict[str, dict[str, Any]]) -> None:
    settings = of_kind(stacks[name], "azurerm_monitor_diagnostic_setting")
    assert len(settings) >= 12
    for setting in settings:
        assert setting["enabled_log"]
        assert setting["log_analytics_destination_type"] == "Dedicated"


@pytest.mark.parametrize("name", NAMES)
def test_only_a_choice_that_azure_keeps_is_compared(name: str, stacks: dict[str, dict[str, Any]]) -> None:
    for setting in of_kind(stacks[name], "azurerm_monitor_diagnostic_setting"):
        target = setting["target_resource_id"].removeprefix("${").partition(".")[0]
        ignored = setting.get("lifecycle", {}).get("ignore_changes", [])
        assert ignored == ([] if target in SELECTABLE else ["log_analytics_destination_type"]), target


def categories(document: dict[str, Any]) -> set[str]:
    """Return the categories of the cluster's logs."""
    setting = paths(document)["azurerm_monitor_diagnostic_setting:cluster/Diagnostics"]
    return {each["category"] for each in setting["enabled_log"]}


def test_the_audit_log_is_collected_once(
    stacks: dict[str, dict[str, Any]], environments: dict[str, Environment]
) -> None:
    assert "cluster_log_categories" not in environments["prod"].settings.monitoring.model_fields_set
    assert categories(stacks["prod"]) == {
        "kube-apiserver",
        "kube-audit-admin",
        "kube-controller-manager",
        "kube-scheduler",
        "cluster-autoscaler",
        "guard",
    }
    assert categories(stacks["dev"]) == {"kube-audit-admin", "cluster-autoscaler", "guard"}
    assert set(TABLES) <= categories(stacks["sample"])  # as the original does


def plans(document: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return plan, retention and total retention of each table."""
    keys = ("plan", "retention_in_days", "total_retention_in_days")
    tables = of_kind(document, "azurerm_log_analytics_workspace_table")
    assert {table["workspace_id"].partition(".")[0] for table in tables} == {"${azurerm_log_analytics_workspace"}
    return {table["name"]: tuple(table.get(key) for key in keys) for table in tables}


def test_tables_of_the_cluster_are_basic_and_keep_their_total_retention(stacks: dict[str, dict[str, Any]]) -> None:
    basic = ("Basic", None, 90)
    assert plans(stacks["prod"]) == {
        "AKSAudit": basic,
        "AKSAuditAdmin": basic,
        "AKSControlPlane": basic,
        "ContainerLogV2": ("Analytics", 90, 90),
    }
    assert plans(stacks["dev"])["AKSAuditAdmin"] == ("Basic", None, 30)


def test_a_table_returns_to_the_plan_analytics(environments: dict[str, Environment]) -> None:
    document = changed(environments, monitoring={"basic_log_tables": ["ContainerLogV2"], "log_retention_days": 60})
    assert plans(document) == {
        "AKSAudit": ("Analytics", 60, 60),
        "AKSAuditAdmin": ("Analytics", 60, 60),
        "AKSControlPlane": ("Analytics", 60, 60),
        "ContainerLogV2": ("Basic", None, 60),
    }


def test_the_recording_rules_tell_kinds_of_workloads_apart(stacks: dict[str, dict[str, Any]]) -> None:
    group = paths(stacks["dev"])["azurerm_monitor_alert_prometheus_rule_group:prometheus/kubernetes-rules"]
    owners = [rule for rule in group["rule"] if rule["record"] == "namespace_workload_pod:kube_pod_owner:relabel"]
    assert [rule["labels"] for rule in owners] == [
        {"workload_type": kind} for kind in ("deployment", "daemonset", "statefulset", "job")
    ]
    assert all("labels" not in rule for rule in group["rule"] if rule not in owners)


@pytest.mark.parametrize("name", NAMES)
def test_rule_groups_fit_azure(name: str, stacks: dict[str, dict[str, Any]]) -> None:
    groups = {group["name"]: group for group in of_kind(stacks[name], "azurerm_monitor_alert_prometheus_rule_group")}
    linux = {f"{kind}RecordingRulesRuleGroup-aks-" for kind in ("Kubernetes", "Node", "UX")}
    assert all(any(each.startswith(prefix) for each in groups) for prefix in linux)
    assert all(len(group["rule"]) <= 20 for group in groups.values())
