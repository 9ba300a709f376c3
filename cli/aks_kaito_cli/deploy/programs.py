"""Programs that the steps run: chosen by a variable, installed by make, or found on the PATH."""

import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from aks_kaito import node
from aks_kaito_cli.commands import Command
from aks_kaito_cli.project import ROOT
from aks_kaito_cli.shell import Shell

# Variables that hold a whole command.
COMMANDS = ("CDK_CLI", "CHAT_PROBE")


def cdk(variables: Mapping[str, str]) -> Command:
    """Return the CDK's CLI: `CDK_CLI`, or the pinned one that `make deploy` installs, on the Node.js of the bindings.

    The `node` of the virtual environment is a Python wrapper, which ends before its child when a key stops both.
    """
    installed = Path(sys.prefix) / "clis" / "node_modules" / ".bin" / "cdktn"
    return tuple(shlex.split(variables.get("CDK_CLI", shlex.join((str(node.bundled() or "node"), str(installed))))))


def probe(variables: Mapping[str, str]) -> Command:
    """Return the program that sends one message: `CHAT_PROBE`, or the application's own probe."""
    installed = shlex.join((str(ROOT / ".venv-app" / "bin" / "python"), "-m", "kaito_chat.probe"))
    return tuple(shlex.split(variables.get("CHAT_PROBE", installed)))


def helm(variables: Mapping[str, str]) -> str | None:
    """Return the Helm to use, if there is one: `HELM_BIN`, the one beside this Python, or the PATH's."""
    installed = Path(sys.executable).with_name("helm")
    return variables.get("HELM_BIN") or (str(installed) if installed.exists() else shutil.which("helm"))


def terraform(variables: Mapping[str, str]) -> str:
    """Return the Terraform that the CDK's CLI runs."""
    return variables.get("TERRAFORM_BINARY_NAME", "terraform")


def needed(shell: Shell, *, destroys: bool) -> Iterator[str]:
    """Yield the programs that must be installed; programs for a private network are looked for inside it only."""
    yield terraform(shell.variables)
    yield "az"
    if shell.environment.settings.cluster.private_cluster_enabled:
        return
    yield "kubelogin"
    if not destroys:
        yield "kubectl"
        yield helm(shell.variables) or "helm"


def broken_commands(variables: Mapping[str, str]) -> Iterator[str]:
    """Yield a problem for each variable whose value cannot be split into words."""
    for variable in COMMANDS:
        try:
            shlex.split(variables.get(variable, ""))
        except ValueError as error:
            yield f"{variable}={variables[variable]!r}: must be a command: {error}"
