"""The workloads: the secrets that their pods need, the image, the second stack."""

import shlex
from collections.abc import Iterator

from aks_kaito.charts.names import SIGN_IN_SECRETS, vault_secrets
from aks_kaito_cli.cluster import by_hand
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.deploy import chart, stacks
from aks_kaito_cli.deploy.image import digest_of_built
from aks_kaito_cli.pages import MODEL_ENDPOINT, MODELS, SIGN_IN
from aks_kaito_cli.shell import Shell, Step

_ROLLED_BACK = """
        A failed release may have been rolled back: its events stay for an hour, its logs in Log Analytics
        (ContainerLogV2). The model may have a node pool already, which costs: az aks nodepool list"""


def deploy(shell: Shell, kubectl: Kubectl, tag: str, hint: str = "") -> None:
    """Deploy the workloads with the image of a tag, once the secrets exist that their pods need.

    Terraform compares its variables with those of its last run: it does not notice that the chat was released alone
    with another image since. Then the chat is released once more, with this image.

    Raises:
        StepError: A secret or the image is missing, or a command failed.
    """
    for step in (*_vault_secrets(shell), *_cluster_secrets(shell, kubectl)):
        shell.ask(step)
    digest = digest_of_built(shell, tag)
    hint = hint or by_hand(shell, ("get", "pods,jobs,events"), ("logs", "--selector", "job-name")) + _ROLLED_BACK
    stacks.deploy(shell, "workloads", hint, TF_VAR_chat_image_tag=tag, TF_VAR_chat_image_digest=digest)
    running = chart.running_image(shell, kubectl)
    if not running.endswith(f"@{digest}"):
        print(f"{running} was released since the last deployment")
        chart.upgrade(shell, kubectl, digest)


def _vault_secrets(shell: Shell) -> Iterator[Step]:
    """Yield a check for each secret of the vault that the chat's pods mount: of sign-in, and tokens of models."""
    for secret in vault_secrets(shell.environment.settings):
        store = shlex.join(shell.azure.set_secret(secret, "FILE"))
        page = SIGN_IN if secret in SIGN_IN_SECRETS.values() else MODELS
        yield Step(f"find the secret {secret}", shell.azure.find_secret(secret), f"{store} ({page})")


def _cluster_secrets(shell: Shell, kubectl: Kubectl) -> Iterator[Step]:
    """Yield a check for the Secret with the passwords of the model's endpoint.

    F5's NGINX accepts no configuration, not even the chat's, while an Ingress names a Secret that does not exist.
    """
    if secret := shell.environment.settings.ingress.model_basic_auth_secret_name:
        hint = f"{MODEL_ENDPOINT}: publish it once the chat is deployed and the Secret exists"
        yield Step(f"find the Secret {secret}", kubectl.find_secret(secret), hint)
