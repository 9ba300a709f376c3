"""Variables that mean something where they are set to nothing; elsewhere that is as good as not set."""

import os
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

# No system prompt is a choice.
EMPTY_MEANS_NONE = ("system_prompt",)


class EmptyVariables(PydanticBaseSettingsSource):
    """Fills the settings whose variable is set to nothing, and means it."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Nothing: all are read at once."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """The settings that are set to nothing."""
        prefix = str(self.config.get("env_prefix", ""))
        return {name: "" for name in EMPTY_MEANS_NONE if os.environ.get(prefix + name.upper()) == ""}
