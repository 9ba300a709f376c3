"""NVIDIA's exporter: on KAITO's nodes only, without privileges, scraped under the node's name by Prometheus alone."""

import csv
import json
import re
from typing import Any

import pytest

from support.network import AGENT, NEIGHBOUR, STRANGER
from support.rendering import CHART, Object, RenderError, at, default, one, render
from support.validation import check_core, check_custom, restricted

NAME = "demo-gpu-exporter"
ON = (at("monitoring.gpuExporter.enabled", value=True), at("monitoring.azureMonitor", value=True))


def exporter(*changes: dict[str, Any]) -> list[Object]:
    """Return the objects of the exporter."""
    return [each for each in render(default(*ON, *changes)) if each["metadata"]["name"] == NAME]


def pod(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return the specification of its pods."""
    spec: dict[str, Any] = one(exporter(*changes), "DaemonSet")["spec"]["template"]["spec"]
    return spec


def container(*changes: dict[str, Any]) -> dict[str, Any]:
    """Return its container."""
    (found,) = pod(*changes)["containers"]
    return dict(found)


def test_it_is_off_by_default() -> None:
    assert not [each for each in render() if "gpu-exporter" in each["metadata"]["name"]]


def test_its_objects_are_valid() -> None:
    objects = exporter()
    assert {each["kind"] for each in objects} == {"ConfigMap", "DaemonSet", "NetworkPolicy", "PodMonitor"}
    check_core(objects, "1.35")
    check_custom(objects)


def test_it_runs_on_the_nodes_of_kaito() -> None:
    spec = pod()
    assert spec["nodeSelector"] == {"kaito.sh/machine-type": "gpu"}
    assert spec["tolerations"] == [{"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"}]


def test_it_has_no_privileges_and_no_part_of_the_node() -> None:
    spec, security = pod(), container()["securityContext"]
    restricted(spec)
    assert spec["automountServiceAccountToken"] is False
    assert {"hostNetwork", "hostPID", "hostIPC", "runtimeClassName"}.isdisjoint(spec)
    assert spec["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert security == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert [set(volume) - {"name"} for volume in spec["volumes"]] == [{"configMap"}, {"emptyDir"}, {"emptyDir"}]


def test_it_measures_what_dashboards_and_alerts_read() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (CHART / "files").rglob("*.[jy]*")]
    asked = {name for text in texts for name in re.findall(r"DCGM_\w+", text)}
    (file,) = one(exporter(), "ConfigMap")["data"].values()
    rows = list(csv.reader(line for line in file.splitlines() if line and not line.startswith("#")))
    assert {row[0] for row in rows} == asked
    assert {row[1].strip() for row in rows} == {"gauge"}
    mounts = {each["name"]: each["mountPath"] for each in container()["volumeMounts"]}
    assert container()["args"] == ["-f", f"{mounts['counters']}/counters.csv"]


def test_its_samples_have_the_name_of_the_node_as_azures_own() -> None:
    environment = {each["name"]: each["value"] for each in container()["env"]}
    assert environment["DCGM_EXPORTER_NO_HOSTNAME"] == "true"
    assert environment["DCGM_EXPORTER_KUBERNETES"] == "false"
    monitor, daemon = one(exporter(), "PodMonitor"), one(exporter(), "DaemonSet")
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [{"sourceLabels": ["__meta_kubernetes_pod_node_name"], "targetLabel": "instance"}]
    assert endpoint["port"] in {port["name"] for port in container()["ports"]}
    labels = daemon["spec"]["template"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert daemon["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_no_other_object_of_the_release_selects_its_pods() -> None:
    objects = render(default(*ON, at("monitoring.prometheusOperator", value=True)))
    labels = one(objects, "DaemonSet")["spec"]["template"]["metadata"]["labels"]
    for each in objects:
        spec = each.get("spec", {})
        selector = spec.get("podSelector") or spec.get("selector") or {}
        wanted = selector.get("matchLabels", selector) if each["kind"] != "Workspace" else None
        if wanted and each["metadata"]["name"] != NAME:
            assert not wanted.items() <= labels.items(), each["metadata"]["name"]


def test_only_prometheus_reaches_it_and_it_reaches_nothing() -> None:
    spec = one(exporter(), "NetworkPolicy")["spec"]
    assert spec["egress"] == []
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    (rule,) = spec["ingress"]
    assert rule["ports"] == [{"port": "metrics"}]
    peers = [
        (
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"],
            peer["podSelector"]["matchLabels"],
        )
        for peer in rule["from"]
    ]

    def admitted(namespace: str, labels: dict[str, str]) -> bool:
        return any(each == namespace and wanted.items() <= labels.items() for each, wanted in peers)

    assert admitted(AGENT.namespace, AGENT.labels)
    assert not admitted(STRANGER.namespace, STRANGER.labels)
    assert not admitted(NEIGHBOUR.namespace, NEIGHBOUR.labels)
    policy = one(exporter(at("networkPolicy.monitoringNamespaces", [])), "NetworkPolicy")["spec"]
    assert policy["ingress"] == []
    off = exporter(at("networkPolicy.enabled", value=False))
    assert not [each for each in off if each["kind"] == "NetworkPolicy"]


def test_a_node_whose_exporter_fails_does_not_fail_a_release() -> None:
    strategy = one(exporter(), "DaemonSet")["spec"]["updateStrategy"]
    assert strategy == {"rollingUpdate": {"maxUnavailable": "100%"}}


def test_its_image_can_come_from_another_registry() -> None:
    assert container()["image"] == "nvcr.io/nvidia/k8s/dcgm-exporter:4.5.3-4.8.2-distroless"
    changes = at("monitoring.gpuExporter.image", {"repository": "example.azurecr.io/dcgm", "pullSecrets": ["registry"]})
    assert container(changes)["image"] == "example.azurecr.io/dcgm:4.5.3-4.8.2-distroless"
    assert pod(changes)["imagePullSecrets"] == [{"name": "registry"}]
    digest = f"sha256:{'0' * 64}"
    image = container(changes, at("monitoring.gpuExporter.image.digest", digest))["image"]
    assert image == f"example.azurecr.io/dcgm@{digest}"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("monitoring.gpuExporter.image.digest", "latest"),
        ("monitoring.gpuExporter.image.tag", ""),
        ("monitoring.gpuExporter.image.repository", "Bad Name"),
        ("monitoring.gpuExporter.enabled", "yes"),
        ("monitoring.gpuExporter.interval", 15),
    ],
)
def test_wrong_values_are_refused(path: str, value: object) -> None:
    with pytest.raises(RenderError, match="gpuExporter"):
        render(default(*ON, at(path, value)))


def test_changed_fields_restart_the_pods() -> None:
    annotations = one(exporter(), "DaemonSet")["spec"]["template"]["metadata"]["annotations"]
    assert re.fullmatch(r"[0-9a-f]{12}", annotations["checksum/counters"])
    assert json.dumps(annotations).count("checksum/") == 1
