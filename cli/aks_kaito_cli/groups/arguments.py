"""Arguments that several subcommands take."""

from typing import Annotated

import typer

from aks_kaito_cli.project import environment_names


def _complete_environment(incomplete: str) -> list[str]:
    """Return the environments whose names begin so."""
    return [name for name in environment_names() if name.startswith(incomplete)]


Environment = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="The environment: the name of a file in environments/, without .toml.",
        autocompletion=_complete_environment,
    ),
]
OptionalEnvironment = Annotated[
    str | None,
    typer.Argument(
        metavar="ENV",
        help="One environment; all of them if it is left out.",
        show_default=False,
        autocompletion=_complete_environment,
    ),
]
