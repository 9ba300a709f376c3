"""The questions to the cluster: kubectl's words for each, and one script that asks all of them at once."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from aks_kaito.charts.names import (
    ADD_ON_NAMESPACE,
    CHAT_DEPLOYMENT,
    GATEWAY,
    GPU_PROVISIONER,
    KAITO_DEPLOYMENT,
    NGINX_NAMESPACE,
)
from aks_kaito.charts.theirs import GPU_PROVISIONER_CHART, KAITO
from aks_kaito.settings import Settings
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.status.objects import Object, listed

# Deployments of KAITO in both distributions, and the webhook without which no Workspace can be created.
# See: https://learn.microsoft.com/azure/aks/ai-toolchain-operator
CONTROLLER, ADD_ON_PROVISIONER = KAITO_DEPLOYMENT, "kaito-gpu-provisioner"
PROVISIONERS = (ADD_ON_PROVISIONER, GPU_PROVISIONER)
WEBHOOK = "validation.workspace.kaito.sh"
_JSON = ("--output", "json")
_HERE = "--ignore-not-found"
_PATIENCE = "--request-timeout=15s"
_LOGS = ("logs", "--selector", "kaito.sh/workspace", "--all-containers", "--prefix", "--timestamps", "--ignore-errors")
_NO_KIND = re.compile(r"doesn't have a resource type|could not find the requested resource")
_NOTHING = re.compile(r"No resources found|previous terminated container")
_BEGIN, _FAILED, _END = "@@ begin", "@@ failed", "@@ end"
CUT = "the output was cut: az aks command invoke returns at most 512 kB"


def _downloads(kubectl: Kubectl) -> tuple[str, ...]:
    """Return a shell that prints KAITO's metrics of a download, after the name of each pod that runs.

    They are read through the API server; an older server, and one that a network policy protects, has none.
    """
    pods = shlex.join(kubectl.command("get", "pods", "--selector", "kaito.sh/workspace", "--output", "name", _PATIENCE))
    path = f"/api/v1/namespaces/{kubectl.namespace}/pods/${{pod#pod/}}:5000/proxy/metrics"
    raw = f'{shlex.join(kubectl.command("get", "--raw"))} "{path}" {_PATIENCE} 2>/dev/null'
    lines = 'sed -n "s|^kaito_model_download|${pod#pod/} kaito_model_download|p"'
    return ("sh", "-c", f"for pod in $({pods}); do {raw} | {lines}; done")


class Question(NamedTuple):
    """A question.

    Attributes:
        words: The words after kubectl; none for the downloads, whose pods kubectl finds first.
        namespace: None for the chat's namespace.
        is_text: Whether the answer is no JSON.
    """

    words: tuple[str, ...]
    namespace: str | None = None
    is_text: bool = False

    def of(self, kubectl: Kubectl) -> tuple[str, ...]:
        """Return the whole command."""
        if not self.words:
            return _downloads(kubectl)
        return kubectl.command(*self.words, _PATIENCE, namespace=self.namespace)


# In the order of their importance: the end of a long output is cut.
QUESTIONS: dict[str, Question] = {
    "workspaces": Question(("get", "workspaces.kaito.sh", *_JSON)),
    "sets": Question(("get", "inferencesets.kaito.sh", *_JSON)),
    "claims": Question(("get", "nodeclaims.karpenter.sh", *_JSON)),
    "controllers": Question(("get", "deployments", CONTROLLER, ADD_ON_PROVISIONER, _HERE, *_JSON), ADD_ON_NAMESPACE),
    "webhooks": Question(("get", "validatingwebhookconfigurations", WEBHOOK, _HERE, *_JSON)),
    "chat": Question(("get", "deployments", CHAT_DEPLOYMENT, _HERE, *_JSON)),
    "pods": Question(("get", "pods", *_JSON)),
    "certificates": Question(("get", "certificates.cert-manager.io", *_JSON)),
    "orders": Question(("get", "orders.acme.cert-manager.io", *_JSON)),
    "challenges": Question(("get", "challenges.acme.cert-manager.io", *_JSON)),
    "ingresses": Question(("get", "ingresses.networking.k8s.io", *_JSON)),
    "gateways": Question(("get", "gateways.gateway.networking.k8s.io", GATEWAY, _HERE, *_JSON)),
    "service_events": Question(
        ("get", "events", "--field-selector", "involvedObject.kind=Service,type=Warning", *_JSON), NGINX_NAMESPACE
    ),
    "claim_events": Question(
        ("get", "events", "--field-selector", "involvedObject.kind=NodeClaim,type=Warning", *_JSON), "default"
    ),
    "logs": Question((*_LOGS, "--tail=40", "--max-log-requests=20"), is_text=True),
    "downloads": Question((), is_text=True),
    "previous": Question((*_LOGS, "--tail=40", "--max-log-requests=20", "--previous"), is_text=True),
    "events": Question(("get", "events", *_JSON)),
}


_OF_CHARTS = f"{KAITO.selector[0]} in ({KAITO.selector[1]}, {GPU_PROVISIONER_CHART.selector[1]})"


def questions(settings: Settings) -> dict[str, Question]:
    """Return the questions to an environment's cluster; those of open-source charts have other namespaces."""
    if not settings.kaito.is_open_source:
        return QUESTIONS
    words = ("get", "deployments", "--all-namespaces", "--selector", _OF_CHARTS, *_JSON)
    return {**QUESTIONS, "controllers": Question(words)}


class Section(NamedTuple):
    """The answer to one question.

    Attributes:
        items: Its objects.
        text: Its text, if it is no JSON.
        error: The reason for which it could not be asked; empty if it was.
        absent: Whether the cluster does not know the kind.
    """

    items: tuple[Object, ...] = ()
    text: str = ""
    error: str = ""
    absent: bool = False


def answered(key: str, output: str) -> Section:
    """Return the section of an output."""
    if QUESTIONS[key].is_text:
        return Section(text=output)
    if not output.strip():
        return Section()
    try:
        found = json.loads(output)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return Section(error=f"kubectl's answer about {key} is no JSON object")
    return Section(tuple(listed(found, "items")) if "items" in found else (found,))


def refused(key: str, error: str) -> Section:
    """Return the section of a question that failed."""
    if _NO_KIND.search(error):
        return Section(absent=True)
    if _NOTHING.search(error) and QUESTIONS[key].is_text:
        return Section()
    return Section(error=error)


def script(settings: Settings) -> str:
    """Return the lines that ask everything in one run of a shell."""
    kubectl = Kubectl(settings.chat.namespace)
    asked = [f"ask {key} {shlex.join(question.of(kubectl))}" for key, question in questions(settings).items()]
    function = (
        "errors=$(mktemp);"
        f' ask() {{ echo "{_BEGIN} $1"; shift; "$@" 2>"$errors" || {{ echo "{_FAILED}"; tail -n 1 "$errors"; }};'
        f' echo; echo "{_END}"; }}'
    )
    return "; ".join([function, *asked])


def sections(output: str) -> Mapping[str, Section]:
    """Return the sections of the script's output; those that are cut have an error."""
    found: dict[str, Section] = {}
    for part in re.split(rf"^{_BEGIN} ", output, flags=re.MULTILINE)[1:]:
        key, _, rest = part.partition("\n")
        body, ended, _ = rest.rpartition(f"\n{_END}")
        if key not in QUESTIONS:
            continue
        if not ended:
            found[key] = Section(error=CUT)
            continue
        answer, failed, error = body.rpartition(f"{_FAILED}\n")
        found[key] = refused(key, error.strip()) if failed else answered(key, answer if failed else body)
    return {key: found.get(key, Section(error=CUT)) for key in QUESTIONS}
