"""The subcommand that imports the sample's variables: `import-tfvars`."""

from pathlib import Path
from typing import Annotated

import typer

from aks_kaito_cli.answers import UNUSABLE, show_failure
from aks_kaito_cli.groups import operations
from aks_kaito_cli.project import environments_folder
from aks_kaito_cli.terminal import Terminal


def register(app: typer.Typer) -> None:
    """Add the subcommand to the application."""
    app.command("import-tfvars", epilog="Example: aks-kaito import-tfvars terraform.tfvars --name prod2")(import_tfvars)


def import_tfvars(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="terraform.tfvars or terraform.tfvars.json.")],
    *,
    name: Annotated[
        str, typer.Option(metavar="ENV", help="The environment's name, that of the new file.")
    ] = "imported",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Convert the sample's variables to an environment file.

    FILE has values for aks-kaito-terraform. The new file has them under this project's keys, and the sample's defaults
    that differ from this project's, since they are deployed too. List what could not carry over, and why. Passwords,
    keys and tokens are neither written nor shown. A file that exists is never changed.

    Needs no network and no Azure account.

    Exit status: 0; 1 if something must be completed before the file can be synthesized; 2 if FILE cannot be read, or
    the environment exists.
    """
    operations.require(as_json=as_json)
    from aks_kaito_cli.importing import importer, report

    try:
        answer = importer.run(source, name, environments_folder())
    except importer.UnusableError as error:
        raise typer.Exit(show_failure(str(error), exit_status=UNUSABLE, as_json=as_json)) from None
    if as_json:
        print(answer.as_json())
    else:
        report.show(answer, Terminal())
    raise typer.Exit(answer.exit_status)
