"""A change of ingress.mode: which workloads still use what the platform is about to take away."""

from collections.abc import Iterator

from aks_kaito import chart_values
from aks_kaito.settings import Environment
from cluster_access import kubeconfig
from deploy_steps import Step, StepError, ask


def in_use(environment: Environment) -> str:
    """What the next platform has no ground for any more, in words; empty if there is no such thing, or no cluster.

    A Gateway loses its controller, and F5's NGINX the platform's address; Azure takes neither away while it is used.
    """
    found = list(_leaving(environment))
    if not found:
        return ""
    try:
        with kubeconfig(environment, quiet=True) as access:
            for what, command in found:
                # A kind that the cluster does not know is not in use.
                if ask(Step(f"look for {what}", ("kubectl", "--kubeconfig", access, *command)), environment):
                    return what
    except StepError:
        return ""
    return ""


def _leaving(environment: Environment) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the mode has no place for, and how to ask for it."""
    settings = environment.settings
    if settings.ingress.mode in ("webapprouting", "none"):
        place = ("--namespace", chart_values.NGINX_NAMESPACE)
        yield "F5's NGINX", ("get", "services", *place, "--output", "name")
    if settings.ingress.mode != "gateway":
        gateway = ("gateways.gateway.networking.k8s.io", chart_values.GATEWAY, "--ignore-not-found")
        yield "the Gateway", ("get", *gateway, "--namespace", settings.chat.namespace, "--output", "name")
