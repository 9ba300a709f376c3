"""The text at the end of a deployment: addresses, and how to follow the model while it loads."""

import shlex
import socket

from aks_kaito.charts.ours import published
from aks_kaito.settings import Environment
from aks_kaito_cli import kaito_version
from aks_kaito_cli.cluster import by_hand
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.deploy import routing
from aks_kaito_cli.shell import Shell, Step, StepError

# The application's port in its pod.
CHAT_PORT = 8000
_TEXT = """
Chat:    {chat}
Grafana: {grafana}
Cluster: {cluster}
         and then kubectl; make has put one into .venv/bin on Linux (amd64)
"""
_MODEL = """\
Model:   takes about twenty minutes the first time: a GPU node, an image, loading. The page shows its progress, and
         so does, with the reason if it cannot become ready: {watch}
KAITO:   {version}
"""
_ROUTING = "Routing: {routing}\n"


def afterwards(shell: Shell, signed_in: Kubectl) -> str:
    """Return the report; `signed_in` reads the cluster."""
    settings = shell.environment.settings
    text = _TEXT.format(chat=_chat(shell), grafana=_grafana(shell), cluster=by_hand(shell))
    if not settings.kaito.enabled:
        return text
    text += _MODEL.format(
        version=kaito_version.compared(shell, signed_in),
        watch=f"make status ENV={shell.environment.name} WATCH=1",
    )
    if settings.kaito.routing == "service":
        return text
    return text + _ROUTING.format(routing=routing.found(shell, signed_in))


def has_address(environment: Environment) -> bool:
    """Return whether the chat's host name resolves: the platform deploys its DNS record, or this machine finds one."""
    if not published(environment.settings.ingress):
        return False
    if environment.settings.ingress.dns_zone_name:
        return True
    try:
        socket.getaddrinfo(str(environment.settings.ingress.hostname), 443)
    except OSError:
        return False
    return True


def _chat(shell: Shell) -> str:
    """Return the chat's address, and the step that is missing before it works."""
    ingress = shell.environment.settings.ingress
    kubectl = Kubectl(shell.environment.settings.chat.namespace)
    if not published(ingress):
        return f"http://127.0.0.1:{CHAT_PORT} after: {shlex.join(kubectl.forward_chat(CHAT_PORT))}"
    url = f"https://{ingress.hostname}"
    if has_address(shell.environment):
        return url
    if not ingress.has_static_address:
        show = shlex.join(kubectl.command("get", "ingress"))
        return f"{url}, once an A record leads to the address of: {show}"
    return f"{url}, once an A record leads to {shell.ask(Step('find the address', shell.azure.ingress_address()))}"


def _grafana(shell: Shell) -> str:
    """Return Managed Grafana's address, or the command that finds it."""
    find = Step("find Grafana", shell.azure.grafana_endpoint())
    try:
        return shell.ask(find)
    except StepError:
        return shlex.join(find.command)
