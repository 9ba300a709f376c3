"""The checkout that the command works on: its environment files and the files that a synthesis writes."""

import os
from pathlib import Path

from aks_kaito import state
from aks_kaito.charts.names import CHAT_CHART
from aks_kaito.settings import Environment, named
from aks_kaito.settings.problems import display_path
from aks_kaito.state import Part

ROOT = Path(__file__).parents[2]
CHAT_CHART_FOLDER = ROOT / "charts" / CHAT_CHART


def environments_folder() -> Path:
    """Return the folder of the environment files, which `AKS_KAITO_ENVIRONMENTS_DIR` may move."""
    return Path(os.environ.get("AKS_KAITO_ENVIRONMENTS_DIR") or ROOT / "environments")


def environment_names() -> list[str]:
    """Return the names of all environments; none if there is no folder."""
    return sorted(path.stem for path in environments_folder().glob("*.toml"))


def environment_named(name: str) -> Environment:
    """Load one environment.

    Raises:
        SettingsError: There is no such environment, or its file is invalid.
    """
    return named(environments_folder(), name)


def environment_file(name: str) -> Path:
    """Return the path of an environment's file, for messages."""
    return display_path(environments_folder() / f"{name}.toml")


def local_state(environment: Environment, part: Part) -> Path:
    """Return the state file of a stack whose backend is `local`."""
    return ROOT / state.file_name(environment, part)


def values_file(environment: Environment) -> Path:
    """Return the file to which a synthesis writes the values of the chat's chart."""
    return ROOT / "cdktf.out" / "values" / f"{environment.name}.yaml"
