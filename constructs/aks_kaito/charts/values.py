"""Values that every chart takes in the same form: tolerations, and annotations for Azure's load balancer."""

from typing import Any

from aks_kaito.settings import Environment, Settings

Values = dict[str, Any]

# Port and path of the health endpoint of Istio's proxy, which serves a Gateway.
_ISTIO_HEALTH_PORT = "15021"
_ISTIO_HEALTH_PATH = "/healthz/ready"
# AKS adds this taint to the nodes of a spot pool.
# See: https://learn.microsoft.com/azure/aks/spot-node-pool
_SPOT_TAINT = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule"


def tolerations(settings: Settings) -> list[dict[str, str]]:
    """Return tolerations of the user pool's taints; there is no other pool in which the pods could run."""
    pool = settings.user_pool
    found = []
    for taint in [*pool.node_taints, *([_SPOT_TAINT] if pool.spot_enabled else [])]:
        label, _, effect = taint.rpartition(":")
        key, _, value = label.partition("=")
        found.append({"key": key, "operator": "Equal", "value": value, "effect": effect})
    return found


def load_balancer_annotations(environment: Environment, health_path: str) -> dict[str, str]:
    """Return the annotations that give a Service the static address and set its health probe path.

    See: https://learn.microsoft.com/azure/aks/static-ip,
    https://cloud-provider-azure.sigs.k8s.io/topics/loadbalancer/
    """
    return {
        "service.beta.kubernetes.io/azure-load-balancer-resource-group": environment.names.resource_group,
        "service.beta.kubernetes.io/azure-pip-name": environment.names.of("pip", "ingress"),
        "service.beta.kubernetes.io/azure-load-balancer-health-probe-request-path": health_path,
    }


def gateway_annotations(environment: Environment) -> dict[str, str]:
    """Return the same for a Gateway, whose proxy has a separate health port and answers "/" with 404."""
    prefix, probe = "service.beta.kubernetes.io/port", {"port": _ISTIO_HEALTH_PORT, "protocol": "http"}
    probes = {f"{prefix}_{port}_health-probe_{key}": value for port in (80, 443) for key, value in probe.items()}
    return load_balancer_annotations(environment, _ISTIO_HEALTH_PATH) | probes
