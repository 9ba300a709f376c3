"""Subcommands that need Azure: `plan`, `deploy`, `destroy` and `release`."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from aks_kaito.settings import SettingsError
from aks_kaito_cli.deploy import down, lock, refusals, stacks, up
from aks_kaito_cli.deploy import release as chat
from aks_kaito_cli.groups import operations
from aks_kaito_cli.groups.arguments import Environment
from aks_kaito_cli.shell import BlockedError, RefusedError, Shell, StepError

_FAILED, _REFUSED = 1, 2


def register(app: typer.Typer) -> None:
    """Add the subcommands to the application."""
    app.command(epilog="Example: aks-kaito plan dev")(plan)
    app.command(epilog="Example: aks-kaito deploy dev 0.2.0")(deploy)
    app.command(epilog="Example: aks-kaito destroy dev dev")(destroy)
    app.command(epilog="Example: aks-kaito release prod 0.2.0")(release)


def plan(environment: Environment) -> None:
    """Plan the platform of an environment.

    Terraform compares the state with Azure, as `aks-kaito diff` cannot, and changes nothing. The workloads are not
    planned: their providers need a connection to the cluster.

    Needs terraform, a sign-in of azurerm and azapi that may read the resources and the state, and the CDK's CLI, which
    `make plan` installs before it runs this.

    Exit status: 0, with changes and without; 1 if the plan failed; 2 if the arguments or the machine are refused, or
    another command uses this checkout.
    """
    shell = _accepted(lambda: refusals.shell_for_plan(environment))
    raise typer.Exit(
        _until_stopped(shell, lambda: stacks.plan(shell, "platform"), f"make plan ENV={environment}", resumes=False)
    )


def deploy(
    context: typer.Context,
    environment: Environment,
    tag: Annotated[str, typer.Argument(metavar="TAG", help="The image's tag; it is built if it does not exist.")],
    *,
    confirm_loss: Annotated[
        str, typer.Option(help="Names in Azure of resources that may be lost, separated by spaces.")
    ] = "",
    skip_preflight: Annotated[
        bool,
        typer.Option("--skip-preflight", envvar="AKS_KAITO_SKIP_PREFLIGHT", help="Begin without the checks."),
    ] = False,
) -> None:
    """Deploy an environment and send it one message.

    Begin with the checks of `aks-kaito preflight`: a blocker ends the deployment before anything is changed, a check
    that cannot be decided does not. --skip-preflight is for a blocker that is wrong.

    A change that would remove or replace a resource with data is refused, unless --confirm-loss names the resource.

    Then deploy the platform, the image, the workloads and the dashboards. Every step is idempotent; the first one that
    fails ends the deployment, and prints the command that resumes it. Ctrl-C waits until Terraform has written its
    state; a second Ctrl-C ends Terraform at once.

    Needs az (signed in), terraform, kubelogin, and what `make deploy` installs before it runs this: kubectl and helm in
    .venv/bin, which must be on the PATH, the CDK's CLI, and the chat's Python environment.

    Exit status: 0; 1 if a step failed or a check stops the deployment; 2 if the arguments, the machine or the state are
    refused, or another command uses this checkout; 3 if the rest of a private environment must be deployed from inside
    its network.
    """
    # The variable stays set; the option must be typed again.
    source = context.get_parameter_source("skip_preflight")
    chosen = " SKIP_PREFLIGHT=1" if skip_preflight and source and source.name == "COMMANDLINE" else ""
    again = f"make deploy ENV={environment} TAG={tag}{chosen}"
    shell = _accepted(lambda: refusals.shell_for_deploy(environment, tag))
    if not skip_preflight:
        operations.require()

    def steps() -> int:
        if not skip_preflight:
            from aks_kaito_cli.deploy import preflight

            preflight.check(shell)
        return up.deploy(shell, tag, again, frozenset(confirm_loss.split()))

    raise typer.Exit(_until_stopped(shell, steps, again))


def destroy(
    environment: Environment,
    confirm: Annotated[
        str,
        typer.Argument(metavar="CONFIRM", help="The environment's name again, as confirmation; there is no prompt."),
    ],
) -> None:
    """Destroy an environment with all its data.

    Destroy the workloads first, then the platform, and ask Azure what is left. Without the right confirmation, list the
    data that would be lost.

    Needs az (signed in), terraform, kubelogin, and the CDK's CLI, which `make destroy` installs before it runs this.

    Exit status: 0; 1 if a step failed, or something is left; 2 if the arguments, the machine or the state are refused,
    or another command uses this checkout; 3 if the rest must be destroyed from another network.
    """
    again = f"make destroy ENV={environment} CONFIRM={environment}"
    shell = _accepted(lambda: refusals.shell_for_destroy(environment, confirm))
    raise typer.Exit(_until_stopped(shell, lambda: down.destroy(shell, again), again))


def release(
    environment: Environment,
    tag: Annotated[str, typer.Argument(metavar="TAG", help="The tag of an image in the registry, or its digest.")],
) -> None:
    """Release the chat application alone.

    Use the values of the last synthesis and another image. Helm rolls back to the release before if its pods do not
    become ready.

    Needs az (signed in), kubelogin, and helm, which `make release` installs before it runs this.

    Exit status: 0; 1 if a step failed; 2 if the arguments, the values or the machine are refused, or another command
    uses this checkout.
    """
    command = f"make release ENV={environment} TAG={tag}"
    shell = _accepted(lambda: refusals.shell_for_release(environment, tag))
    raise typer.Exit(_until_stopped(shell, lambda: chat.release(shell, tag), command, resumes=False))


def _accepted(prepare: Callable[[], Shell]) -> Shell:
    """Return the shell, or print the reason for a refusal and exit."""
    try:
        return prepare()
    except (RefusedError, SettingsError) as error:
        sys.stderr.write(f"{error}\n")
        raise typer.Exit(_REFUSED) from None


def _until_stopped(shell: Shell, steps: Callable[[], int | None], command: str, *, resumes: bool = True) -> int:
    """Run steps while no other command uses the checkout, and return the exit status.

    Report a refusal, a failure or a signal; after the latter two with the command, if that resumes.
    """
    shell.pass_on_signals()
    try:
        with lock.held(command):
            return steps() or 0
    except BlockedError as error:
        sys.stderr.write(f"{error}\n")
        return _FAILED
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return _REFUSED
    except StepError as error:
        following = f"Next:   {command}, after fixing the cause; completed steps are kept\n" if resumes else ""
        sys.stderr.write(f"{error.report()}{following}")
    except KeyboardInterrupt:
        sys.stderr.write(f"\nStopped. Resume with: {command}\n" if resumes else "\nStopped.\n")
    return _FAILED
