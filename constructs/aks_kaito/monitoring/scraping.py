"""What managed Prometheus scrapes beside its own targets and the charts' monitors: its two ConfigMaps.

The add-on looks for them by name. Monitors of the chat and its model are objects of `charts/kaito-chat`; here are the
releases whose charts bring monitors for another Prometheus only.

See: https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-configuration
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdktn_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from constructs import Construct

from aks_kaito.charts import ours, theirs
from aks_kaito.settings import Settings

_NAMESPACE = "kube-system"
_SETTINGS = "ama-metrics-settings-configmap"
_JOBS = "ama-metrics-prometheus-config"
_INTERVAL = "30s"
# App routing's NGINX, whose pods say in annotations where their metrics are.
# See: https://learn.microsoft.com/azure/aks/app-routing-nginx-prometheus
_APP_ROUTING_NAMESPACE = "app-routing-system"
# Where Istio's proxies have their metrics, and the label that a Gateway's pods carry.
_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
_GATEWAY_PORT = 15090
_GATEWAY_PATH = "/stats/prometheus"
# What the chart's dashboards and alerts ask of NVIDIA's exporter.
GPU_METRICS = (
    "DCGM_FI_DEV_FB_FREE",
    "DCGM_FI_DEV_FB_USED",
    "DCGM_FI_DEV_GPU_TEMP",
    "DCGM_FI_DEV_GPU_UTIL",
    "DCGM_FI_DEV_POWER_USAGE",
    "DCGM_FI_DEV_XID_ERRORS",
)


@dataclass(frozen=True)
class Job:
    """Pods to scrape: those of a namespace with a label, where they listen on a port."""

    name: str
    namespace: str
    label: tuple[str, str]
    port: int
    path: str = "/metrics"

    def config(self) -> dict[str, Any]:
        """The job as Prometheus's own configuration has it."""
        key, value = self.label
        return {
            "job_name": self.name,
            "scrape_interval": _INTERVAL,
            "metrics_path": self.path,
            "kubernetes_sd_configs": [{"role": "pod", "namespaces": {"names": [self.namespace]}}],
            "relabel_configs": [
                _keep(f"pod_label_{_sanitized(key)}", value),
                _keep("pod_container_port_number", str(self.port)),
                {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
                {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
            ],
        }


class ManagedPrometheusSettings(Construct):
    """Defines the ConfigMaps that the metrics add-on reads; it restarts its agents within some minutes."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        """Define both, for the releases that the settings ask for."""
        super().__init__(scope, construct_id)
        for key, name, data in (
            ("settings", _SETTINGS, agent_settings(settings)),
            ("jobs", _JOBS, {"prometheus-config": _as_yaml([job.config() for job in jobs(settings)])}),
        ):
            ConfigMapV1(self, key, metadata=ConfigMapV1Metadata(name=name, namespace=_NAMESPACE), data=data)


def jobs(settings: Settings) -> list[Job]:
    """The releases to scrape."""
    found = []
    if settings.workloads.cert_manager_enabled:
        found.append(_of_chart(theirs.CERT_MANAGER))
    if settings.ingress.mode == "nginx":
        found.append(_of_chart(theirs.NGINX))
    if settings.ingress.mode == "gateway" and ours.published(settings):
        label = (_GATEWAY_LABEL, ours.GATEWAY)
        found.append(Job("gateway", settings.chat.namespace, label, _GATEWAY_PORT, _GATEWAY_PATH))
    return found


def agent_settings(settings: Settings) -> dict[str, str]:
    """What the project relies on, said in the add-on's own form: lines of `key = value` under names of sections."""
    annotated = _APP_ROUTING_NAMESPACE if settings.ingress.mode == "webapprouting" else ""
    gpus = "|".join(GPU_METRICS)
    return {
        "schema-version": "v1",
        "config-version": "ver1",
        # GPUs: only on nodes where AKS runs NVIDIA's exporter, which it does in pools with managed GPUs.
        "default-scrape-settings-enabled": "dcgmexporter = true",
        "default-targets-metrics-keep-list": f'dcgmexporter = "{gpus}"\nminimalingestionprofile = true',
        "pod-annotation-based-scraping": f'podannotationnamespaceregex = "{annotated}"',
    }


def _of_chart(chart: theirs.Chart) -> Job:
    return Job(chart.name, chart.namespace, chart.selector, chart.metrics_port)


def _keep(label: str, value: str) -> dict[str, Any]:
    return {"source_labels": [f"__meta_kubernetes_{label}"], "action": "keep", "regex": value}


def _sanitized(label: str) -> str:
    """A label's name as Prometheus writes it."""
    return "".join(letter if letter.isalnum() else "_" for letter in label)


def _as_yaml(configs: Sequence[dict[str, Any]]) -> str:
    """Prometheus's configuration; JSON, which is YAML too."""
    return json.dumps({"scrape_configs": list(configs)}, indent=2) + "\n"
