"""Subcommands that need no Azure: `synth` and `diff`."""

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from aks_kaito.review import changes, report
from aks_kaito_cli.comparison import ComparisonError, both_sides
from aks_kaito_cli.groups.arguments import OptionalEnvironment, SelectedEnvironment
from aks_kaito_cli.project import ROOT


class Form(StrEnum):
    """Forms in which `main.py` prints the synthesized stacks."""

    PATHS = "paths"
    TABLE = "table"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Add the subcommands to the application."""
    app.command(epilog="Example: aks-kaito synth dev")(synth)
    app.command(epilog="Example: aks-kaito diff prod --base origin/main --markdown --exit-code")(diff)


def synth(
    environment: SelectedEnvironment = None,
    show: Annotated[Form, typer.Option(help="Form of the printed summary.")] = Form.TABLE,
) -> None:
    """Synthesize the Terraform of an environment to cdktf.out.

    Needs no Azure account and no network. Exit status: 0, or 2 with all problems of the environment's file.
    """
    variables = os.environ | ({} if environment is None else {"AKS_KAITO_ENV": environment})
    os.chdir(ROOT)
    # Not imported: synthesis is a program of its own, which both CDK CLIs run too, with Python's -O.
    os.execve(sys.executable, [sys.executable, "-O", "main.py", "--show", show], variables)  # noqa: S606 - no shell wanted


def diff(
    environment: OptionalEnvironment = None,
    *,
    base: Annotated[str, typer.Option(help="The git revision to compare with.")] = "main",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, as for a pull request.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 when something differs.")] = False,
) -> None:
    """Show what changed in the synthesized Terraform.

    Needs git. Exit status: 0; 1 with --exit-code when something differs; 2 with a message when the revision does not
    exist or a side cannot be synthesized.
    """
    try:
        old, new = both_sides(base, environment)
    except ComparisonError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None
    found = changes.compare(old, new)
    if markdown:
        print("\n".join(report.markdown(found, base)))
    else:
        report.show(found, base)
    if found and exit_code:
        raise typer.Exit(1)
