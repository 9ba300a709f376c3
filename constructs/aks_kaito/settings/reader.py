"""Reader of an environment file, and the only module that opens one; `pod_templates` opens those that it names.

The reader refuses a file with all its problems at once. Only rules that read a broken key wait for the next run.
"""

import codecs
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from aks_kaito.naming import Names
from aks_kaito.settings import deprecated, pod_templates, wording
from aks_kaito.settings.environment import Settings
from aks_kaito.settings.problems import MISSING, Problem, SettingsError, display_path, unreadable
from aks_kaito.settings.rules import RULES, WARNINGS, Context
from aks_kaito.settings.tags import tags_of

_ENVIRONMENT_NAME = r"[a-z][a-z0-9-]{0,14}[a-z0-9]"
# A valid value for each required key, so that rules on other keys run even if one is missing or broken.
_STAND_INS: dict[tuple[str, ...], str] = {
    ("prefix",): "standin",
    ("location",): "westeurope",
    ("cluster", "ssh_public_key"): "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5" + "A" * 48,
}


@dataclass(frozen=True)
class Environment:
    """An environment: its name, which is that of its file, its settings, and warnings about them."""

    name: str
    settings: Settings
    warnings: tuple[str, ...] = ()
    templates: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Pod templates by the models' keys, from the files that the settings name."""

    @property
    def names(self) -> Names:
        """The Azure names of the environment."""
        settings = self.settings
        return Names(settings.prefix, self.name, settings.location, settings.subscription_id, settings.key_vault.name)

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource."""
        return tags_of(self.name, self.settings.tags)


def load(path: Path, today: date | None = None) -> Environment:
    """Load the environment in one file. `today`, by default the current date, affects retirements and warnings.

    Raises:
        SettingsError: The file is invalid; the message has all its problems.
    """
    data, renamed, problems = deprecated.current(_parse(path))
    problems += _unsafe_strings(data)
    if not re.fullmatch(rf"{_ENVIRONMENT_NAME}\.toml", path.name):
        allowed = "a file's name must be 2-16 lower-case letters, digits and '-', starting with a letter, and .toml"
        problems.append(Problem("environment", path.name, allowed))
    settings, more = _validated(data)
    problems += more
    broken = frozenset(problem.key for problem in problems)
    context = Context(settings, path.stem, today or datetime.now(UTC).date())
    templates, more = pod_templates.read(settings, path.parent)
    problems += more
    problems += [problem for rule in RULES if not rule.touches(broken) for problem in rule.check(context)]
    if problems:
        raise SettingsError(path, problems)
    found = [*renamed, *(problem for rule in WARNINGS for problem in rule.check(context))]
    warnings = (f"{display_path(path)}: {problem}" for problem in found)
    return Environment(path.stem, settings, tuple(warnings), templates)


def _parse(path: Path) -> dict[str, Any]:
    if path.is_symlink() and not path.exists():
        allowed = f"is a symbolic link to {path.readlink()}, which does not exist"
        raise SettingsError(path, [Problem("file", path.name, allowed)])
    if path.exists() and not path.is_file():
        raise SettingsError(path, [Problem("file", path.name, "must be a file, not a folder or a device")])
    try:
        # Some editors on Windows begin a file with a byte order mark.
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise unreadable(path, error) from None
    except UnicodeDecodeError as error:
        is_utf_16 = error.object[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        allowed = f"must be UTF-8 text; {'the file is UTF-16' if is_utf_16 else f'byte {error.start} is not'}"
    except tomllib.TOMLDecodeError as error:
        allowed = f"must be TOML: {error}"
    except (RecursionError, ValueError) as error:
        # Too deep nesting, or a number or date that Python cannot represent.
        allowed = f"must be TOML without extreme nesting or numbers: {type(error).__name__}"
    raise SettingsError(path, [Problem("file", path.name, allowed)])


def _unsafe_strings(value: object, key: str = "") -> Iterator[Problem]:
    """Yield a problem for each string, at any depth, with Terraform's template syntax or control characters."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _unsafe_strings(name, f"{key}.{name}".lstrip("."))
            yield from _unsafe_strings(item, f"{key}.{name}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from _unsafe_strings(item, key)
    elif isinstance(value, str):
        if "${" in value or "%{" in value:
            yield Problem(key, value, "must not contain ${ or %{, which Terraform would interpret")
        elif re.search(r"[\x00-\x1f\x7f]", value):
            yield Problem(key, value, "must not contain control characters")


def _validated(data: dict[str, Any]) -> tuple[Settings, list[Problem]]:
    """Return the settings, with the default for each broken key, and the problems.

    Validation repeats because removing a broken item can reveal a further problem of its table.
    """
    problems: list[Problem] = []
    while True:
        try:
            return Settings.model_validate(data), problems
        except ValidationError as error:
            details = error.errors(include_url=False)
        # A wrong value of a required key is missing at the next validation.
        known = {problem.key for problem in problems}
        found = wording.problems(details)
        problems += [each for each in found if each.value is not MISSING or each.key not in known]
        data = _repaired(data, details)


def _repaired(data: dict[str, Any], details: list[ErrorDetails]) -> dict[str, Any]:
    """Return a copy of `data` without its broken keys, and with a stand-in for each required key."""
    for detail in details:
        data = _without(data, wording.path(detail), is_missing=detail["type"] == "missing")
    for keys, value in _STAND_INS.items():
        data = _with_default(data, keys, value)
    return data


def _without(data: dict[str, Any], keys: tuple[str, ...], *, is_missing: bool) -> dict[str, Any]:
    """Return a copy of `data` without a broken key, or without the table that lacks a required key."""
    head, *tail = keys
    if head not in data:
        return data
    if tail and isinstance(data[head], dict) and not (is_missing and len(tail) == 1):
        return {**data, head: _without(data[head], tuple(tail), is_missing=is_missing)}
    return {name: value for name, value in data.items() if name != head}


def _with_default(data: dict[str, Any], keys: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return a copy of `data` with a value for a missing key."""
    head, *tail = keys
    if not tail:
        return {head: value, **data}
    return {**data, head: _with_default(data.get(head, {}), tuple(tail), value)}
