"""A change of ingress.mode: which workloads still use what the platform is about to take away."""

import re
from collections.abc import Iterator

from aks_kaito.charts.names import GATEWAY, NGINX_NAMESPACE
from aks_kaito.settings import Environment
from cluster_access import kubeconfig
from deploy_private import api_server
from deploy_steps import Step, StepError, ask, az

SWITCHED = "docs/deploy.md, Which controller, if ingress.mode was changed"
_NO_CLUSTER = re.compile(r"could not be found|was not found|NotFound")
_NO_SUCH_KIND = "doesn't have a resource type"
_PATIENCE = "--request-timeout=15s"
_UNKNOWN = """\
{host} does not answer from here, so nobody knows whether {what} is still there. If ingress.mode was changed,
go on inside the network: the workloads have to go first.
"""


def in_use(environment: Environment) -> str:
    """What the next platform has no ground for any more, in words; empty if there is no such thing.

    A Gateway loses its controller, and F5's NGINX the platform's address; Azure takes neither away while it is used.

    Raises:
        StepError: There is a cluster that should answer, and cannot be asked.
    """
    found = dict(_leaving(environment))
    if not found or not _exists(environment):
        return ""
    print(f"== look whether {' or '.join(found)} is still there", flush=True)
    if hosts := api_server(environment):
        print(_UNKNOWN.format(host=next(iter(hosts)), what=" or ".join(found)), flush=True)
        return ""
    with kubeconfig(environment, quiet=True) as access:
        for what, command in found.items():
            look = Step(f"look for {what}", ("kubectl", "--kubeconfig", access, _PATIENCE, *command), SWITCHED)
            if _is_there(look, environment):
                return what
    return ""


def _leaving(environment: Environment) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What the mode has no place for, and how to ask for it."""
    settings = environment.settings
    if settings.ingress.mode in ("webapprouting", "none"):
        place = ("--namespace", NGINX_NAMESPACE)
        yield "F5's NGINX", ("get", "services", *place, "--output", "name")
    if settings.ingress.mode != "gateway":
        gateway = ("gateways.gateway.networking.k8s.io", GATEWAY, "--ignore-not-found")
        yield "the Gateway", ("get", *gateway, "--namespace", settings.chat.namespace, "--output", "name")


def _exists(environment: Environment) -> bool:
    names = environment.names
    place = ("--name", names.cluster, "--resource-group", names.resource_group)
    show = az(environment, "aks", "show", *place, "--query", "name", "--output", "tsv")
    try:
        return bool(ask(Step("look for a cluster", show, SWITCHED), environment))
    except StepError as error:
        if _NO_CLUSTER.search(error.said):
            return False
        raise


def _is_there(look: Step, environment: Environment) -> bool:
    try:
        return bool(ask(look, environment))
    except StepError as error:
        if _NO_SUCH_KIND in error.said:
            return False
        raise
