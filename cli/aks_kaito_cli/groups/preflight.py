"""The subcommand that checks an environment before its deployment: `preflight`."""

from typing import Annotated

import typer

from aks_kaito.settings import SettingsError
from aks_kaito_cli.answers import UNUSABLE, show, show_failure
from aks_kaito_cli.groups import operations
from aks_kaito_cli.groups.arguments import Environment
from aks_kaito_cli.project import environment_named


def register(app: typer.Typer) -> None:
    """Add the subcommand to the application."""
    app.command(epilog="Example: aks-kaito preflight dev")(preflight)


def preflight(
    environment: Environment,
    *,
    offline: Annotated[bool, typer.Option("--offline", help="Check the file alone, without Azure.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check before a deployment what would stop it.

    Check the environment's file, the subscription and its identity, permissions and policies, registrations, VM sizes
    and quota. Quota is the permission to ask for machines; that Azure has some is never certain. `aks-kaito deploy`
    begins with the same checks.

    Needs az (signed in) or the ARM_ variables of Terraform, and the right to read the subscription; with --offline
    neither. Changes nothing.

    Exit status: 0; 1 with a blocker; 2 if nothing can be checked: a bad file, nobody signed in, no subscription chosen;
    3 if a check could not be decided, such as one that Azure forbids, and nothing else stops the deployment.
    """
    operations.require(as_json=as_json)
    from aks_kaito_cli.preflight import run

    try:
        answer = run.answer(environment_named(environment), offline=offline)
    except SettingsError as error:
        raise typer.Exit(show_failure(str(error), exit_status=UNUSABLE, as_json=as_json)) from None
    except run.UnusableError as error:
        answer = run.unusable(str(error), "az login")
    show(answer, as_json=as_json)
    raise typer.Exit(answer.exit_status)
