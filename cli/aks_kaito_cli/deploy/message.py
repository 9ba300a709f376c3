"""One message through the chat, at the end of a deployment."""

from aks_kaito_cli.cluster import by_hand
from aks_kaito_cli.commands import probe
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.deploy import programs
from aks_kaito_cli.deploy.report import CHAT_PORT, has_address
from aks_kaito_cli.project import ROOT
from aks_kaito_cli.shell import Shell, Step

# The time for a DNS record and its certificate, and for a first answer: a GPU node, an image, a model to load.
_REACH_SECONDS = 900
_WARM_UP_SECONDS = 2700
_NAME = "one message"


def send(shell: Shell, kubectl: Kubectl) -> None:
    """Send a message: from this machine to the chat's address, or inside its pod while it has none.

    Where users sign in, the driver cannot: it looks at the page, and asks the models from the pod.

    Raises:
        StepError: No answer came.
    """
    settings = shell.environment.settings
    published, signs_in = has_address(shell.environment), settings.chat.sign_in != "none"
    if published:
        hint = f"the record and certificate of {settings.ingress.hostname}, then the model as described above"
        url = f"https://{settings.ingress.hostname}"
        message = probe.arguments(chat=url, reach_seconds=_REACH_SECONDS, answer_seconds=_WARM_UP_SECONDS)
        command = (*programs.probe(shell.variables), *message)
        shell.run(Step(_NAME, command, hint, {"PYTHONPATH": str(ROOT / "app")}))
    if published and not signs_in:
        return
    message = probe.arguments(
        chat=None if published else f"http://127.0.0.1:{CHAT_PORT}",
        models=signs_in,
        reach_seconds=_WARM_UP_SECONDS if signs_in else None,
        answer_seconds=_WARM_UP_SECONDS,
    )
    hint = by_hand(shell, ("describe", "workspaces,pods" if settings.kaito.enabled else "pods"))
    if settings.kaito.enabled:
        hint = f"make status ENV={shell.environment.name} names the reason; by hand:\n        {hint}"
    shell.run(Step(_NAME, kubectl.exec_in_chat(*probe.IN_POD, *message), hint))
