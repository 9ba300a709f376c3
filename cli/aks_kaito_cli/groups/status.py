"""The subcommand that looks at a deployed environment: `status`."""

import os
from typing import Annotated

import typer

from aks_kaito.settings import SettingsError
from aks_kaito_cli.answers import UNDECIDED, UNUSABLE, show, show_failure
from aks_kaito_cli.groups import operations
from aks_kaito_cli.groups.arguments import Environment
from aks_kaito_cli.project import environment_named

# As long as a deployment waits for its message.
_MINUTES = 45


def register(app: typer.Typer) -> None:
    """Add the subcommand to the application."""
    app.command(epilog="Example: aks-kaito status dev --watch")(status)


def status(
    environment: Environment,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Look again until the models answer, or one cannot.")] = False,
    timeout: Annotated[float, typer.Option(min=0, help="The longest wait of --watch, in minutes.")] = _MINUTES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say why a model of a deployed environment is not ready.

    Read the cluster (through kubectl, else az aks command invoke, else only Azure's management API), and show each
    model's stages with their times, the cause and its remedy; then address, certificate, and the dates of day two.

    Needs a sign-in to Azure, and the extra operations, which `make status` installs. To read the cluster, needs az,
    kubelogin and kubectl. Changes nothing.

    Exit status: 0 if all models answer; 1 if one cannot become ready; 2 if the arguments or the machine are unusable;
    3 if it could not be decided, or not yet.
    """
    operations.require(as_json=as_json)
    # After the check: these modules import the extra's libraries.
    from aks_kaito_cli.azure.errors import AzureAnswerError
    from aks_kaito_cli.status import command, report

    try:
        found = command.run(
            environment_named(environment),
            os.environ,
            seconds=timeout * 60 if watch else None,
            shown=lambda answer, seen: show(
                answer, as_json=as_json, tables=[table] if (table := report.stages(seen.models)) else []
            ),
        )
    except (SettingsError, ValueError) as error:
        raise typer.Exit(show_failure(str(error), exit_status=UNUSABLE, as_json=as_json)) from None
    except AzureAnswerError as error:
        following = error.remedy or "az account list --output table"
        raise typer.Exit(show_failure(str(error), following, exit_status=UNDECIDED, as_json=as_json)) from None
    except KeyboardInterrupt:
        following = f"make status ENV={environment}"
        raise typer.Exit(show_failure("Stopped.", following, exit_status=UNDECIDED, as_json=as_json)) from None
    raise typer.Exit(found)
