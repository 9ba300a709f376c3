"""Other people's charts that a cluster gets: where they are, which version, and their values.

What is known here of a chart's pods (labels, ports) was read in its templates at that version; look again when a
version changes.
"""

import hashlib
import json
from dataclasses import dataclass

from aks_kaito.charts.ours import (
    NGINX_NAMESPACE,
    PROMETHEUS_NAMESPACE,
    Values,
    load_balancer_annotations,
    tolerations,
)
from aks_kaito.settings import Environment, Settings


@dataclass(frozen=True)
class Chart:
    """A chart in an OCI registry, and the namespace that its release gets.

    Attributes:
        selector: Labels that all pods of the release carry, of those that have metrics.
        metrics_port: Where these have them, at `/metrics`.
    """

    name: str
    repository: str
    version: str
    namespace: str
    selector: tuple[str, str]
    metrics_port: int


# See: https://cert-manager.io/docs/installation/helm/
CERT_MANAGER = Chart(
    name="cert-manager",
    repository="oci://quay.io/jetstack/charts",
    version="v1.21.1",
    # Namespace and ServiceAccount have the chart's name; the platform's federated credential knows both.
    namespace="cert-manager",
    selector=("app.kubernetes.io/instance", "cert-manager"),
    metrics_port=9402,
)
# See: https://docs.nginx.com/nginx-ingress-controller/install/helm/
NGINX = Chart(
    name="nginx-ingress",
    repository="oci://ghcr.io/nginx/charts",
    version="2.6.4",
    namespace=NGINX_NAMESPACE,
    selector=("app.kubernetes.io/name", "nginx-ingress"),
    metrics_port=9113,
)
# See: https://github.com/prometheus-community/helm-charts/tree/main/charts/kube-prometheus-stack
KUBE_PROMETHEUS_STACK = Chart(
    name="kube-prometheus-stack",
    repository="oci://ghcr.io/prometheus-community/charts",
    version="88.5.3",
    namespace=PROMETHEUS_NAMESPACE,
    selector=("app.kubernetes.io/instance", "kube-prometheus-stack"),
    metrics_port=9090,
)
# Parts of the control plane that AKS runs out of sight: nothing can be asked there, and the chart's alerts would fire.
_HIDDEN_BY_AKS = ("kubeControllerManager", "kubeEtcd", "kubeProxy", "kubeScheduler")
_SELECTORS = ("podMonitor", "probe", "rule", "scrapeConfig", "serviceMonitor")


def cert_manager(settings: Settings) -> Values:
    """Values of cert-manager, which may write DNS records as the identity that its ServiceAccount is federated with."""
    identity = {"azure.workload.identity/use": "true"}
    config = {
        "apiVersion": "controller.config.cert-manager.io/v1alpha1",
        "kind": "ControllerConfiguration",
        # Its controller ends at once where the Gateway API is not installed.
        "gatewayAPI": {"enabled": settings.ingress.mode == "gateway"},
    }
    placed = {"tolerations": tolerations(settings)}
    return {
        **placed,
        **dict.fromkeys(("cainjector", "startupapicheck", "webhook"), placed),
        "crds": {"enabled": True},
        "config": config,
        # The chart starts no new pods for a new configuration.
        "podAnnotations": {"checksum/config": _checksum(config)},
        "podLabels": identity,
        "serviceAccount": {"labels": identity},
        "prometheus": {"servicemonitor": {"enabled": settings.workloads.kube_prometheus_stack_enabled}},
    }


def nginx(environment: Environment) -> Values:
    """Values of F5's chart: on the platform's static address, with metrics and a health probe.

    With the traffic policy Local, Azure asks each node whether it has one of the pods; the page is asked with another.

    See: https://docs.nginx.com/nginx-ingress-controller/install/helm/parameters/
    """
    in_cluster = environment.settings.workloads.kube_prometheus_stack_enabled
    health_path = "/nginx-health"
    return {
        "controller": {
            "replicaCount": 2,
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


def kube_prometheus_stack(settings: Settings) -> Values:
    """Values of a Prometheus that takes every monitor and rule of the cluster, and a Grafana with every dashboard.

    Grafana's administrator gets a password that the chart makes up and keeps in a Secret: Terraform knows none.
    """
    placed = {"tolerations": tolerations(settings)}
    return {
        "alertmanager": {"alertmanagerSpec": placed},
        "kube-state-metrics": placed,
        "prometheus-node-exporter": {"tolerations": [{"operator": "Exists"}]},
        "prometheusOperator": {**placed, "admissionWebhooks": {"patch": placed}},
        "grafana": {
            **placed,
            # Older versions of the chart have one that everybody knows; null takes it away.
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
                # Others than those with the release's label too: monitors and rules come from every chart.
                **{f"{kind}SelectorNilUsesHelmValues": False for kind in _SELECTORS},
            }
        },
        **{part: {"enabled": False} for part in _HIDDEN_BY_AKS},
    }


def _checksum(values: Values) -> str:
    """Twelve digits that change with the values."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:12]
