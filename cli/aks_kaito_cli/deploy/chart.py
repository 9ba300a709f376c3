"""The chat's release by Helm: without Terraform, with the values that the stack wrote."""

import json

from aks_kaito.charts import ours
from aks_kaito.settings import Environment
from aks_kaito_cli.commands import helm
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.deploy import programs
from aks_kaito_cli.project import CHAT_CHART_FOLDER, values_file
from aks_kaito_cli.shell import Shell, Step


def is_current(environment: Environment) -> bool:
    """Return whether the values file matches the current settings."""
    text = values_file(environment).read_text(encoding="utf-8")
    try:
        written = json.loads(text.partition("\n")[2])
    except ValueError:
        return False
    return bool(written == json.loads(json.dumps(ours.chat(environment))))


def upgrade(shell: Shell, kubectl: Kubectl, version: str) -> None:
    """Upgrade the release to a tag or a digest.

    Raises:
        StepError: Helm is missing, or the upgrade failed.
    """
    environment = shell.environment
    wanted = helm.Upgrade(
        chart=str(CHAT_CHART_FOLDER),
        values=str(values_file(environment)),
        namespace=environment.settings.chat.namespace,
        kubeconfig=kubectl.kubeconfig,
        version=version,
    )
    program = programs.helm(shell.variables) or "helm"
    found = shell.ask(Step("find Helm's version", helm.version(program)))
    shell.run(Step("upgrade the release", wanted.command(program, found)))


def running_image(shell: Shell, kubectl: Kubectl) -> str:
    """Return the image of the chat's Deployment."""
    return shell.ask(Step("find the chat's image", kubectl.chat_image()))
