"""Recording rules, evaluated by promtool: each group is valid, and its records have the right values and labels."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.project import ROOT
from support.promtool import check_rules, run_rules

FOLDER = ROOT / "constructs" / "aks_kaito" / "monitoring" / "rule_groups"
GROUPS = sorted(path.stem for path in FOLDER.glob("*.json"))
POD = 'namespace="chat",pod="chat-1",cluster="aks"'
KUBE = 'job="kube-state-metrics"'
RESOURCE = "/subscriptions/1/aks"
INFO = (
    f'kube_pod_info{{{POD},node="node-1",created_by_kind="ReplicaSet",created_by_name="chat",{KUBE},'
    f'microsoft_resourceid="{RESOURCE}"}}'
)
UX_POD = f'{POD},microsoft_resourceid="{RESOURCE}"'
OWNER = f'cluster="aks",created_by_kind="ReplicaSet",created_by_name="chat",microsoft_resourceid="{RESOURCE}"'
WINDOWS = 'job="windows-exporter",instance="win-1",cluster="aks"'
CONTAINER = 'container_id="containerd://1"'


def group(name: str) -> dict[str, Any]:
    """Return a rule group in Prometheus's own form."""
    data = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    rules = [
        {"record": rule["record"], "expr": rule["expression"], "labels": rule.get("labels", {})}
        for rule in data["rules"]
    ]
    return {"name": data["name"], "rules": rules}


def series(**inputs: str) -> list[dict[str, str]]:
    """Return input series of a unit test."""
    return [{"series": name, "values": values} for name, values in inputs.items()]


def sampled(expression: str, *expected: tuple[str, float], at: str = "10m") -> dict[str, Any]:
    """Return a check of an expression against labels and values."""
    return {
        "expr": expression,
        "eval_time": at,
        "exp_samples": [{"labels": labels, "value": value} for labels, value in expected],
    }


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_valid_and_has_no_duplicates(name: str, tmp_path: Path) -> None:
    check_rules([group(name)], tmp_path)


def test_workloads_are_told_apart_by_their_type(tmp_path: Path) -> None:
    owner = f'kube_pod_owner{{namespace="chat",cluster="aks",{KUBE},'
    inputs = {
        owner + 'pod="web-5-x",owner_kind="ReplicaSet",owner_name="web-5"}': "1x20",
        f'kube_replicaset_owner{{namespace="chat",replicaset="web-5",owner_name="web",{KUBE}}}': "1x20",
        owner + 'pod="agent-x",owner_kind="DaemonSet",owner_name="agent"}': "1x20",
        owner + 'pod="model-0",owner_kind="StatefulSet",owner_name="model"}': "1x20",
        owner + 'pod="wait-x",owner_kind="Job",owner_name="wait"}': "1x20",
    }
    record = "namespace_workload_pod:kube_pod_owner:relabel"
    expected = [
        (f'{record}{{cluster="aks",namespace="chat",pod="{pod}",workload="{workload}",workload_type="{kind}"}}', 1)
        for pod, workload, kind in (
            ("web-5-x", "web", "deployment"),
            ("agent-x", "agent", "daemonset"),
            ("model-0", "model", "statefulset"),
            ("wait-x", "wait", "job"),
        )
    ]
    test = {"interval": "1m", "input_series": series(**inputs), "promql_expr_test": [sampled(record, *expected)]}
    run_rules([group("kubernetes")], [test], tmp_path)


def test_nodes_and_requests(tmp_path: Path) -> None:
    node = 'job="node",instance="node-1",cluster="aks"'
    inputs = {
        f'node_cpu_seconds_total{{{node},cpu="0",mode="idle"}}': "0+45x20",
        f'node_cpu_seconds_total{{{node},cpu="0",mode="user"}}': "0+15x20",
        f"node_memory_MemTotal_bytes{{{node}}}": "1000x20",
        f"node_memory_MemAvailable_bytes{{{node}}}": "250x20",
        f'kube_pod_container_resource_requests{{{POD},container="chat",resource="cpu",{KUBE}}}': "0.5x20",
        f'kube_pod_status_phase{{{POD},phase="Running"}}': "1x20",
    }
    checks = [
        sampled("instance:node_num_cpu:sum", (f"instance:node_num_cpu:sum{{{node}}}", 1)),
        sampled("instance:node_cpu_utilisation:rate5m", (f"instance:node_cpu_utilisation:rate5m{{{node}}}", 0.25)),
        sampled("instance:node_memory_utilisation:ratio", (f"instance:node_memory_utilisation:ratio{{{node}}}", 0.75)),
        sampled("cluster:node_cpu:ratio_rate5m", ('cluster:node_cpu:ratio_rate5m{cluster="aks"}', 0.25)),
        sampled(
            "namespace_cpu:kube_pod_container_resource_requests:sum",
            ('namespace_cpu:kube_pod_container_resource_requests:sum{cluster="aks",namespace="chat"}', 0.5),
        ),
    ]
    test = {"interval": "1m", "input_series": series(**inputs), "promql_expr_test": checks}
    run_rules([group("node"), group("kubernetes")], [test], tmp_path)


def test_the_portals_records_of_pods_and_nodes(tmp_path: Path) -> None:
    node = f'job="node",instance="node-1",cluster="aks",microsoft_resourceid="{RESOURCE}"'
    cadvisor = f'{UX_POD},container="chat",job="cadvisor"'
    inputs = {
        INFO: "1x20",
        f"container_cpu_usage_seconds_total{{{cadvisor}}}": "0+30x20",
        f"container_memory_working_set_bytes{{{cadvisor}}}": "600x20",
        f"container_memory_rss{{{cadvisor}}}": "400x20",
        f'kube_pod_container_info{{{UX_POD},container="chat",container_id="containerd://1",{KUBE}}}': "1x20",
        f'kube_pod_container_status_restarts_total{{{UX_POD},container="chat",{KUBE}}}': "3x20",
        f'kube_pod_container_resource_limits{{{UX_POD},container="chat",resource="memory",{KUBE}}}': "1000x20",
        f'kube_pod_status_phase{{{UX_POD},phase="Running",{KUBE}}}': "1x20",
        f"node_memory_MemTotal_bytes{{{node}}}": "1000x20",
        f"node_memory_MemFree_bytes{{{node}}}": "300x20",
        f"node_memory_Cached_bytes{{{node}}}": "150x20",
        f"node_memory_Buffers_bytes{{{node}}}": "50x20",
        f'node_cpu_seconds_total{{{node},cpu="0",mode="idle"}}': "0+45x20",
        f'node_network_receive_drop_total{{{node},device="eth0"}}': "0+60x20",
        f'node_network_transmit_drop_total{{{node},device="eth0"}}': "0+120x20",
    }
    where = f'{OWNER},namespace="chat",node="node-1"'
    machine = f'cluster="aks",instance="node-1",microsoft_resourceid="{RESOURCE}"'
    pod = f'{where},pod="chat-1"'
    expected: dict[str, tuple[str, float]] = {
        "ux:pod_cpu_usage:sum_irate": (pod, 0.5),
        "ux:controller_cpu_usage:sum_irate": (where, 0.5),
        "ux:pod_workingset_memory:sum": (pod, 600),
        "ux:controller_workingset_memory:sum": (where, 600),
        "ux:pod_rss_memory:sum": (pod, 400),
        "ux:controller_rss_memory:sum": (where, 400),
        "ux:pod_container_count:sum": (pod, 1),
        "ux:controller_container_count:sum": (where, 1),
        "ux:pod_container_restarts:max": (pod, 3),
        "ux:controller_container_restarts:max": (where, 3),
        "ux:pod_resource_limit:sum": (f'{pod},resource="memory"', 1000),
        "ux:controller_resource_limit:sum": (f'{where},resource="memory"', 1000),
        "ux:controller_pod_phase_count:sum": (f'{where},phase="Running"', 1),
        "ux:cluster_pod_phase_count:sum": (
            f'cluster="aks",microsoft_resourceid="{RESOURCE}",namespace="chat",node="node-1",phase="Running"',
            1,
        ),
        "ux:node_cpu_usage:sum_irate": (machine, 0.25),
        "ux:node_memory_usage:sum": (machine, 500),
        "ux:node_network_receive_drop_total:sum_irate": (machine, 1),
        "ux:node_network_transmit_drop_total:sum_irate": (machine, 2),
    }
    assert set(expected) == {rule["record"] for rule in group("ux")["rules"]}
    checks = [sampled(record, (f"{record}{{{labels}}}", value)) for record, (labels, value) in expected.items()]
    test = {"interval": "1m", "input_series": series(**inputs), "promql_expr_test": checks}
    run_rules([group("ux")], [test], tmp_path)


def test_records_of_windows_nodes(tmp_path: Path) -> None:
    ux = f'{WINDOWS},microsoft_resourceid="{RESOURCE}"'
    inputs = {
        INFO: "1x20",
        f"windows_system_boot_time_timestamp_seconds{{{ux}}}": "1700000000x20",
        f'windows_cpu_time_total{{{ux},core="0,0",mode="idle"}}': "0+45x20",
        f"windows_os_visible_memory_bytes{{{ux}}}": "1000x20",
        f"windows_memory_available_bytes{{{ux}}}": "400x20",
        f"windows_container_cpu_usage_seconds_total{{{ux},{CONTAINER}}}": "0+30x20",
        f"windows_container_available{{{ux},{CONTAINER}}}": "1x20",
        f"windows_container_memory_usage_private_working_set_bytes{{{ux},{CONTAINER}}}": "600x20",
        f'kube_pod_container_info{{{UX_POD},container="chat",{CONTAINER},{KUBE}}}': "1x20",
    }
    machine = f'cluster="aks",instance="win-1",microsoft_resourceid="{RESOURCE}"'
    pod = f'{OWNER},namespace="chat",node="node-1",pod="chat-1"'
    cpu = "namespace_pod_container:windows_container_cpu_usage_seconds_total:sum_rate"
    checks = [
        sampled("node:windows_node:sum", ("node:windows_node:sum", 1)),
        sampled(":windows_node_cpu_utilisation:avg5m", (":windows_node_cpu_utilisation:avg5m", 0.25)),
        sampled(
            "node:windows_node_memory_utilisation:", ('node:windows_node_memory_utilisation:{instance="win-1"}', 0.6)
        ),
        sampled("ux:node_cpu_usage_windows:sum_irate", (f"ux:node_cpu_usage_windows:sum_irate{{{machine}}}", 0.25)),
        sampled("ux:node_memory_usage_windows:sum", (f"ux:node_memory_usage_windows:sum{{{machine}}}", 600)),
        sampled("ux:pod_cpu_usage_windows:sum_irate", (f"ux:pod_cpu_usage_windows:sum_irate{{{pod}}}", 0.5)),
        sampled("ux:pod_workingset_memory_windows:sum", (f"ux:pod_workingset_memory_windows:sum{{{pod}}}", 600)),
        sampled(
            cpu,
            (f'{cpu}{{container="chat",namespace="chat",pod="chat-1"}}', 0.5),
        ),
    ]
    test = {"interval": "1m", "input_series": series(**inputs), "promql_expr_test": checks}
    groups = [group(name) for name in ("node-windows", "node-and-kubernetes-windows", "ux-windows")]
    run_rules(groups, [test], tmp_path)
