"""Variables of the sample's chat script, which are still accepted, with a warning."""

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

TRUE = ("true", "1", "t")


class Renamed(NamedTuple):
    """A setting that replaces a variable of the sample, and the conversion of its value."""

    field: str
    convert: Callable[[str], str] = str


def _flag(value: str) -> str:
    return str(value.lower() in TRUE).lower()


RENAMED = {
    "TEMPERATURE": Renamed("temperature"),
    "TOP_P": Renamed("top_p"),
    "TOP_K": Renamed("top_k", lambda value: value.removesuffix(".0")),
    "MAX_LENGTH": Renamed("max_tokens"),
    "AZURE_OPENAI_KEY": Renamed("api_key"),
    "AZURE_OPENAI_VERSION": Renamed("api_version"),
    "AZURE_OPENAI_SYSTEM_MESSAGE": Renamed("system_prompt"),
    "MAX_RETRIES": Renamed("max_retries"),
    "TIMEOUT": Renamed("first_token_timeout_seconds"),
    "DEBUG": Renamed("debug", _flag),
}
# USE_LOCAL_LLM selected one of these.
LOCAL = {"AI_ENDPOINT": Renamed("endpoint_url")}
AZURE = {"AZURE_OPENAI_BASE": Renamed("endpoint_url"), "AZURE_OPENAI_DEPLOYMENT": Renamed("model")}
# A deployment implies its model; a key, or its absence, implies the authentication.
WITHOUT_EFFECT = ("AZURE_OPENAI_MODEL", "AZURE_OPENAI_TYPE", "USE_LOCAL_LLM")


def old_names(environ: Mapping[str, str]) -> dict[str, Renamed]:
    """Return the sample's variables that are set, with the settings that replace them."""
    local = _flag(environ.get("USE_LOCAL_LLM", "")) == "true"
    meant = RENAMED | (LOCAL if local or "AZURE_OPENAI_BASE" not in environ else AZURE)
    return {variable: renamed for variable, renamed in meant.items() if environ.get(variable)}


def deprecations(environ: Mapping[str, str], prefix: str) -> list[str]:
    """Return a warning for each of the sample's variables that is set."""
    return [
        f"{variable} is deprecated: use {prefix}{renamed.field.upper()}"
        for variable, renamed in old_names(environ).items()
    ] + [f"{variable} is deprecated and has no effect" for variable in WITHOUT_EFFECT if environ.get(variable)]


class SampleVariables(PydanticBaseSettingsSource):
    """Source of settings from the sample's variables, with the lowest precedence."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing: `__call__` reads all fields."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the settings in the sample's variables."""
        if set(self.current_state) & {"models", "endpoint_url"}:
            skipped = {"endpoint_url", "model", "api_key", "api_version"}
        else:
            skipped = set()
        found = {
            renamed.field: renamed.convert(os.environ[variable])
            for variable, renamed in old_names(os.environ).items()
            if renamed.field not in skipped
        }
        if "endpoint_url" in found and os.environ.get("AZURE_OPENAI_BASE") == found["endpoint_url"]:
            found["backend"] = "azure_openai"
        return found
