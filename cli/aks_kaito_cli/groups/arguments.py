"""Arguments that several subcommands take."""

from typing import Annotated, Any

import typer

from aks_kaito_cli.project import environment_names


def _complete_environment(incomplete: str) -> list[str]:
    """Return the environments whose names begin with the typed text."""
    return [name for name in environment_names() if name.startswith(incomplete)]


def _optional(text: str) -> Any:  # noqa: ANN401 - as typer.Argument
    """Return an argument for an environment that may be left out."""
    return typer.Argument(metavar="ENV", help=text, show_default=False, autocompletion=_complete_environment)


Environment = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="The environment: the name of a file in environments/, without .toml.",
        autocompletion=_complete_environment,
    ),
]
OptionalEnvironment = Annotated[str | None, _optional("One environment; all of them if it is left out.")]
SelectedEnvironment = Annotated[
    str | None, _optional("One environment; by default that of `AKS_KAITO_ENV`, or all of them.")
]
