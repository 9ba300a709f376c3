"""Secret settings from mounted files, which change while the process runs."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import PydanticBaseSettingsSource

DIRECTORIES = "SECRETS_DIRS"
SIGNING, FORMER = "auth_secret", "auth_secret_previous"


class SecretFiles(PydanticBaseSettingsSource):
    """Source of the secret settings that are files in `secrets_dirs`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return nothing: `__call__` reads all fields."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the secrets; if a file holds the signing secret, the former one comes from files alone.

        Otherwise a former secret that was deleted to revoke it would still be accepted, from the variable.
        """
        prefix = str(self.config.get("env_prefix", ""))
        fields = [name for name, field in self.settings_cls.model_fields.items() if is_secret(field)]
        found: dict[str, Any] = {}
        for directory in _directories(os.environ.get(prefix + DIRECTORIES, "")):
            here = _secrets(directory, {prefix + name.upper(): name for name in fields})
            if SIGNING in here:
                here.setdefault(FORMER, None)
            found |= here
        return found


def is_secret(field: FieldInfo) -> bool:
    """Return whether the values of a setting are secret."""
    return "SecretStr" in str(field.annotation)


def _directories(text: str) -> list[Path]:
    """Return the directories of the variable; none if it is malformed, which the validation of the setting reports."""
    try:
        paths = json.loads(text or "[]")
    except json.JSONDecodeError:
        return []
    return [Path(path) for path in paths if isinstance(path, str)] if isinstance(paths, list) else []


def _secrets(directory: Path, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return the secrets of one directory.

    The CSI driver for Key Vault writes the versions of a secret to a folder, the newest to the file `0`.
    """
    found = {field: text for name, field in fields.items() if (text := _read(directory / name))}
    for name, field in fields.items():
        if field == SIGNING and (former := _read(directory / f"{name}_VERSIONS" / "1")):
            found.setdefault(FORMER, former)
    return found


def _read(path: Path) -> str:
    """Return the text of a file, empty if there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
