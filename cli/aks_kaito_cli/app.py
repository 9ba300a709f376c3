"""The Typer application of the command `aks-kaito`."""

import typer

from aks_kaito_cli.groups import cost, deployment, gpu_pools, importing, machine, preflight, status, synthesis


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
    synthesis.register(app)
    preflight.register(app)
    deployment.register(app)
    gpu_pools.register(app)
    cost.register(app)
    status.register(app)
    importing.register(app)
    machine.register(app)
    return app


def main() -> None:
    """Run the command."""
    application()(prog_name="aks-kaito")
