"""Reader of the settings from environment variables, with an error per variable."""

import difflib
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

import pydantic_settings
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kaito_chat.settings.app import PREFIX, Settings
from kaito_chat.settings.sample import deprecations, old_names

# Kubernetes sets such variables for every Service; one named kaito-chat has our prefix.
SERVICE_VARIABLE = re.compile(rf"^{PREFIX}(?:[A-Z0-9_]+_)?(?:SERVICE_(?:HOST|PORT)(?:_\w+)?|PORT(?:_\d+_\w+)?)$")


class SettingsError(Exception):
    """Invalid environment variables; the message has a line for each."""


class Reading(NamedTuple):
    """The settings, and warnings for the operator about deprecated variables."""

    settings: Settings
    warnings: list[str]


def read() -> Reading:
    """Read the settings from the environment variables.

    Raises:
        SettingsError: A variable is unknown, malformed, or contradicts another.
    """
    _refuse_unknown(os.environ)
    try:
        settings = Settings()
        _ = settings.configured_models
    except pydantic_settings.SettingsError as error:
        cause = error.__cause__ or error
        name = next((key for key in Settings.model_fields if f'"{key}"' in str(error)), "")
        raise SettingsError(f"{PREFIX}{name.upper()}: must be JSON: {cause}") from None
    except ValidationError as error:
        raise SettingsError("\n".join(_explain(item, os.environ) for item in error.errors())) from None
    for model in settings.configured_models:
        if model.api_key_variable and settings.models and not os.environ.get(model.api_key_variable):
            raise SettingsError(
                f"{PREFIX}MODELS: {model.name or model.endpoint_url}: api_key_variable names {model.api_key_variable}, "
                "which is not set"
            )
    return Reading(settings, deprecations(os.environ, PREFIX))


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    """Refuse unknown variables: a misspelt one would silently have no effect."""
    known = [PREFIX + key.upper() for key, field in Settings.model_fields.items() if not field.validation_alias]
    problems = []
    for variable in sorted(environ):
        if not variable.startswith(PREFIX) or variable in known or SERVICE_VARIABLE.match(variable):
            continue
        near = difflib.get_close_matches(variable, known, 1)
        problems.append(f"{variable}: no such setting" + (f"; did you mean {near[0]}?" if near else ""))
    if problems:
        raise SettingsError("\n".join(problems))


def _explain(item: ErrorDetails, environ: Mapping[str, str]) -> str:
    """Return a line with the variable, its value unless it is secret, and the allowed values."""
    message = item["msg"].removeprefix("Value error, ")
    if not item["loc"]:
        return message
    key = str(item["loc"][0])
    name = PREFIX + key.upper()
    if name not in environ:
        name = next((old for old, renamed in old_names(environ).items() if renamed.field == key), name)
    path = ".".join(str(part) for part in item["loc"][1:])
    field = Settings.model_fields.get(key)
    hidden = path or field is None or "Secret" in str(field.annotation) or not isinstance(item["input"], str)
    return f"{name}{'' if hidden else '=' + repr(item['input'])}{': ' + path if path else ''}: {message}"
