"""Access to the cluster: a temporary kubeconfig, signed in as the settings say."""

import json
import re
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aks_kaito_cli.commands import kubelogin
from aks_kaito_cli.commands.kubectl import Kubectl
from aks_kaito_cli.shell import Shell, Step, StepError

# The last line of az, which is not that of a missing subscription.
_NOT_THERE = re.compile(
    r"Resource group '[^']*' could not be found|under resource group '[^']*' was not found"
    r"|\bResource(Group)?NotFound\b"
)
_INVOKE_FAILED = "az aks command invoke failed"


def exists(shell: Shell, hint: str = "") -> bool:
    """Return whether Azure has the cluster.

    Raises:
        StepError: Azure cannot be asked.
    """
    find = Step("find the cluster", shell.azure.show_cluster("name"), hint)
    try:
        found = shell.ask(find)
    except StepError as error:
        if _NOT_THERE.search(error.last_line):
            return False
        raise
    if not found:
        raise StepError(find, "az answered nothing")
    return True


@contextmanager
def signed_in(shell: Shell, *, quiet: bool = False, seconds: float | None = None) -> Iterator[Kubectl]:
    """Yield a kubectl with a temporary kubeconfig; the user's kubeconfig is not changed.

    `quiet` hides the output of the steps, and each of them ends after `seconds`, if given.

    Raises:
        StepError: The cluster does not exist, or az or kubelogin is missing.
    """
    settings = shell.environment.settings
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "kubeconfig"))
        # az itself converts the file that KUBECONFIG names for kubelogin, and would take the user's.
        own = {"KUBECONFIG": str(Path(folder, "unused"))}
        login = kubelogin.convert(settings.workloads.credentials, path)
        for step in (
            Step("find the cluster", shell.azure.get_credentials(path), variables=own),
            Step("sign in to the cluster", login),
        ):
            if quiet:
                shell.ask(step, seconds)
            else:
                shell.run(step)
        yield Kubectl(settings.chat.namespace, path)


class Invoked(NamedTuple):
    """The end of a command that ran in the cluster."""

    exit_code: int
    logs: str


def invoke(shell: Shell, purpose: str, command: str, seconds: float) -> Invoked:
    """Run a command in the cluster through Azure (az aks command invoke), and return how it ended.

    Raises:
        StepError: It did not run, or az answers in another form.
    """
    step = Step(purpose, (*shell.azure.run_in_cluster(command), "--output", "json"))
    try:
        found: Any = json.loads(shell.ask(step, seconds))
    except ValueError:
        raise StepError(step, _INVOKE_FAILED, "az printed no JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("exitCode"), int | None):
        raise StepError(step, _INVOKE_FAILED, "az printed another form than expected")
    if found.get("provisioningState") == "Failed":
        raise StepError(step, _INVOKE_FAILED, str(found.get("reason") or "the command did not run"))
    return Invoked(found.get("exitCode") or 0, str(found.get("logs") or ""))


def by_hand(shell: Shell, *commands: tuple[str, ...]) -> str:
    """Return the lines that a user types: one that signs in to the cluster, then each command of kubectl."""
    settings = shell.environment.settings
    login = kubelogin.convert(settings.workloads.credentials)
    first = f"{shlex.join(shell.azure.get_credentials())} && {shlex.join(login)}"
    kubectl = Kubectl(settings.chat.namespace)
    return "\n        ".join([first, *(shlex.join(kubectl.command(*each)) for each in commands)])
