"""A change of `ingress.mode`: find the workloads that would block the platform's change."""

import re
from collections.abc import Iterator

from aks_kaito_cli.commands import Words
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.deploy.cluster import signed_in
from aks_kaito_cli.deploy.private import hidden_api_server
from aks_kaito_cli.pages import CONTROLLER
from aks_kaito_cli.shell import Shell, Step, StepError

LOOK = f"{CONTROLLER}, if ingress.mode was changed"
_NO_CLUSTER = re.compile(r"could not be found|was not found|NotFound")
_NO_SUCH_KIND = "doesn't have a resource type"
_UNKNOWN = """\
{host} does not answer from here, so this cannot check whether {workloads} still exists. If ingress.mode was changed,
go on inside the network: the workloads have to go first.
"""


def blocking_workload(shell: Shell) -> str:
    """Return the workload that uses a part of the platform which the new mode removes; empty if there is none.

    A Gateway would lose its controller, and F5's NGINX the platform's address; Azure removes neither while it is used.

    Raises:
        StepError: A cluster exists that should answer, and does not.
    """
    settings = shell.environment.settings
    found = dict(_unsupported(Kubectl(settings.chat.namespace), settings.ingress.mode))
    if not found or not _cluster_exists(shell):
        return ""
    print(f"== look whether {' or '.join(found)} still exists", flush=True)
    if hosts := hidden_api_server(shell):
        print(_UNKNOWN.format(host=next(iter(hosts)), workloads=" or ".join(found)), flush=True)
        return ""
    with signed_in(shell, quiet=True) as kubectl:
        for workload, command in _unsupported(kubectl, settings.ingress.mode):
            if _exists(shell, Step(f"look for {workload}", command, LOOK)):
                return workload
    return ""


def _unsupported(kubectl: Kubectl, mode: str) -> Iterator[tuple[str, Words]]:
    """Yield the workloads that a mode does not support, each with the command that finds it."""
    if mode in ("webapprouting", "none"):
        yield "F5's NGINX", kubectl.find_nginx()
    if mode != "gateway":
        yield "the Gateway", kubectl.find_gateway()


def _cluster_exists(shell: Shell) -> bool:
    try:
        return bool(shell.ask(Step("look for a cluster", shell.azure.show_cluster("name"), LOOK)))
    except StepError as error:
        if _NO_CLUSTER.search(error.said):
            return False
        raise


def _exists(shell: Shell, look: Step) -> bool:
    try:
        return bool(shell.ask(look))
    except StepError as error:
        if _NO_SUCH_KIND in error.said:
            return False
        raise
