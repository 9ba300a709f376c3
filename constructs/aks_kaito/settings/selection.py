"""Selection of environment files by name, and the only module that reads environment variables.

A name comes from a command line or a variable: it must be that of a file in the folder, so it is never a path.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from aks_kaito.settings.problems import MISSING, ManySettingsError, Problem, SettingsError, unreadable
from aks_kaito.settings.reader import Environment, load

_SWITCH = {"true": True, "false": False}


def names(folder: Path) -> list[str]:
    """Return the names of all environments in a folder, also of those whose file cannot be read. Hidden files are none.

    Raises:
        SettingsError: The folder cannot be read, or a file's name ends in another spelling of .toml.
    """
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() == ".toml" and not path.name.startswith(".")]
    except OSError as error:
        raise unreadable(folder, error) from None
    for path in paths:
        if path.suffix != ".toml":
            raise SettingsError(path, [Problem("file", path.name, "must end in .toml, in lower case")])
    return sorted(path.stem for path in paths)


def named(folder: Path, name: str, key: str = "ENV") -> Environment:
    """Load the environment of a name, which `key` gave.

    Raises:
        SettingsError: The folder has no such environment, or its file is invalid.
    """
    known = names(folder)
    if name not in known:
        raise SettingsError(folder, [Problem(key, name, f"must be one of: {_listed(known)}")])
    return _loaded(folder, name, known)


def selected(folder: Path, variables: Mapping[str, str] = os.environ) -> list[Environment]:
    """Load the environments that `AKS_KAITO_ENV` selects, by default all.

    `AKS_KAITO_ENVIRONMENTS_DIR` replaces `folder`.

    Raises:
        SettingsError: There is no file to load, or files are invalid; the message has the problems of all of them.
    """
    folder = Path(variables.get("AKS_KAITO_ENVIRONMENTS_DIR") or folder)
    if "AKS_KAITO_ENV" in variables:
        return [named(folder, variables["AKS_KAITO_ENV"], "AKS_KAITO_ENV")]
    known = names(folder)
    if not known:
        raise SettingsError(folder, [Problem("environments", MISSING, "the folder must hold NAME.toml files")])
    return _all_or_nothing(folder, known)


def prevents_destroy(folder: Path, variables: Mapping[str, str] = os.environ) -> bool:
    """Return whether plans must not destroy protected resources, unless `AKS_KAITO_PREVENT_DESTROY` is `false`.

    Raises:
        SettingsError: The variable has another value.
    """
    value = variables.get("AKS_KAITO_PREVENT_DESTROY", "true")
    if value not in _SWITCH:
        raise SettingsError(folder, [Problem("AKS_KAITO_PREVENT_DESTROY", value, "must be true or false")])
    return _SWITCH[value]


def _listed(known: list[str]) -> str:
    return ", ".join(known) or "none: the folder holds no .toml file"


def _all_or_nothing(folder: Path, known: list[str]) -> list[Environment]:
    loaded, errors = [], []
    for name in known:
        try:
            loaded.append(_loaded(folder, name, known))
        except SettingsError as error:
            errors.append(error)
    if len(errors) > 1:
        raise ManySettingsError(errors)
    if errors:
        raise errors[0]
    return loaded


def _loaded(folder: Path, name: str, known: Iterable[str]) -> Environment:
    path = folder / f"{name}.toml"
    environment = load(path)
    if problems := list(_twins(environment, folder, known)):
        raise SettingsError(path, problems)
    return environment


def _twins(environment: Environment, folder: Path, known: Iterable[str]) -> Iterator[Problem]:
    """Yield a problem for each environment whose registry, and so its storage account, would have the same name."""
    letters = environment.name.replace("-", "")
    for other in known:
        if other == environment.name or other.replace("-", "") != letters:
            continue
        try:
            twin = load(folder / f"{other}.toml")
        except SettingsError:
            continue  # a file of its own, with problems of its own
        if twin.names.registry == environment.names.registry:
            allowed = (
                f"must differ from {other!r} by more than hyphens, or have another prefix: both would have the "
                f"registry {twin.names.registry}, whose name has no hyphens"
            )
            yield Problem("environment", environment.name, allowed)
