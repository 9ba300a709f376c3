"""Reads environment files: the one place that opens them and looks at the process's environment.

A file is refused with all its problems at once. What cannot be checked because a key it depends on is broken
is left for the next run; everything else is.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aks_kaito.naming import Names
from aks_kaito.settings import wording
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import MISSING, Problem, SettingsError, near
from aks_kaito.settings.rules import RULES, WARNINGS, Context

_ENVIRONMENT_NAME = r"[a-z][a-z0-9-]{0,14}[a-z0-9]"
# A valid value for each required key, so that the rules on other keys still run when one is missing or broken.
_STAND_INS: dict[tuple[str, ...], str] = {
    ("prefix",): "standin",
    ("location",): "westeurope",
    ("cluster", "ssh_public_key"): "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" + "A" * 48,
}


@dataclass(frozen=True)
class Environment:
    """An environment: its name (that of its file), its settings, its names, and what to warn of."""

    name: str
    settings: Settings
    warnings: tuple[str, ...] = ()

    @property
    def names(self) -> Names:
        """The Azure names of this environment."""
        settings = self.settings
        return Names(settings.prefix, self.name, settings.location, settings.subscription_id)

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource."""
        return {**self.settings.tags, "environment": self.name}


def selected(folder: Path, variables: Mapping[str, str] = os.environ) -> list[Environment]:
    """The environments that `AKS_KAITO_ENV` selects (unset: all), from `folder` or `AKS_KAITO_ENVIRONMENTS_DIR`.

    Raises SettingsError naming the file or folder when there is nothing to load or a file is refused; with
    several refused files, the problems of all of them.
    """
    folder = Path(variables.get("AKS_KAITO_ENVIRONMENTS_DIR") or folder)
    chosen = variables.get("AKS_KAITO_ENV")
    try:
        names = sorted(path.stem for path in folder.iterdir() if path.suffix == ".toml" and path.is_file())
    except OSError as error:
        raise _unreadable(folder, error) from None
    known = ", ".join(names) or "none: the folder holds no .toml file"
    if chosen and chosen not in names:
        raise SettingsError(folder, [Problem("AKS_KAITO_ENV", chosen, f"must be one of: {known}")])
    if not names:
        raise SettingsError(folder, [Problem("environments", MISSING, "the folder must hold NAME.toml files")])
    return _all_or_nothing([folder / f"{name}.toml" for name in ([chosen] if chosen else names)])


def load(path: Path, today: date | None = None) -> Environment:
    """The environment in one file; raises SettingsError with everything that is wrong with it.

    `today` decides about warnings only; left out, it is the current date.
    """
    data = _parse(path)
    problems = list(_unsafe_strings(data))
    if not re.fullmatch(_ENVIRONMENT_NAME, path.stem):
        allowed = "a file's name must be 2-16 lower-case letters, digits and '-', starting with a letter"
        problems.append(Problem("environment", path.stem, allowed))
    settings, more = _validated(data)
    problems += more
    broken = frozenset(problem.key for problem in problems)
    context = Context(settings, path.stem, today or datetime.now(UTC).date())
    problems += [problem for rule in RULES if not rule.touches(broken) for problem in rule.check(context)]
    if problems:
        raise SettingsError(path, problems)
    warnings = (f"{near(path)}: {problem}" for rule in WARNINGS for problem in rule.check(context))
    return Environment(path.stem, settings, tuple(warnings))


def _all_or_nothing(paths: list[Path]) -> list[Environment]:
    loaded, errors = [], []
    for path in paths:
        try:
            loaded.append(load(path))
        except SettingsError as error:
            errors.append(error)
    if len(errors) > 1:
        raise ManySettingsError(errors)
    if errors:
        raise errors[0]
    return loaded


class ManySettingsError(SettingsError):
    """Several refused files; the message is that of each in turn."""

    def __init__(self, errors: list[SettingsError]) -> None:
        """Join the messages; `path` is the first file's folder."""
        super().__init__(errors[0].path.parent, [problem for error in errors for problem in error.problems])
        self.args = ("\n".join(str(error) for error in errors),)


def _unreadable(path: Path, error: OSError) -> SettingsError:
    return SettingsError(path, [Problem("file", path.name, f"cannot be read: {error.strerror or error}")])


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unreadable(path, error) from None
    except UnicodeDecodeError as error:
        allowed = f"must be UTF-8 text; byte {error.start} is not"
    except tomllib.TOMLDecodeError as error:
        allowed = f"must be TOML: {error}"
    except (RecursionError, ValueError) as error:
        # Nested too deeply, or a number or date that Python cannot hold.
        allowed = f"must be TOML of sensible depth and size: {type(error).__name__}"
    raise SettingsError(path, [Problem("file", path.name, allowed)])


def _unsafe_strings(value: object, key: str = "") -> Iterator[Problem]:
    """Strings that Terraform would interpret, and control characters, wherever they are."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _unsafe_strings(name, f"{key}.{name}".lstrip("."))
            yield from _unsafe_strings(item, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from _unsafe_strings(item, key)
    elif isinstance(value, str):
        if "${" in value or "%{" in value:
            yield Problem(key, value, "must not hold ${ or %{, which Terraform would interpret")
        elif re.search(r"[\x00-\x1f\x7f]", value):
            yield Problem(key, value, "must not hold control characters")


def _validated(data: dict[str, Any]) -> tuple[Settings, list[Problem]]:
    """The settings, with each broken key replaced by its default, and a problem for each of them.

    Taking a broken item out of a table can show what else is wrong with the table, hence the rounds.
    """
    problems: list[Problem] = []
    while True:
        try:
            return Settings.model_validate(data), problems
        except ValidationError as error:
            details = error.errors(include_url=False)
        problems += wording.problems(details)
        data = _repaired(data, details)


def _repaired(data: dict[str, Any], details: list[ErrorDetails]) -> dict[str, Any]:
    """A copy of `data` without the broken keys, so smaller each time, and with a stand-in for required ones."""
    for detail in details:
        data = _without(data, wording.path(detail), is_missing=detail["type"] == "missing")
    for keys, value in _STAND_INS.items():
        data = _with_default(data, keys, value)
    return data


def _without(data: dict[str, Any], keys: tuple[str, ...], *, is_missing: bool) -> dict[str, Any]:
    """A copy of `data` without a broken key; a table that lacks a required key goes as a whole."""
    head, *tail = keys
    if head not in data:
        return data
    if tail and isinstance(data[head], dict) and not (is_missing and len(tail) == 1):
        return {**data, head: _without(data[head], tuple(tail), is_missing=is_missing)}
    return {name: value for name, value in data.items() if name != head}


def _with_default(data: dict[str, Any], keys: tuple[str, ...], value: object) -> dict[str, Any]:
    """A copy of `data` where a key that is not there has a value."""
    head, *tail = keys
    if not tail:
        return {head: value, **data}
    return {**data, head: _with_default(data.get(head, {}), tuple(tail), value)}
