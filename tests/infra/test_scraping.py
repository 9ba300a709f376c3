"""Scraping: jobs and monitors select existing pods or Services, and network policies admit Prometheus."""

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from aks_kaito.charts import theirs
from aks_kaito.monitoring import scraping
from aks_kaito.settings import Environment, Settings
from support.environments import altered
from support.network import AGENT, MANAGEMENT, Peer, admits
from support.project import ENVIRONMENTS
from support.rendered import chat_objects, cluster_objects, release, values_of
from support.rendering import CHART, Object, one
from support.stacks import synthesized
from support.validation import check_core, check_custom

NAMES = [path.stem for path in ENVIRONMENTS]


class Pod(NamedTuple):
    """Pod as Prometheus's service discovery sees it."""

    namespace: str
    labels: dict[str, str]
    ports: set[int]


# Container ports of other projects' charts at their pinned versions, from their templates; check them when a version
# changes. Both charts label their pods with the names of chart and release.
THEIRS: dict[tuple[str, str], Callable[[dict[str, Any]], set[int]]] = {
    ("cert-manager", "v1.21.1"): lambda values: {9402} if values.get("prometheus", {}).get("enabled", True) else set(),
    ("nginx-ingress", "2.6.4"): lambda values: (
        {80, 443, 8081} | ({values["prometheus"]["port"]} if values["prometheus"]["create"] else set())
    ),
}
# Ports that Istio's template for Gateways declares.
GATEWAY_PORTS = {15020, 15021, 15090}


def data_of(document: dict[str, Any], name: str) -> dict[str, str]:
    """Return the data of a ConfigMap of the metrics add-on."""
    maps = document["resource"]["kubernetes_config_map_v1"].values()
    (found,) = [each for each in maps if each["metadata"]["name"] == name]
    assert found["metadata"]["namespace"] == "kube-system"
    return dict(found["data"])


def jobs_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the scrape jobs of managed Prometheus."""
    config = json.loads(data_of(document, "ama-metrics-prometheus-config")["prometheus-config"])
    return list(config["scrape_configs"])


def pods_of(document: dict[str, Any]) -> list[Pod]:
    """Return the pods that serve metrics and have no monitor in `charts/kaito-chat`."""
    found = []
    for each in document["resource"]["helm_release"].values():
        if ports := THEIRS.get((each["chart"], each.get("version", ""))):
            labels = {"app.kubernetes.io/name": each["chart"], "app.kubernetes.io/instance": each["name"]}
            found.append(Pod(each["namespace"], labels, ports(values_of(document, each["name"]))))
    for gateway in [each["metadata"] for each in cluster_objects(document) if each["kind"] == "Gateway"]:
        labels = {"gateway.networking.k8s.io/gateway-name": gateway["name"]}
        found.append(Pod(gateway["namespace"], labels, GATEWAY_PORTS))
    return found


def kept(job: dict[str, Any], pod: Pod) -> bool:
    """Return whether the relabeling rules of a job keep one of a pod's ports."""
    (discovery,) = job["kubernetes_sd_configs"]
    if discovery["role"] != "pod" or pod.namespace not in discovery["namespaces"]["names"]:
        return False
    labels = {
        f"__meta_kubernetes_pod_label_{re.sub(r'[^a-zA-Z0-9]', '_', key)}": value for key, value in pod.labels.items()
    }
    keeps = [rule for rule in job["relabel_configs"] if rule.get("action") == "keep"]
    targets = [labels | {"__meta_kubernetes_pod_container_port_number": str(port)} for port in pod.ports]
    return any(
        all(re.fullmatch(rule["regex"], target.get(rule["source_labels"][0], "")) for rule in keeps)
        for target in targets
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_job_selects_pods_and_each_pod_has_one_job(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    jobs, pods = jobs_of(workloads[name]), pods_of(workloads[name])
    assert jobs
    for job in jobs:
        assert any(kept(job, pod) for pod in pods), job["job_name"]
    for pod in pods:
        assert sum(kept(job, pod) for job in jobs) == 1, pod


@pytest.mark.parametrize("in_cluster", [True, False])
def test_monitors_of_the_controllers_come_with_their_services(
    in_cluster: bool,  # noqa: FBT001  (the value of a setting)
    environments: dict[str, Environment],
) -> None:
    environment = altered(environments["dev"], workloads={"kube_prometheus_stack_enabled": in_cluster})
    document = synthesized(environment, "workloads")
    nginx, certificates = (values_of(document, name)["prometheus"] for name in ("nginx-ingress", "cert-manager"))
    assert nginx["create"] is True
    assert nginx["service"]["create"] == nginx["serviceMonitor"]["create"] == in_cluster
    # cert-manager's chart always has a Service.
    assert certificates["servicemonitor"]["enabled"] == in_cluster


def test_the_job_of_the_original_sample_selects_nothing() -> None:
    job = scraping.Job("nginx", "ingress-basic", ("app.kubernetes.io/instance", "nginx-ingress"), 10254)
    pod = Pod("ingress-basic", {"app.kubernetes.io/instance": "ingress-nginx"}, {10254})
    assert not kept(job.config(), pod)


def test_known_ports_are_those_of_the_pinned_versions() -> None:
    known = {(chart.name, chart.version) for chart in (theirs.CERT_MANAGER, theirs.NGINX)}
    assert known == set(THEIRS)


@pytest.mark.parametrize("name", NAMES)
def test_monitors_select_the_pods_of_the_release(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    objects = chat_objects(workloads[name])
    monitors = {each["metadata"]["name"]: each["spec"] for each in objects if each["kind"] == "PodMonitor"}
    deployment, workspace = one(objects, "Deployment"), one(objects, "Workspace")["metadata"]["name"]
    assert set(monitors) == {deployment["metadata"]["name"], workspace}
    chat, pods = monitors[deployment["metadata"]["name"]], deployment["spec"]["template"]
    assert chat["selector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    ports = {port["name"] for port in pods["spec"]["containers"][0]["ports"]}
    assert {each["port"] for each in chat["podMetricsEndpoints"]} <= ports
    assert monitors[workspace]["selector"]["matchLabels"] == {"kaito.sh/workspace": workspace}


def test_app_routings_nginx_is_found_by_its_annotations(workloads: dict[str, dict[str, Any]]) -> None:
    key = "pod-annotation-based-scraping"
    of = {name: data_of(each, "ama-metrics-settings-configmap")[key] for name, each in workloads.items()}
    assert of["sample"] == 'podannotationnamespaceregex = "app-routing-system"'
    assert of["dev"] == 'podannotationnamespaceregex = ""'


def test_every_gpu_metric_of_the_chart_is_kept(workloads: dict[str, dict[str, Any]]) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (CHART / "files").rglob("*") if path.is_file()]
    asked = {name for text in texts for name in re.findall(r"DCGM_\w+", text)}
    assert set(scraping.GPU_METRICS) == asked
    settings = data_of(workloads["dev"], "ama-metrics-settings-configmap")
    (kept_list,) = re.findall(r'^dcgmexporter = "(.*)"$', settings["default-targets-metrics-keep-list"], re.MULTILINE)
    assert set(kept_list.split("|")) == asked
    assert settings["default-scrape-settings-enabled"] == "dcgmexporter = true"


def test_the_exporter_of_gpu_metrics_is_an_option(
    environments: dict[str, Environment], workloads: dict[str, dict[str, Any]]
) -> None:
    assert not [each for each in chat_objects(workloads["dev"]) if each["kind"] == "DaemonSet"]
    environment = altered(environments["dev"], monitoring={"gpu_exporter_enabled": True})
    objects = chat_objects(synthesized(environment, "workloads"))
    pods = one(objects, "DaemonSet")["spec"]["template"]
    assert pods["spec"]["nodeSelector"] == {"kaito.sh/machine-type": "gpu"}
    (monitor,) = [
        each for each in objects if each["kind"] == "PodMonitor" and each["metadata"]["name"].endswith("-gpu-exporter")
    ]
    assert monitor["apiVersion"] == "azmonitoring.coreos.com/v1"
    assert monitor["spec"]["selector"]["matchLabels"].items() <= pods["metadata"]["labels"].items()
    check_core(objects, "1.35")
    check_custom(objects)


@pytest.fixture(scope="module")
def in_cluster(environments: dict[str, Environment]) -> dict[str, Any]:
    """Return the workloads stack of dev with a Prometheus in the cluster."""
    data = environments["dev"].settings.model_dump(mode="json", exclude_none=True)
    data["workloads"]["kube_prometheus_stack_enabled"] = True
    return synthesized(Environment("dev", Settings.model_validate(data)), "workloads")


def test_a_prometheus_in_the_cluster_is_installed_first_and_gets_monitors_and_rules(in_cluster: dict[str, Any]) -> None:
    releases = in_cluster["resource"]["helm_release"]
    (address,) = [f"helm_release.{key}" for key, each in releases.items() if each["name"] == "kube-prometheus-stack"]
    for name in ("cert-manager", "nginx-ingress", "kaito-chat", "kaito-cluster"):
        assert address in release(in_cluster, name)["depends_on"]
    objects = chat_objects(in_cluster)
    check_core(objects, "1.35")
    groups = {(each["kind"], each["apiVersion"].partition("/")[0]) for each in objects}
    assert {("PodMonitor", "monitoring.coreos.com"), ("PodMonitor", "azmonitoring.coreos.com")} <= groups
    assert ("PrometheusRule", "monitoring.coreos.com") in groups
    check_custom(objects)


def sidecar_takes(values: dict[str, Any], each: Object) -> bool:
    """Return whether Grafana's sidecar loads a ConfigMap."""
    wanted = values["grafana"]["sidecar"]["dashboards"]
    assert wanted["searchNamespace"] == "ALL"
    return bool(each["metadata"]["labels"].get(wanted["label"]) == wanted["labelValue"])


def test_grafana_in_the_cluster_loads_the_dashboards(in_cluster: dict[str, Any]) -> None:
    values = values_of(in_cluster, "kube-prometheus-stack")
    maps = [each for each in chat_objects(in_cluster) if each["kind"] == "ConfigMap"]
    loaded = {each["metadata"]["name"].rpartition("-")[2] for each in maps if sidecar_takes(values, each)}
    assert loaded == {path.stem for path in (CHART / "files" / "dashboards").glob("*.json")}


def test_prometheus_in_the_cluster_may_scrape_the_chat(in_cluster: dict[str, Any]) -> None:
    namespace = release(in_cluster, "kube-prometheus-stack")["namespace"]
    prometheus = Peer(namespace, {"app.kubernetes.io/name": "prometheus"})
    assert admits(chat_objects(in_cluster), prometheus, MANAGEMENT)
    values = values_of(in_cluster, "kube-prometheus-stack")
    spec = values["prometheus"]["prometheusSpec"]
    assert spec["podMonitorSelectorNilUsesHelmValues"] is False
    assert spec["serviceMonitorSelectorNilUsesHelmValues"] is False
    assert values_of(in_cluster, "nginx-ingress")["prometheus"]["serviceMonitor"] == {"create": True}
    assert values_of(in_cluster, "cert-manager")["prometheus"]["servicemonitor"] == {"enabled": True}


@pytest.mark.parametrize("name", NAMES)
def test_managed_prometheus_may_scrape_the_chat(name: str, workloads: dict[str, dict[str, Any]]) -> None:
    assert admits(chat_objects(workloads[name]), AGENT, MANAGEMENT)


def test_grafanas_password_is_generated_in_the_cluster(in_cluster: dict[str, Any]) -> None:
    assert values_of(in_cluster, "kube-prometheus-stack")["grafana"]["adminPassword"] is None
    assert "prom-operator" not in json.dumps(in_cluster)
