"""The Typer application of the command `aks-kaito`."""

import os
import sys
import threading
from typing import Annotated

import typer

from aks_kaito import __version__
from aks_kaito_cli.groups import cost, deployment, gpu_pools, importing, machine, preflight, sizing, status, synthesis
from aks_kaito_cli.terminal import accept_every_character


def application() -> typer.Typer:
    """Return the application with all subcommands."""
    app = typer.Typer(
        name="aks-kaito",
        help="Synthesize, compare, check, deploy, look at, destroy and release an environment, or check this machine.",
        epilog="Example: aks-kaito synth dev",
        no_args_is_help=True,
        # Plain text, which pipelines log and tests compare; a traceback is Python's own.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(options)
    synthesis.register(app)
    preflight.register(app)
    deployment.register(app)
    gpu_pools.register(app)
    cost.register(app)
    sizing.register(app)
    status.register(app)
    importing.register(app)
    machine.register(app)
    return app


def _print_version(asked: bool) -> None:  # noqa: FBT001  (typer calls it with the option's value)
    if asked:
        typer.echo(f"aks-kaito {__version__}")
        raise typer.Exit


def options(
    version: Annotated[  # noqa: FBT002  (an option of the command line)
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """Parse the options before the subcommand."""


def main() -> None:
    """Run the command, and end even if threads still wait for answers, which they do after Ctrl-C only."""
    accept_every_character()
    try:
        application()(prog_name="aks-kaito")
    except SystemExit as end:
        if threading.active_count() == 1 or not isinstance(end.code, int):
            raise
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code)
