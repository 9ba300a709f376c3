"""Additional scrape jobs of managed Prometheus, as the two ConfigMaps that its add-on reads by name.

The chat and its model have monitors in `charts/kaito-chat`. The jobs here are for releases whose charts have monitors
only for Prometheus Operator.

See: https://learn.microsoft.com/azure/azure-monitor/containers/prometheus-metrics-scrape-configuration
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdktn_provider_kubernetes.config_map_v1 import ConfigMapV1, ConfigMapV1Metadata
from constructs import Construct

from aks_kaito.charts import names, ours, theirs
from aks_kaito.settings.model import Kaito
from aks_kaito.settings.workload import Chat, Ingress, Workloads

_NAMESPACE = "kube-system"
_SETTINGS = "ama-metrics-settings-configmap"
_JOBS = "ama-metrics-prometheus-config"
_INTERVAL = "30s"
# Namespace of app routing's NGINX, whose pods announce their metrics in annotations.
# See: https://learn.microsoft.com/azure/aks/app-routing-nginx-prometheus
_APP_ROUTING_NAMESPACE = "app-routing-system"
# Label of a Gateway's pods, and the metrics endpoint of Istio's proxy.
_GATEWAY_LABEL = "gateway.networking.k8s.io/gateway-name"
_GATEWAY_PORT = 15090
_GATEWAY_PATH = "/stats/prometheus"
# Metrics of NVIDIA's exporter that the chart's dashboards and alerts use.
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
    """Scrape job for the pods of a namespace that have a label and listen on a port."""

    name: str
    namespace: str
    label: tuple[str, str]
    port: int
    path: str = "/metrics"

    def config(self) -> dict[str, Any]:
        """Return the job as an entry of `scrape_configs`."""
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
    """ConfigMaps that configure the metrics add-on, which restarts its agents within some minutes of a change."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        chat: Chat,
        ingress: Ingress,
        workloads: Workloads,
        kaito: Kaito,
    ) -> None:
        """Define both for the releases that these settings enable."""
        super().__init__(scope, construct_id)
        jobs = [job.config() for job in _jobs(chat, ingress, workloads)]
        if kaito.is_open_source:
            jobs.append(_of_chart(theirs.KAITO).config())
        for key, name, data in (
            ("settings", _SETTINGS, _agent_settings(ingress)),
            ("jobs", _JOBS, {"prometheus-config": _as_yaml(jobs)}),
        ):
            ConfigMapV1(self, key, metadata=ConfigMapV1Metadata(name=name, namespace=_NAMESPACE), data=data)


def _jobs(chat: Chat, ingress: Ingress, workloads: Workloads) -> list[Job]:
    found = []
    if workloads.cert_manager_enabled:
        found.append(_of_chart(theirs.CERT_MANAGER))
    if ingress.mode == "nginx":
        found.append(_of_chart(theirs.NGINX))
    if ingress.mode == "gateway" and ours.published(ingress):
        label = (_GATEWAY_LABEL, names.GATEWAY)
        found.append(Job("gateway", chat.namespace, label, _GATEWAY_PORT, _GATEWAY_PATH))
    return found


def _agent_settings(ingress: Ingress) -> dict[str, str]:
    """Return the add-on's settings, in its own form: lines of `key = value` under section names."""
    annotated = _APP_ROUTING_NAMESPACE if ingress.mode == "webapprouting" else ""
    gpus = "|".join(GPU_METRICS)
    return {
        "schema-version": "v1",
        "config-version": "ver1",
        # AKS runs NVIDIA's exporter only in node pools with managed GPUs.
        "default-scrape-settings-enabled": "dcgmexporter = true",
        "default-targets-metrics-keep-list": f'dcgmexporter = "{gpus}"\nminimalingestionprofile = true',
        "pod-annotation-based-scraping": f'podannotationnamespaceregex = "{annotated}"',
    }


def _of_chart(chart: theirs.Chart) -> Job:
    return Job(chart.release or chart.name, chart.namespace, chart.selector, chart.metrics_port)


def _keep(label: str, value: str) -> dict[str, Any]:
    return {"source_labels": [f"__meta_kubernetes_{label}"], "action": "keep", "regex": value}


def _sanitized(label: str) -> str:
    """Return a label's name as Prometheus writes it."""
    return "".join(letter if letter.isalnum() else "_" for letter in label)


def _as_yaml(configs: Sequence[dict[str, Any]]) -> str:
    """Return the Prometheus configuration as JSON, which is valid YAML."""
    return json.dumps({"scrape_configs": list(configs)}, indent=2) + "\n"
