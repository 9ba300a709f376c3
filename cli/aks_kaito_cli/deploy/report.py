"""What to tell people when everything is deployed: addresses, and what to expect while the model warms up."""

import shlex
import socket

from aks_kaito.charts import ours
from aks_kaito.charts.names import CHAT_SERVICE
from aks_kaito.settings import Environment
from cluster_access import by_hand
from deploy_steps import Step, StepError, ask, az

# Where the application listens in its pod.
CHAT_PORT = 8000
_TEXT = """
Chat:    {chat}
Grafana: {grafana}
Cluster: {cluster}
         and then kubectl; make has put one into .venv/bin on Linux (amd64)
"""
_MODEL = """\
Model:   takes about twenty minutes the first time: a GPU node, an image, loading. The page shows how far it is, and
         so does: kubectl --namespace {namespace} get workspaces,pods --watch
         If nothing moves, most often there is no quota for {size}:
         kubectl --namespace {namespace} describe workspaces
         az vm list-usage --location {location} --output table
"""


def afterwards(environment: Environment) -> str:
    """All of it."""
    settings = environment.settings
    text = _TEXT.format(
        chat=_chat(environment),
        grafana=_grafana(environment),
        cluster=by_hand(environment),
    )
    if not settings.kaito.enabled:
        return text
    namespace, size = settings.chat.namespace, settings.model.instance_type
    return text + _MODEL.format(namespace=namespace, size=size, location=settings.location)


def addressed(environment: Environment) -> bool:
    """Whether the chat has an address that leads anywhere: a record that is made with it, or one seen from here."""
    if not ours.published(environment.settings.ingress):
        return False
    if environment.settings.ingress.dns_zone_name:
        return True
    try:
        socket.getaddrinfo(str(environment.settings.ingress.hostname), 443)
    except OSError:
        return False
    return True


def _chat(environment: Environment) -> str:
    """Where people find the chat, and what they have to do for it."""
    ingress, namespace = environment.settings.ingress, environment.settings.chat.namespace
    if not ours.published(environment.settings.ingress):
        forward = f"port-forward service/{CHAT_SERVICE} {CHAT_PORT}:80"
        return f"http://127.0.0.1:{CHAT_PORT} after: kubectl --namespace {namespace} {forward}"
    url = f"https://{ingress.hostname}"
    if addressed(environment):
        return url
    if not ingress.has_static_address:
        return f"{url}, once an A record leads to the address of: kubectl --namespace {namespace} get ingress"
    names = environment.names
    place = ("--name", names.of("pip", "ingress"), "--resource-group", names.resource_group)
    show = az(environment, "network", "public-ip", "show", *place, "--query", "ipAddress", "--output", "tsv")
    return f"{url}, once an A record leads to {ask(Step('find the address', show), environment)}"


def _grafana(environment: Environment) -> str:
    """Managed Grafana's address, or how to find out."""
    names = environment.names
    show = az(environment, "grafana", "show", "--name", names.grafana, "--resource-group", names.resource_group)
    find = Step("find Grafana", (*show, "--query", "properties.endpoint", "--output", "tsv"))
    try:
        return ask(find, environment)
    except StepError:
        return shlex.join(find.command)
