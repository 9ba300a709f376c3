"""Variables whose empty value has a meaning. Every other empty variable counts as unset."""

import os
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

# An empty system prompt means that none is sent.
EMPTY_MEANS_NONE = ("system_prompt",)


class EmptyVariables(PydanticBaseSettingsSource):
    """Source of the settings whose empty variables have a meaning."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing: `__call__` reads all fields."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the settings with empty variables."""
        prefix = str(self.config.get("env_prefix", ""))
        return {name: "" for name in EMPTY_MEANS_NONE if os.environ.get(prefix + name.upper()) == ""}
