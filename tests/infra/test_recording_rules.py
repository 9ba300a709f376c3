"""Recording rules, evaluated by promtool: each group is valid, and its records have the right values and labels."""

import json
from pathlib import Path
from typing import Any

import pytest

from support.project import ROOT
from support.promtool import check_rules, run_rules

FOLDER = ROOT / "constructs" / "aks_kaito" / "monitoring" / "rule_groups"
# The labels and the value of each series of a record.
Expected = dict[str, list[tuple[str, float]]]
GROUPS = sorted(path.stem for path in FOLDER.glob("*.json"))
POD = 'namespace="chat",pod="chat-1",cluster="aks"'
NODE = 'job="node",instance="node-1",cluster="aks"'
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


def run(names: list[str], inputs: dict[str, str], expected: Expected, folder: Path) -> None:
    """Compare all records of some groups with the expected labels and values after ten minutes."""
    groups = [group(name) for name in names]
    assert set(expected) == {rule["record"] for each in groups for rule in each["rules"]}
    checks = [
        {
            "expr": f'{{__name__="{record}"}}',
            "eval_time": "10m",
            "exp_samples": [{"labels": f"{record}{{{labels}}}", "value": value} for labels, value in samples],
        }
        for record, samples in expected.items()
    ]
    series = [{"series": name, "values": values} for name, values in inputs.items()]
    run_rules(groups, [{"interval": "1m", "input_series": series, "promql_expr_test": checks}], folder)


@pytest.mark.parametrize("name", GROUPS)
def test_a_group_is_valid_and_has_no_duplicates(name: str, tmp_path: Path) -> None:
    check_rules([group(name)], tmp_path)


def owned(kind: str, pod: str, name: str) -> str:
    """Return the series that names the owner of a pod."""
    return (
        f'kube_pod_owner{{namespace="chat",cluster="aks",{KUBE},pod="{pod}",owner_kind="{kind}",owner_name="{name}"}}'
    )


def test_records_of_pods(tmp_path: Path) -> None:
    cadvisor = f'{POD},container="chat",image="chat:1",job="cadvisor"'
    resource = f'{POD},container="chat",{KUBE}'
    inputs = {
        INFO: "1x20",
        f"container_cpu_usage_seconds_total{{{cadvisor}}}": "0+30x20",
        f"container_memory_working_set_bytes{{{cadvisor}}}": "600x20",
        f"container_memory_rss{{{cadvisor}}}": "400x20",
        f"container_memory_cache{{{cadvisor}}}": "200x20",
        f"container_memory_swap{{{cadvisor}}}": "100x20",
        f'kube_pod_container_resource_requests{{{resource},resource="cpu"}}': "0.5x20",
        f'kube_pod_container_resource_requests{{{resource},resource="memory"}}': "1000x20",
        f'kube_pod_container_resource_limits{{{resource},resource="cpu"}}': "2x20",
        f'kube_pod_container_resource_limits{{{resource},resource="memory"}}': "4000x20",
        f'kube_pod_status_phase{{{POD},phase="Running"}}': "1x20",
        f'kube_pod_status_phase{{{POD},phase="Failed"}}': "0x20",
        owned("ReplicaSet", "web-5-x", "web-5"): "1x20",
        f'kube_replicaset_owner{{namespace="chat",replicaset="web-5",owner_name="web",{KUBE}}}': "1x20",
        owned("DaemonSet", "agent-x", "agent"): "1x20",
        owned("StatefulSet", "model-0", "model"): "1x20",
        owned("Job", "wait-x", "wait"): "1x20",
        f"node_memory_MemAvailable_bytes{{{NODE}}}": "250x20",
        f'node_cpu_seconds_total{{{NODE},cpu="0",mode="idle"}}': "0+45x20",
        f'node_cpu_seconds_total{{{NODE},cpu="0",mode="user"}}': "0+15x20",
    }
    placed, sums = f'{cadvisor},node="node-1"', 'cluster="aks",namespace="chat"'
    owners = [
        (f'cluster="aks",namespace="chat",pod="{pod}",workload="{workload}",workload_type="{kind}"', 1.0)
        for pod, workload, kind in (
            ("web-5-x", "web", "deployment"),
            ("agent-x", "agent", "daemonset"),
            ("model-0", "model", "statefulset"),
            ("wait-x", "wait", "job"),
        )
    ]
    of_container = "node_namespace_pod_container:container"
    expected: Expected = {
        f"{of_container}_cpu_usage_seconds_total:sum_irate": [(f'{POD},container="chat",node="node-1"', 0.5)],
        f"{of_container}_memory_working_set_bytes": [(placed, 600)],
        f"{of_container}_memory_rss": [(placed, 400)],
        f"{of_container}_memory_cache": [(placed, 200)],
        f"{of_container}_memory_swap": [(placed, 100)],
        "namespace_workload_pod:kube_pod_owner:relabel": owners,
        ":node_memory_MemAvailable_bytes:sum": [('cluster="aks"', 250)],
        "cluster:node_cpu:ratio_rate5m": [('cluster="aks"', 0.25)],
    }
    for kind, values in (("requests", (0.5, 1000)), ("limits", (2, 4000))):
        for unit, value in zip(("cpu", "memory"), values, strict=True):
            labels = f'{resource},resource="{unit}"'
            expected |= {
                f"cluster:namespace:pod_{unit}:active:kube_pod_container_resource_{kind}": [(labels, value)],
                f"namespace_{unit}:kube_pod_container_resource_{kind}:sum": [(sums, value)],
            }
    run(["kubernetes"], inputs, expected, tmp_path)


def test_records_of_nodes(tmp_path: Path) -> None:
    inputs = {
        f'node_cpu_seconds_total{{{NODE},cpu="0",mode="idle"}}': "0+45x20",
        f'node_cpu_seconds_total{{{NODE},cpu="0",mode="user"}}': "0+15x20",
        f"node_load1{{{NODE}}}": "3x20",
        f"node_memory_MemTotal_bytes{{{NODE}}}": "1000x20",
        f"node_memory_MemAvailable_bytes{{{NODE}}}": "250x20",
        f"node_vmstat_pgmajfault{{{NODE}}}": "0+60x20",
        f'node_disk_io_time_seconds_total{{{NODE},device="sda"}}': "0+30x20",
        f'node_disk_io_time_weighted_seconds_total{{{NODE},device="sda"}}': "0+15x20",
        f'node_network_receive_bytes_total{{{NODE},device="eth0"}}': "0+6000x20",
        f'node_network_receive_bytes_total{{{NODE},device="lo"}}': "0+60x20",
        f'node_network_transmit_bytes_total{{{NODE},device="eth0"}}': "0+12000x20",
        f'node_network_receive_drop_total{{{NODE},device="eth0"}}': "0+60x20",
        f'node_network_transmit_drop_total{{{NODE},device="eth0"}}': "0+120x20",
    }
    disk = f'{NODE},device="sda"'
    expected: Expected = {
        "instance:node_num_cpu:sum": [(NODE, 1)],
        "instance:node_cpu_utilisation:rate5m": [(NODE, 0.25)],
        "instance:node_load1_per_cpu:ratio": [(NODE, 3)],
        "instance:node_memory_utilisation:ratio": [(NODE, 0.75)],
        "instance:node_vmstat_pgmajfault:rate5m": [(NODE, 1)],
        "instance_device:node_disk_io_time_seconds:rate5m": [(disk, 0.5)],
        "instance_device:node_disk_io_time_weighted_seconds:rate5m": [(disk, 0.25)],
        "instance:node_network_receive_bytes_excluding_lo:rate5m": [(NODE, 100)],
        "instance:node_network_transmit_bytes_excluding_lo:rate5m": [(NODE, 200)],
        "instance:node_network_receive_drop_excluding_lo:rate5m": [(NODE, 1)],
        "instance:node_network_transmit_drop_excluding_lo:rate5m": [(NODE, 2)],
    }
    run(["node"], inputs, expected, tmp_path)


def test_the_portals_records_of_pods_and_nodes(tmp_path: Path) -> None:
    node = f'{NODE},microsoft_resourceid="{RESOURCE}"'
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
    single: dict[str, tuple[str, float]] = {
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
    run(["ux"], inputs, {record: [sample] for record, sample in single.items()}, tmp_path)


def test_records_of_windows_nodes(tmp_path: Path) -> None:
    names = {
        "system_boot_time_timestamp_seconds": "1700000000x20",
        "os_visible_memory_bytes": "1000x20",
        "memory_available_bytes": "400x20",
        "memory_cache_bytes": "10x20",
        "memory_modified_page_list_bytes": "20x20",
        "memory_standby_cache_core_bytes": "30x20",
        "memory_standby_cache_normal_priority_bytes": "40x20",
        "memory_standby_cache_reserve_bytes": "50x20",
        "memory_swap_page_operations_total": "0+60x20",
    }
    inputs = {f"windows_{name}{{{WINDOWS}}}": values for name, values in names.items()}
    inputs |= {
        f'windows_cpu_time_total{{{WINDOWS},core="0,0",mode="idle"}}': "0+45x20",
        f'windows_cpu_time_total{{{WINDOWS},core="0,0",mode="user"}}': "0+15x20",
        f'windows_logical_disk_read_seconds_total{{{WINDOWS},volume="C:"}}': "0+15x20",
        f'windows_logical_disk_write_seconds_total{{{WINDOWS},volume="C:"}}': "0+30x20",
    }
    node = 'instance="win-1"'
    cluster: dict[str, float] = {
        "node:windows_node:sum": 1,
        ":windows_node_cpu_utilisation:avg5m": 0.25,
        ":windows_node_memory_utilisation:": 0.6,
        ":windows_node_memory_MemFreeCached_bytes:sum": 410,
        ":windows_node_memory_MemTotal_bytes:sum": 1000,
        ":windows_node_disk_utilisation:avg_irate": 0.75,
    }
    nodes: dict[str, float] = {
        "node:windows_node_num_cpu:sum": 1,
        "node:windows_node_cpu_utilisation:avg5m": 0.25,
        "node:windows_node_memory_bytes_available:sum": 400,
        "node:windows_node_memory_bytes_total:sum": 1000,
        "node:windows_node_memory_utilisation:ratio": 0.6,
        "node:windows_node_memory_utilisation:": 0.6,
        "node:windows_node_disk_utilisation:avg_irate": 0.75,
    }
    expected: Expected = {record: [("", value)] for record, value in cluster.items()}
    expected |= {record: [(node, value)] for record, value in nodes.items()}
    expected |= {
        "node:windows_node_memory_totalCached_bytes:sum": [(WINDOWS, 150)],
        "node:windows_node_memory_swap_io_pages:irate": [(WINDOWS, 1)],
    }
    run(["node-windows"], inputs, expected, tmp_path)


def test_records_of_windows_pods(tmp_path: Path) -> None:
    usage = {
        "available": "1x20",
        "cpu_usage_seconds_total": "0+30x20",
        "memory_usage_commit_bytes": "700x20",
        "memory_usage_private_working_set_bytes": "600x20",
        "network_receive_bytes_total": "800x20",
        "network_transmit_bytes_total": "900x20",
    }
    inputs = {f"windows_container_{name}{{{WINDOWS},{CONTAINER}}}": values for name, values in usage.items()}
    inputs |= {
        f'windows_logical_disk_size_bytes{{{WINDOWS},volume="C:"}}': "100x20",
        f'windows_logical_disk_free_bytes{{{WINDOWS},volume="C:"}}': "25x20",
        f'windows_net_bytes_total{{{WINDOWS},nic="eth"}}': "0+6000x20",
        f'windows_net_packets_received_discarded_total{{{WINDOWS},nic="eth"}}': "0+60x20",
        f'windows_net_packets_outbound_discarded_total{{{WINDOWS},nic="eth"}}': "0+120x20",
        f'kube_pod_container_info{{{POD},container="chat",{CONTAINER},{KUBE}}}': "1x20",
    }
    for kind, cpu, memory in (("requests", 0.5, 1000), ("limits", 2, 4000)):
        of = f'{POD},container="chat",{KUBE}'
        inputs[f'kube_pod_container_resource_{kind}{{{of},resource="cpu"}}'] = f"{cpu}x20"
        inputs[f'kube_pod_container_resource_{kind}{{{of},resource="memory"}}'] = f"{memory}x20"
    node, volume = 'instance="win-1"', 'instance="win-1",volume="C:"'
    name = 'container="chat",namespace="chat",pod="chat-1"'
    one = f"{WINDOWS},{CONTAINER},{name}"
    resource = "kube_pod_windows_container_resource"
    expected: Expected = {
        "node:windows_node_filesystem_usage:": [(volume, 0.75)],
        "node:windows_node_filesystem_avail:": [(volume, 0.25)],
        ":windows_node_net_utilisation:sum_irate": [("", 100)],
        "node:windows_node_net_utilisation:sum_irate": [(node, 100)],
        ":windows_node_net_saturation:sum_irate": [("", 3)],
        "node:windows_node_net_saturation:sum_irate": [(node, 3)],
        "windows_pod_container_available": [(one, 1)],
        "windows_container_total_runtime": [(one, 300)],
        "windows_container_memory_usage": [(one, 700)],
        "windows_container_private_working_set_usage": [(one, 600)],
        "windows_container_network_received_bytes_total": [(one, 800)],
        "windows_container_network_transmitted_bytes_total": [(one, 900)],
        f"{resource}_memory_request": [(name, 1000)],
        f"{resource}_memory_limit": [(name, 4000)],
        f"{resource}_cpu_cores_request": [(name, 0.5)],
        f"{resource}_cpu_cores_limit": [(name, 2)],
        "namespace_pod_container:windows_container_cpu_usage_seconds_total:sum_rate": [(name, 0.5)],
    }
    run(["node-and-kubernetes-windows"], inputs, expected, tmp_path)


def test_the_portals_records_of_windows(tmp_path: Path) -> None:
    ux = f'{WINDOWS},microsoft_resourceid="{RESOURCE}"'
    inputs = {
        INFO: "1x20",
        f'windows_cpu_time_total{{{ux},core="0,0",mode="idle"}}': "0+45x20",
        f"windows_os_visible_memory_bytes{{{ux}}}": "1000x20",
        f"windows_memory_available_bytes{{{ux}}}": "400x20",
        f'windows_net_packets_received_discarded_total{{{ux},nic="eth"}}': "0+60x20",
        f'windows_net_packets_outbound_discarded_total{{{ux},nic="eth"}}': "0+120x20",
        f"windows_container_cpu_usage_seconds_total{{{ux},{CONTAINER}}}": "0+30x20",
        f"windows_container_memory_usage_private_working_set_bytes{{{ux},{CONTAINER}}}": "600x20",
        f'kube_pod_container_info{{{UX_POD},container="chat",{CONTAINER},{KUBE}}}': "1x20",
    }
    machine = f'cluster="aks",instance="win-1",microsoft_resourceid="{RESOURCE}"'
    where = f'{OWNER},namespace="chat",node="node-1"'
    pod = f'{where},pod="chat-1"'
    expected: Expected = {
        "ux:pod_cpu_usage_windows:sum_irate": [(pod, 0.5)],
        "ux:controller_cpu_usage_windows:sum_irate": [(where, 0.5)],
        "ux:pod_workingset_memory_windows:sum": [(pod, 600)],
        "ux:controller_workingset_memory_windows:sum": [(where, 600)],
        "ux:node_cpu_usage_windows:sum_irate": [(machine, 0.25)],
        "ux:node_memory_usage_windows:sum": [(machine, 600)],
        "ux:node_network_packets_received_drop_total_windows:sum_irate": [(machine, 1)],
        "ux:node_network_packets_outbound_drop_total_windows:sum_irate": [(machine, 2)],
    }
    run(["ux-windows"], inputs, expected, tmp_path)
