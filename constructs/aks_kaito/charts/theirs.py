"""Charts of other projects: registry, version and values.

Pod labels and ports are facts from a chart's templates at its pinned version. Check them when a version changes.
"""

import hashlib
import json
from dataclasses import dataclass

from aks_kaito.charts.names import (
    GPU_PROVISIONER,
    GPU_PROVISIONER_NAMESPACE,
    KAITO_DEPLOYMENT,
    KAITO_NAMESPACE,
    KEDA_NAMESPACE,
    NGINX_NAMESPACE,
    PROMETHEUS_NAMESPACE,
)
from aks_kaito.charts.values import Values, load_balancer_annotations, tolerations
from aks_kaito.settings import Environment, Settings


@dataclass(frozen=True)
class Chart:
    """A chart and the namespace of its release.

    Attributes:
        repository: Its project's registry or repository; `[charts]` of the settings can name a registry with copies.
        selector: Label of all pods of the release that serve metrics.
        metrics_port: Port on which they serve metrics, at `/metrics`.
        release: Name of the release; empty for that of the chart.
        takes_ownership: Whether the release adopts objects that exist already.
    """

    name: str
    repository: str
    version: str
    namespace: str
    selector: tuple[str, str]
    metrics_port: int
    release: str = ""
    takes_ownership: bool = False


# See: https://cert-manager.io/docs/installation/helm/
CERT_MANAGER = Chart(
    name="cert-manager",
    repository="oci://quay.io/jetstack/charts",
    version="v1.21.2",
    # The namespace and the ServiceAccount have the chart's name; the platform's federated credential refers to both.
    namespace="cert-manager",
    selector=("app.kubernetes.io/instance", "cert-manager"),
    metrics_port=9402,
)
# See: https://docs.nginx.com/nginx-ingress-controller/install/helm/
NGINX = Chart(
    name="nginx-ingress",
    repository="oci://ghcr.io/nginx/charts",
    version="2.7.3",
    namespace=NGINX_NAMESPACE,
    selector=("app.kubernetes.io/name", "nginx-ingress"),
    metrics_port=9113,
)
# See: https://github.com/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack
KUBE_PROMETHEUS_STACK = Chart(
    name="kube-prometheus-stack",
    repository="oci://ghcr.io/prometheus-community/charts",
    version="92.1.1",
    namespace=PROMETHEUS_NAMESPACE,
    selector=("app.kubernetes.io/instance", "kube-prometheus-stack"),
    metrics_port=9090,
)
# See: https://kaito-project.github.io/kaito/docs/installation
KAITO = Chart(
    name="workspace",
    repository="https://kaito-project.github.io/kaito/charts/kaito",
    version="0.12.0",
    namespace=KAITO_NAMESPACE,
    selector=("app.kubernetes.io/name", "workspace"),
    metrics_port=8080,
    release=KAITO_DEPLOYMENT,
    # Its custom resource definitions are templates, and the add-on may have left its own.
    takes_ownership=True,
)
# See: https://github.com/Azure/gpu-provisioner
GPU_PROVISIONER_CHART = Chart(
    name=GPU_PROVISIONER,
    repository="https://azure.github.io/gpu-provisioner/charts",
    version="0.4.3",
    namespace=GPU_PROVISIONER_NAMESPACE,
    selector=("app.kubernetes.io/name", GPU_PROVISIONER),
    metrics_port=8080,
)
# See: https://github.com/kaito-project/keda-kaito-scaler/tree/v0.6.2
KEDA_KAITO_SCALER = Chart(
    name="keda-kaito-scaler",
    repository="https://kaito-project.github.io/keda-kaito-scaler/charts/kaito-project",
    version="0.6.2",
    # KEDA reads the scaler's certificates in its own namespace, which is that of the add-ons.
    namespace=KEDA_NAMESPACE,
    selector=("app.kubernetes.io/name", "keda-kaito-scaler"),
    metrics_port=10451,
)
# AKS does not expose these parts of the control plane, so the chart's alerts on missing targets would fire.
_HIDDEN_BY_AKS = ("kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler")
_SELECTORS = ("podMonitor", "probe", "rule", "scrapeConfig", "serviceMonitor")


def cert_manager(settings: Settings) -> Values:
    """Return the values of cert-manager, which writes DNS records with its workload identity."""
    identity = {"azure.workload.identity/use": "true"}
    config = {
        "apiVersion": "controller.config.cert-manager.io/v1alpha1",
        "kind": "ControllerConfiguration",
        # The controller exits where the Gateway API is not installed.
        "gatewayAPI": {"enabled": settings.ingress.mode == "gateway"},
    }
    placed = {"tolerations": tolerations(settings)}
    return {
        **placed,
        **dict.fromkeys(("cainjector", "startupapicheck", "webhook"), placed),
        "crds": {"enabled": True},
        "config": config,
        # The chart does not restart pods when the configuration changes.
        "podAnnotations": {"checksum/config": _checksum(config)},
        "podLabels": identity,
        "serviceAccount": {"labels": identity},
        "prometheus": {"servicemonitor": {"enabled": settings.workloads.kube_prometheus_stack_enabled}},
    }


def nginx(environment: Environment) -> Values:
    """Return the values of F5's chart: address, metrics, health probe path, two pods in different zones, no telemetry.

    With the traffic policy Local, Azure probes each node for a pod of the controller; with Cluster, it uses the path.

    See: https://docs.nginx.com/nginx-ingress-controller/install/helm/parameters/
    """
    in_cluster = environment.settings.workloads.kube_prometheus_stack_enabled
    health_path = "/nginx-health"
    return {
        "controller": {
            "replicaCount": 2,
            "podDisruptionBudget": {"enabled": True, "maxUnavailable": 1},
            "topologySpreadConstraints": _spread(*NGINX.selector),
            # The controller would report versions and counts to F5 once a day.
            "telemetryReporting": {"enable": False},
            "tolerations": tolerations(environment.settings),
            "healthStatus": True,
            "healthStatusURI": health_path,
            "ingressClass": {"name": "nginx"},
            "service": {
                "annotations": load_balancer_annotations(environment, health_path),
                "externalTrafficPolicy": "Local",
            },
        },
        "prometheus": {
            "create": True,
            "port": NGINX.metrics_port,
            "service": {"create": in_cluster},
            "serviceMonitor": {"create": in_cluster},
        },
    }


def keda_kaito_scaler(settings: Settings) -> Values:
    """Return the values of the scaler, which gives KEDA the metrics of model servers."""
    return {"tolerations": tolerations(settings), "log": {"level": 2}}


def kube_prometheus_stack(settings: Settings) -> Values:
    """Return the values of a Prometheus that uses every monitor and rule in the cluster, and of its Grafana.

    The chart generates Grafana's administrator password and stores it in a Secret; Terraform never sees it.
    """
    placed = {"tolerations": tolerations(settings)}
    return {
        "alertmanager": {"alertmanagerSpec": placed},
        "kube-state-metrics": placed,
        "prometheus-node-exporter": {"tolerations": [{"operator": "Exists"}]},
        "prometheusOperator": {**placed, "admissionWebhooks": {"patch": placed}},
        "grafana": {
            **placed,
            # Older versions of the chart have a default password, which null removes.
            "adminPassword": None,
            "sidecar": {
                "dashboards": {"label": "grafana_dashboard", "labelValue": "1", "searchNamespace": "ALL"},
            },
        },
        "prometheus": {
            "prometheusSpec": {
                **placed,
                "retention": "15d",
                "retentionSize": "56GB",
                "storageSpec": {
                    "volumeClaimTemplate": {
                        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Gi"}}}
                    }
                },
                # Select monitors and rules of every chart, not only those with the release's label.
                **{f"{kind}SelectorNilUsesHelmValues": False for kind in _SELECTORS},
            }
        },
        **{part: {"enabled": False} for part in _HIDDEN_BY_AKS},
    }


def _spread(label: str, value: str) -> list[Values]:
    """Return constraints that spread pods with a label over zones and nodes where there are several."""
    selector = {"matchLabels": {label: value}}
    rest = {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}
    return [{"topologyKey": key, **rest} for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")]


def _checksum(values: Values) -> str:
    """Return twelve hexadecimal digits that change with the values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
