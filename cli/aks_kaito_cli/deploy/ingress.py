"""A change of `ingress.mode` or of the Gateway API: find the workloads that would block the platform's change."""

from collections.abc import Iterator

from aks_kaito.charts.names import GATEWAY, MODELS_GATEWAY
from aks_kaito.settings import Settings
from aks_kaito_cli.cluster import exists, signed_in
from aks_kaito_cli.commands import Command
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.deploy.private import hidden_api_server
from aks_kaito_cli.pages import CONTROLLER
from aks_kaito_cli.shell import Shell, Step, StepError

HINT = f"{CONTROLLER}, if ingress.mode was changed"
_NO_SUCH_KIND = "doesn't have a resource type"
_UNKNOWN = """\
{host} does not answer from here, so this cannot check whether {workloads} still exists. If ingress.mode was changed,
continue inside the network: deploy the workloads first.
"""


def blocking_workload(shell: Shell) -> str:
    """Return the workload that uses a part of the platform which the new mode removes; empty if there is none.

    A Gateway would lose its controller, and F5's NGINX the platform's address; Azure removes neither while it is used.

    Raises:
        StepError: A cluster exists that should answer, and does not.
    """
    settings = shell.environment.settings
    found = dict(_unsupported(Kubectl(settings.chat.namespace), settings))
    if not found or not exists(shell, HINT):
        return ""
    print(f"== check whether {' or '.join(found)} still exists", flush=True)
    if hosts := hidden_api_server(shell):
        print(_UNKNOWN.format(host=next(iter(hosts)), workloads=" or ".join(found)), flush=True)
        return ""
    with signed_in(shell, quiet=True) as kubectl:
        for workload, command in _unsupported(kubectl, settings):
            if _exists(shell, Step(f"find {workload}", command, HINT)):
                return workload
    return ""


def _unsupported(kubectl: Kubectl, settings: Settings) -> Iterator[tuple[str, Command]]:
    """Yield the workloads that the settings do not support, each with the command that finds it."""
    mode = settings.ingress.mode
    if mode in ("webapprouting", "none"):
        yield "F5's NGINX", kubectl.find_nginx()
    if mode != "gateway":
        yield "the Gateway", kubectl.find_gateways(GATEWAY, *([] if settings.has_gateway_api else [MODELS_GATEWAY]))


def _exists(shell: Shell, find: Step) -> bool:
    try:
        return bool(shell.ask(find))
    except StepError as error:
        if _NO_SUCH_KIND in error.last_line:
            return False
        raise
