"""The two stacks, deployed or destroyed by the CDK's CLI."""

from typing import Literal

from aks_kaito.state import Part, provider_lock, stack
from aks_kaito_cli.commands import cdk
from aks_kaito_cli.deploy import programs
from aks_kaito_cli.project import ROOT
from aks_kaito_cli.shell import Shell, Step


def deploy(shell: Shell, part: Part, hint: str, **variables: str) -> None:
    """Deploy one stack.

    Raises:
        StepError: The CDK's CLI is missing or failed.
    """
    shell.run(_step(shell, "deploy", part, hint, variables))


def plan(shell: Shell, part: Part) -> None:
    """Plan one stack.

    Raises:
        StepError: The CDK's CLI is missing or failed.
    """
    name = shell.environment.name
    command = cdk.plan(programs.cdk(shell.variables), stack(shell.environment, part))
    shell.run(Step(f"plan the {part}", command, "", {"AKS_KAITO_ENV": name, **_locked(shell, part)}))


def destroy(shell: Shell, part: Part) -> None:
    """Destroy one stack, without the protection of its data.

    Raises:
        StepError: The CDK's CLI is missing or failed.
    """
    shell.run(_step(shell, "destroy", part, "", {"AKS_KAITO_PREVENT_DESTROY": "false"}))


def _step(shell: Shell, action: Literal["deploy", "destroy"], part: Part, hint: str, variables: dict[str, str]) -> Step:
    environment = shell.environment
    command = cdk.command(programs.cdk(shell.variables), action, stack(environment, part))
    chosen = {"AKS_KAITO_ENV": environment.name, **_locked(shell, part), **variables}
    return Step(f"{action} the {part}", command, hint, chosen)


def _locked(shell: Shell, part: Part) -> dict[str, str]:
    """Return the variable with which Terraform takes no other packages than those of a lock, nor adds some to it."""
    if not (ROOT / "locks" / provider_lock(part)).exists():
        return {}
    arguments = shell.variables.get("TF_CLI_ARGS_init", "")
    return {"TF_CLI_ARGS_init": f"{arguments} -lockfile=readonly".strip()}
